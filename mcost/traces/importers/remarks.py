"""The sentences of a summary: what an import assumed, and what its file could not tell."""

from __future__ import annotations

import numpy as np

from mcost.traces.importers.found import Scan
from mcost.traces.importers.operations import Operations
from mcost.traces.importers.options import COUNTED, TOUCHES, ImportOptions
from mcost.traces.importers.reader import JITTER
from mcost.traces.importers.targets import HOW, Targets
from mcost.traces.importers.timeline import NONE, Timeline

__all__ = ["assumed", "unknown"]


def _said(*remarks: tuple[object, str]) -> tuple[str, ...]:
    """The sentences whose condition holds."""
    return tuple(sentence for holds, sentence in remarks if holds)


def assumed(
    done: Scan, targets: Targets, made: Operations, options: ImportOptions
) -> tuple[str, ...]:
    """What was put in or decided although the file does not say it."""
    counted = made.group != NONE
    guessed = int((targets.how[counted] == HOW.index("unknown")).sum())
    unplaced = int((counted & ~made.placed).sum())
    several = "one invalidate for each walk" if options.merge_walks else "one for each flush call"
    return _said(
        (True, f"invalidates: {COUNTED[options.counted]}; {several}; all of kind {options.kind}"),
        (options.region is None, "flushes of the sharers' private memory count like those of the"
                                 " region: no --region tells them apart"),
        (True, f"touches: {TOUCHES[options.touch]}"),
        (True, "kernel threads: pid 0, known names, tasks that slept in state I, and what"
               " --kernel-threads and --tasks add; a switch to one is an idle event"),
        (done.tasks.guessed, f"{done.tasks.guessed} threads stand for a process of their own:"
                             " the file names no tgid for them"),
        (guessed, f"{guessed} counted calls name no mm; they count because a sharer made or"
                  " received them"),
        (unplaced, f"{unplaced} counted calls have no address; they change the pages from"
                   f" {options.page} on"),
        (made.full.any(), f"{int(made.full.sum())} counted calls flush everything; each stands"
                          f" for {options.full_pages} pages"),
        (done.back, f"{done.back} lines were earlier than the line before, by up to"
                    f" {JITTER / 1e6:g} ms; they take its time"),
        (done.resyncs, f"{done.resyncs} switches are missing from the file; each is put in where"
                       " the next line of its CPU shows the task"),
    )  # fmt: skip


def unknown(done: Scan, line: Timeline, targets: Targets) -> tuple[str, ...]:
    """What the file cannot tell, whatever is assumed."""
    calls = done.calls.table.columns()
    silent = sorted(set(range(line.cpus)) - set(done.first))
    opening = line.mm[: line.opening]
    csd = done.queued
    nobody = int(((calls["kind"] == 1) & (calls["received"] == 0)).sum())
    return _said(
        (True, "which translations each CPU held: flush events do not say what they removed"),
        (True, "exec (a new mm under the old number) and processes that share an mm (CLONE_VM)"),
        (not csd, "flush_tlb_all calls: only csd_queue_cpu shows them (KF 8.1), and it was not"
                  " recorded"),
        (not csd, "CPUs that were told and had nothing to do: they trace nothing, so receptions"
                  " are a lower bound of the targets"),
        (nobody and not csd, f"whether the {nobody} remote calls without a reception told"
                             " anybody: reason 4 is traced even when nobody is"),
        (not done.calls.counts["probe"], "addresses and mms of flushes: tlb_flush has neither; a"
                                         " probe does (mcost trace record)"),
        ((opening == NONE).any(), f"what {int((opening == NONE).sum())} CPUs had loaded when the"
                                  " record begins: they were idle or in a kernel thread"),
        (silent, f"what ran on CPUs {_ranges(silent)}: no line of theirs is in the file"),
        (done.late, f"what ran before the first line on CPUs {_ranges(sorted(done.late))}: their"
                    " buffers had overrun"),
        (done.lost, f"{done.lost} events that the recorder lost"),
        (done.unread, f"{done.unread} ipi_send_cpumask lines whose mask this tool's version"
                      " could not print"),
        (np.any(targets.how == 0), f"the mm of {int((targets.how == 0).sum())} of all calls"),
    )  # fmt: skip


def _ranges(cpus: list[int]) -> str:
    """CPU numbers as ``0-3,7``."""
    parts: list[list[int]] = []
    for cpu in cpus:
        if parts and cpu == parts[-1][-1] + 1:
            parts[-1].append(cpu)
        else:
            parts.append([cpu])
    return ",".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
