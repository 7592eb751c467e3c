"""What stands behind the event name: one expression an event, and lines that are no event.

Formats: include/trace/events/{sched,tlb,csd,ipi}.h as KF 8.2 lists them, plus what
libtraceevent's plugins print instead (``trace-cmd report`` without ``-N``):
``comm:pid [prio] state ==> comm:pid [prio]`` for sched_switch and ``pages=N reason=... (N)``
for tlb_flush. Reasons are read as numbers: their words changed in 2025 (tip 8b62e64e6d30),
and before it 5 had none.
"""

from __future__ import annotations

import re

__all__ = ["TextError", "csd_function", "csd_queue", "ipi_cpu", "ipi_mask", "migrate", "probe"]
__all__ += ["FLUSH", "flush", "mm_of_task", "switch_name"]

FLUSH = re.compile(rb"pages[:=](-?\d+) reason[:=].*\((\d+)\)")
"""tlb_flush: pages, reason number."""

# Of several " prev_pid=" the last: a comm may hold anything, also that.
_NAME = re.compile(rb"(?:(?:prev|next)_comm=(.*) (?:prev|next)_pid=|(.*):)(\d+)$")
_CSD_QUEUE = re.compile(rb"cpu=(\d+) callsite=\S+ func=(\w+)")
_CSD_RUN = re.compile(rb"func=(\w+)\S*, csd=(\S+)")
_IPI_CPU = re.compile(rb"cpu=(\d+) callsite=(\S+)")
_IPI_MASK = re.compile(rb"cpumask=([0-9a-f,]+) callsite=(\S+)")
_MIGRATE = re.compile(rb"comm=.* pid=(\d+) prio=-?\d+ orig_cpu=(\d+) dest_cpu=(\d+)")
_PROBE = re.compile(
    rb"(?:m0=(0x[0-9a-f]+) )?(?:m1=\S+ )?mm=(0x[0-9a-f]+) start=(0x[0-9a-f]+) end=(0x[0-9a-f]+)"
    rb"(?: freed=(\d+))?"
)
_TASK_MM = re.compile(rb"pid=(\d+) mm=(0x[0-9a-f]+)")
_NOTHING = re.compile(rb"^(?:\(nil\)|\(null\)|(?:0x)?0+)$")


class TextError(ValueError):
    """A text that does not have its event's format."""


def _found(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes]:
    match = pattern.search(text)
    if match is None:
        raise TextError
    return match


def switch_name(key: bytes) -> tuple[str, int]:
    """Comm and pid of one side of a sched_switch line.

    Raises:
        TextError: no pid at its end.
    """
    kernel, plugin, pid = _found(_NAME, key).groups()
    return (plugin if kernel is None else kernel).decode(errors="replace"), int(pid)


def flush(text: bytes) -> tuple[int, int]:
    """Reason and pages of a tlb_flush."""
    pages, reason = _found(FLUSH, text).groups()
    return int(reason), int(pages)


def csd_queue(text: bytes) -> tuple[int, bytes]:
    """Target CPU and function of a csd_queue_cpu."""
    cpu, func = _found(_CSD_QUEUE, text).groups()
    return int(cpu), func


def csd_function(text: bytes) -> tuple[bytes, bool]:
    """Function of a csd_function_entry, and whether it runs on the asking CPU (csd 0)."""
    func, csd = _found(_CSD_RUN, text).groups()
    return func, _NOTHING.match(csd) is not None


def ipi_cpu(text: bytes) -> tuple[int, bytes]:
    """Target CPU and call site of an ipi_send_cpu."""
    cpu, site = _found(_IPI_CPU, text).groups()
    return int(cpu), site


def ipi_mask(text: bytes) -> tuple[int, bytes]:
    """Target CPUs as bits, and call site, of an ipi_send_cpumask (hexadecimal words)."""
    mask, site = _found(_IPI_MASK, text).groups()
    return int(mask.replace(b",", b""), 16), site


def migrate(text: bytes) -> int:
    """The pid of a sched_migrate_task."""
    return int(_found(_MIGRATE, text)[1])


def probe(text: bytes) -> tuple[int, int, int, int, int]:
    """Mask bits (-1 unless recorded), mm pointer, start, end, freed of a flush probe."""
    mask, mm, start, end, freed = _found(_PROBE, text).groups()
    bits = int(mask, 16) if mask else -1
    return bits, int(mm, 16), int(start, 16), int(end, 16), int(freed or b"0")


def mm_of_task(text: bytes) -> tuple[int, int]:
    """Pid and mm pointer (0 for a kernel thread) of a probe on sched_switch."""
    pid, mm = _found(_TASK_MM, text).groups()
    return int(pid), int(mm, 16)
