"""How to record a trace that the importers can use: commands for three tools, not run here.

The commands for tracefs and perf were run on Linux 6.18 without the probe, those for trace-cmd
were not (our machine lets nobody write set_ftrace_filter, which it needs).

Events by kernel version (KF 8.2, section 11: releases of ipi and csd events are read from the
dates of their commits, not tried): sched_switch, tlb_flush always; ipi_send_* about 6.4;
csd_* about 6.5. The probe on native_flush_tlb_multi takes struct flush_tlb_info apart: by
offset where we ran it (6.1.192 and 6.12.117, the bundled traces), by name through BTF on
later kernels (Documentation/trace/fprobetrace.rst; not run).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from mcost.spec.lookup import find

__all__ = ["TOOLS", "Recipe", "recipe"]

TOOLS: tuple[str, ...] = ("tracefs", "trace-cmd", "perf")
"""Tools a recipe can be asked for; the first needs nothing installed."""

_ROOT = "/sys/kernel/tracing"
_INSTANCE = f"{_ROOT}/instances/mcost"
# Taken before and after, so that short-lived threads of either time are in it.
_PS = "ps -eLo tid,tgid,ppid,comm"


@dataclass(frozen=True)
class _Event:
    system: str
    name: str
    since: tuple[int, int]
    tells: str


_EVENTS: tuple[_Event, ...] = (
    _Event("sched", "sched_switch", (0, 0), "what ran where and when: masks, rho, lazy CPUs"),
    _Event("sched", "sched_migrate_task", (0, 0), "how often sharers move (counted only)"),
    _Event("tlb", "tlb_flush", (0, 0), "flush calls, their pages, handlers that did something"),
    _Event("ipi", "ipi_send_cpu", (6, 4), "interrupts of calls with one target"),
    _Event("ipi", "ipi_send_cpumask", (6, 4), "interrupts of calls with several targets"),
    _Event("csd", "csd_queue_cpu", (6, 5), "every CPU told, also in vain, and flush_tlb_all calls"),
    _Event("csd", "csd_function_entry", (6, 5), "handlers run, also those with nothing to do"),
)
_PROBE = "mm, address and freed page tables of each multi-CPU flush call"
_BY_OFFSET = (
    "p:mcost/mcost_flush native_flush_tlb_multi mm=+0(%si):x64 start=+8(%si):x64"
    " end=+16(%si):x64 freed=+37(%si):u8"
)
_BY_NAME = (
    "p:mcost/mcost_flush native_flush_tlb_multi mm=info->mm:x64 start=info->start:x64"
    " end=info->end:x64 freed=info->freed_tables:u8"
)
_MM_BY_NAME = "t:mcost/mcost_mm sched_switch pid=next->pid mm=next->mm:x64"
_MM = "the mm of each task that is switched in (none: a kernel thread)"
_OFFSETS_TRIED = (6, 12)
_PROBED_SINCE = (5, 13)


@dataclass(frozen=True)
class Recipe:
    """One way to record.

    Attributes:
        tool: one of :data:`TOOLS`.
        kernel: version asked for.
        commands: lines for a root shell, in order.
        tells: (event, what it lets mcost know), for the events recorded.
        missing: (event, what stays unknown) for those this kernel does not have.
        notes: what to know before running them.
    """

    tool: str
    kernel: str
    commands: tuple[str, ...]
    tells: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def recipe(kernel: str, tool: str = TOOLS[0], seconds: int = 10) -> Recipe:
    """Commands that record a trace for ``mcost trace import``.

    Args:
        kernel: version, ``6.12`` or ``6.12.117-1-amd64``.
        tool: one of :data:`TOOLS`.
        seconds: length of the recording.

    Raises:
        ValueError: unknown tool, a version that is none, seconds below 1.
    """
    make = find("tool", tool, {"tracefs": _tracefs, "trace-cmd": _trace_cmd, "perf": _perf})
    found = re.match(r"(\d+)\.(\d+)(?![\w])", kernel)
    if found is None:
        raise ValueError(f"kernel {kernel!r} is no version; must be like 6.12 or 6.12.117")
    if seconds < 1:
        raise ValueError(f"seconds must be at least 1, not {seconds}")
    version = (int(found[1]), int(found[2]))
    events = [event for event in _EVENTS if event.since <= version]
    probes = _probes(version)
    setup = [f"echo {shlex.quote(made)} >> {_ROOT}/dynamic_events" for made, _ in probes.values()]
    cleanup = [f"echo -:mcost/{name} >> {_ROOT}/dynamic_events" for name in probes]
    names = [(event.system, event.name) for event in events]
    names += [("mcost", name) for name in probes]
    tells = [(event.name, event.tells) for event in events]
    lacking = [(event.name, event.tells) for event in _EVENTS if event not in events]
    lacking += [] if probes else [("mcost_flush", _PROBE)]
    return Recipe(
        tool=tool,
        kernel=kernel,
        commands=(*setup, f"{_PS} > tasks.txt", *make(names, seconds), *cleanup),
        tells=(*tells, *((name, says) for name, (_, says) in probes.items())),
        missing=tuple(lacking),
        notes=_notes(version, tool),
    )


def _probes(version: tuple[int, int]) -> dict[str, tuple[str, str]]:
    """Dynamic events by name: how to make each, what it tells."""
    if version < _PROBED_SINCE:
        return {}
    if version <= _OFFSETS_TRIED:
        return {"mcost_flush": (_BY_OFFSET, _PROBE)}
    return {"mcost_flush": (_BY_NAME, _PROBE), "mcost_mm": (_MM_BY_NAME, _MM)}


def _tracefs(names: list[tuple[str, str]], seconds: int) -> list[str]:
    enable = " ".join(f"{system}/{name}" for system, name in names)
    return [
        f"echo 65536 > {_ROOT}/saved_cmdlines_size",
        f"mkdir {_INSTANCE}",
        f"echo 0 > {_INSTANCE}/tracing_on",
        f"echo global > {_INSTANCE}/trace_clock",
        f"echo 65536 > {_INSTANCE}/buffer_size_kb",
        f"echo 1 > {_INSTANCE}/options/record-tgid",
        f"for e in {enable}; do echo 1 > {_INSTANCE}/events/$e/enable; done",
        f"echo 1 > {_INSTANCE}/tracing_on; sleep {seconds}; echo 0 > {_INSTANCE}/tracing_on",
        f"{_PS} >> tasks.txt",
        f"cat {_INSTANCE}/trace | gzip > trace.txt.gz",
        f"rmdir {_INSTANCE}",
    ]


def _trace_cmd(names: list[tuple[str, str]], seconds: int) -> list[str]:
    events = " ".join(f"-e {system}:{name}" for system, name in names)
    return [
        f"trace-cmd record -C global -b 65536 -o trace.dat {events} sleep {seconds}",
        f"{_PS} >> tasks.txt",
        "trace-cmd report -t -i trace.dat | gzip > trace.txt.gz",
    ]


def _perf(names: list[tuple[str, str]], seconds: int) -> list[str]:
    events = " ".join(f"-e {system}:{name}" for system, name in names)
    return [
        f"perf record -a -m 4096 -o perf.data {events} -- sleep {seconds}",
        f"{_PS} >> tasks.txt",
        "perf script -i perf.data --ns -F comm,pid,tid,cpu,time,event,trace"
        " --show-lost-events | gzip > trace.txt.gz",
    ]


def _notes(version: tuple[int, int], tool: str) -> tuple[str, ...]:
    remarks = [
        "then: mcost trace info trace.txt.gz; mcost trace import trace.txt.gz --tasks tasks.txt"
        " --sharers NAMES -o trace.parquet",
        "tlb_flush does not show flush_tlb_all: without csd events a kernel with the 2025 mshare"
        " patches looks as if sharing cost nothing",
        "x86 only: other architectures have no tlb_flush event",
    ]
    if version > _OFFSETS_TRIED:
        remarks.append(
            "the probes name fields through BTF (CONFIG_DEBUG_INFO_BTF) and were not run by us;"
            " leave out what the kernel refuses: addresses or mms stay unknown"
        )
    elif version >= _PROBED_SINCE:
        remarks.append(
            "the probe takes fields by offset, as on 6.1.192 and 6.12.117; it needs CONFIG_KPROBES"
        )
    if (6, 4) <= version < (6, 6):
        remarks.append(
            "releases of the ipi and csd events are read from commit dates; if one is refused,"
            " leave it out"
        )
    if tool == "perf":
        remarks.append("older perf cannot print the mask of ipi_send_cpumask; csd_queue_cpu tells")
    if tool == "tracefs":
        remarks.append(
            "the buffer is 64 MiB a CPU; for longer recordings read trace_pipe into a file while"
            " tracing is on, instead of trace at the end"
        )
    return tuple(remarks)
