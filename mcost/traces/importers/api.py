"""From a file and the names of the sharers to a trace, in one call."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcost.traces.checks import check_trace
from mcost.traces.importers.assemble import assemble
from mcost.traces.importers.flushes import EVERYTHING, LOCAL, REMOTE
from mcost.traces.importers.formats import format_named
from mcost.traces.importers.masks import Masks, masks, spread
from mcost.traces.importers.operations import Operations, find_operations
from mcost.traces.importers.options import ImportOptions
from mcost.traces.importers.reader import Scan
from mcost.traces.importers.remarks import assumed, unknown
from mcost.traces.importers.scan import scan
from mcost.traces.importers.summary import Recorded, Sharer, Summary
from mcost.traces.importers.targets import HOW, Targets, find_targets
from mcost.traces.importers.tasks import Selection, Tasks, read_tasks
from mcost.traces.importers.timeline import NONE, Timeline, timeline
from mcost.traces.schema import IDLE, INVALIDATE, SWITCH, TOUCH, Trace, TraceError

__all__ = ["Calls", "Imported", "import_trace", "read_scan"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_KINDS = {LOCAL: "local", REMOTE: "remote", EVERYTHING: "flush_tlb_all"}


@dataclass(frozen=True)
class Calls:
    """Every flush call of the file, in order, one array a column.

    Attributes:
        time: ns.
        cpu: initiator.
        process: process that asked.
        kind: 0 stayed local, 1 flush_tlb_multi, 2 flush_tlb_all.
        pages: as the sender traced, -1 for a full flush.
        mm: process whose mm was flushed, -1 when batched or not known.
        how: index into ``targets.HOW``: how mm was found.
        freed: page tables were freed, by a probe's word; 0 without one.
        targets: CPUs told, the initiator apart: from csd_queue_cpu; -1 when not recorded.
        interrupts: interrupts sent, from ipi_send_*; -1 when not recorded.
        received: handlers that traced reason 1: a lower bound of the targets.
        mask: CPUs in the recorded mask, the initiator apart; -1 without a probe.
        loaded: CPUs, the initiator apart, that have mm loaded; -1 when it is not known.
        running: those of them that are not lazy.
        mask_right: the recorded mask is just the CPUs with mm loaded, the initiator's own
            bit looked at as well.
        row: row of the call's invalidate in the trace, -1 when it does not count.
    """

    time: Ints
    cpu: Ints
    process: Ints
    kind: Ints
    pages: Ints
    mm: Ints
    how: Ints
    freed: Ints
    targets: Ints
    interrupts: Ints
    received: Ints
    mask: Ints
    loaded: Ints
    running: Ints
    mask_right: Bools
    row: Ints

    def __len__(self) -> int:
        """Number of calls."""
        return len(self.time)

    def frame(self) -> pd.DataFrame:
        """The columns as a table, ``kind`` and ``how`` as words."""
        table = pd.DataFrame({entry.name: getattr(self, entry.name) for entry in fields(self)})
        table["kind"] = table["kind"].map(_KINDS)
        table["how"] = table["how"].map(dict(enumerate(HOW)))
        return table


@dataclass(frozen=True)
class Imported:
    """One import.

    Attributes:
        trace: schedule and invalidates.
        summary: counts, assumptions and gaps.
        recorded: what the kernel itself counted (also ``summary.recorded``).
        calls: every flush call, with what the file recorded of its targets.
    """

    trace: Trace
    summary: Summary
    recorded: Recorded
    calls: Calls


def read_scan(
    path: str | Path,
    format: str = "auto",  # noqa: A002 - the name of the option
    tasks: str | Path | None = None,
    kernel_threads: str | None = None,
    max_broken: float = 0.01,
    progress: bool = False,
) -> Scan:
    """Reads a recorded text; arguments and errors as of :func:`import_trace`."""
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max broken must be a share between 0 and 1, not {max_broken:g}")
    known = Tasks(extra=Selection.parse(kernel_threads) if kernel_threads else None)
    layout = None if format == "auto" else format_named(format)
    if tasks is not None:
        read_tasks(Path(tasks), known)
    return scan(Path(path), layout, known, max_broken, progress)


def import_trace(
    path: str | Path,
    sharers: str,
    options: ImportOptions | None = None,
    *,
    format: str = "auto",  # noqa: A002 - the name of the option
    tasks: str | Path | None = None,
    kernel_threads: str | None = None,
    max_broken: float = 0.01,
    progress: bool = False,
) -> Imported:
    """What really ran and flushed, as if some of the processes shared an mshare region.

    Args:
        path: output of ftrace, ``trace-cmd report`` or ``perf script``, also gzip.
        sharers: comma-separated comms (exact or with wildcards), ids or ranges of ids; a
            process shares when one of its threads is named.
        options: what to make of the flushes, None for the defaults.
        format: ``ftrace``, ``trace-cmd`` or ``perf``; ``auto`` looks at the first lines.
        tasks: output of ``ps -eLo tid,tgid,ppid,comm``, taken while recording.
        kernel_threads: tasks to take for kernel threads besides the known ones.
        max_broken: share of lines that may be unreadable.
        progress: draw a progress bar on standard error.

    Raises:
        TraceError: a file that is empty, binary, cut off, in no known layout, out of the
            order of time or too broken; no thread named by ``sharers``; none of them ever
            runs. Names the file and, where there is one, the line.
        ValueError: an option out of range.
        OSError: a file cannot be opened.
    """
    options = options or ImportOptions()
    selection = Selection.parse(sharers)
    done = read_scan(path, format, tasks, kernel_threads, max_broken, progress)
    found = done.tasks.select(selection)
    chosen = np.array(sorted(found), dtype=np.int64)
    line = timeline(done)
    _check_sharers(done, line, chosen, sharers)
    targets = find_targets(done)
    made = find_operations(done, targets, chosen, options)
    trace, rows = assemble(done, line, made, chosen, options)
    check_trace(trace)
    counted = masks(done, line, targets, chosen)
    calls = _calls(done, targets, made, counted, rows)
    recorded = _recorded(done, calls)
    summary = _summary(done, line, targets, made, counted, found, trace, recorded, options)
    return Imported(trace, summary, recorded, calls)


def _check_sharers(done: Scan, line: Timeline, chosen: Ints, sharers: str) -> None:
    ran = np.unique(line.mm[line.mm != NONE])
    if np.isin(chosen, ran).any():
        return
    names = {name for tid in done.tasks.names if not done.tasks.is_kernel(tid)
             for name in done.tasks.names[tid] if done.tasks.of(tid) in ran}  # fmt: skip
    some = ", ".join(sorted(names)[:8]) or "no user task at all"
    says = "never runs" if len(chosen) else "matches no task"
    raise TraceError(
        f"{done.path}: line {done.lines}: {sharers!r} {says} in the whole file; must match"
        f" tasks that run in it, such as {some}"
    )


def _calls(done: Scan, targets: Targets, made: Operations, counted: Masks, rows: Ints) -> Calls:
    calls = done.calls.table.columns()
    queued = done.counts["csd_queue_cpu"] > 0
    sent = done.counts["ipi_send_cpu"] > 0 and done.counts["ipi_send_cpumask"] > 0
    remote = calls["kind"] != LOCAL
    row = np.where(made.group == NONE, NONE, np.append(rows, NONE)[made.group])
    return Calls(
        time=calls["time"], cpu=calls["cpu"], process=targets.process, kind=calls["kind"],
        pages=calls["pages"], mm=targets.mm, how=targets.how, freed=calls["freed"],
        targets=np.where(remote & ~np.bool_(queued), -1, calls["targets"]),
        # Nothing sent means no interrupt only where both ways of sending were recorded.
        interrupts=np.where((calls["interrupts"] < 0) & (sent | ~remote), 0, calls["interrupts"]),
        received=calls["received"], mask=counted.recorded, loaded=counted.mm,
        running=counted.mm_running, mask_right=counted.right, row=row,
    )  # fmt: skip


def _recorded(done: Scan, calls: Calls) -> Recorded:
    counts = done.calls.counts
    ours, remote = calls.row != NONE, calls.kind == REMOTE
    everything = calls.kind == EVERYTHING
    queued = done.counts["csd_queue_cpu"] > 0
    sent = done.counts["ipi_send_cpu"] + done.counts["ipi_send_cpumask"] > 0
    comparable = (calls.mask >= 0) & (calls.loaded >= 0)
    return Recorded(
        remote_calls=int(remote.sum()),
        local_calls=int((calls.kind == LOCAL).sum()),
        received=counts["received"],
        unmatched=counts["received_unmatched"],
        lazy_answers=counts["lazy_answer"],
        stale_answers=counts["stale_answer"],
        switch_flushes=counts["switch_flush"],
        csd_targets=counts["csd_targets"] if queued else None,
        ipi_targets=counts["ipi_targets"] if sent else None,
        flush_all_calls=int(everything.sum()) if queued else None,
        flush_all_targets=int(calls.targets[everything].sum()) if queued else None,
        region_remote_calls=int((ours & remote).sum()),
        region_local_calls=int((ours & (calls.kind == LOCAL)).sum()),
        region_received=int(calls.received[ours].sum()),
        region_targets=int(calls.targets[ours & ~(calls.kind == LOCAL)].sum()) if queued else None,
        masks=int(comparable.sum()),
        masks_right=int(calls.mask_right.sum()),
    )


def _summary(
    done: Scan, line: Timeline, targets: Targets, made: Operations, counted: Masks,
    found: dict[int, list[str]], trace: Trace, recorded: Recorded, options: ImportOptions,
) -> Summary:  # fmt: skip
    tasks = done.tasks
    ours = made.group != NONE
    chosen = np.array(sorted(found), dtype=np.int64)
    shares, share, lazy = line.shares(chosen)
    users = [tid for tid in tasks.names if not tasks.is_kernel(tid)]
    threads = {mm: sum(tasks.of(tid) == mm for tid in users) for mm in found}
    events = np.bincount(trace.event, minlength=TOUCH + INVALIDATE)
    return Summary(
        file=done.path.name, format=done.format.name, kernel=done.kernel,
        lines=done.lines, broken=done.broken, broken_at=tuple(done.broken_at), lost=done.lost,
        events={name: number for name, number in sorted(done.counts.items()) if number},
        cpus=line.cpus, seconds=(line.end - line.start) / 1e9,
        threads=len(users), processes=len({tasks.of(tid) for tid in users}),
        sharers=tuple(
            Sharer(mm, tuple(names), threads[mm], shares[mm]) for mm, names in sorted(found.items())
        ),
        switches=int(events[SWITCH]), idles=int(events[IDLE]), touches=int(events[TOUCH]),
        invalidates=int(events[INVALIDATE]), resyncs=done.resyncs,
        migrations=sum(n for tid, n in done.migrations.items() if tasks.of(tid) in found),
        calls=len(ours), counted=int(ours.sum()), merged=int(ours.sum()) - len(made.call),
        ignored=made.ignored,
        mm_found={name: int((targets.how[ours] == at).sum()) for at, name in enumerate(HOW)},
        share=share, lazy=lazy,
        union_mask=spread(counted.union[ours]), running=spread(counted.running[ours]),
        mm_mask=spread(counted.mm[ours & (counted.mm != NONE)]),
        recorded=recorded,
        assumed=assumed(done, targets, made, options), unknown=unknown(done, line, targets),
    )  # fmt: skip
