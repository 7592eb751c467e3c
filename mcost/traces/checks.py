"""The rules every trace obeys before anything is computed from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcost.traces.schema import (
    ATTACH,
    COLUMNS,
    DETACH,
    EVENTS,
    INVALIDATE,
    KINDS,
    SWITCH,
    TOUCH,
    Trace,
    TraceError,
)

__all__ = ["MOST_CPUS", "check_trace"]

MOST_CPUS = 8192
"""NR_CPUS_RANGE_END with CPUMASK_OFFSTACK, arch/x86/Kconfig; no architecture allows more."""

_BLOCK = 1 << 16
"""Rows checked at a time."""

_LAST_PAGE = 1 << 45
"""Pages of a 57-bit address space (5-level paging)."""

_LAST_TIME = 1 << 62
"""ns, 146 years; leaves room to add a trimming period."""

Rule = tuple[npt.NDArray[np.bool_], Callable[[int], str]]


def check_trace(trace: Trace, cpus: int | None = None, first_row: int = 1) -> None:
    """Raises :class:`TraceError` on the first row that breaks a rule.

    Args:
        trace: any trace.
        cpus: size of the machine, None for as large as needed, up to :data:`MOST_CPUS`.
        first_row: number that the caller's file gives to the first event.

    Raises:
        TraceError: no event at all; an event or kind that is no code; time going
            backwards or out of range; negative CPU, or one not below ``cpus``; pages < 1 or
            page < 0 in an invalidate; pages beyond the address space; attach of an attached
            mm, detach of one that is not; a touch of the region by an mm that is not
            attached at that moment.
    """
    if len(trace) == 0:
        raise TraceError("the trace has no events")
    for start in range(0, len(trace), _BLOCK):
        # One row of the block before, since time must not go back from that either.
        before = max(0, start - 1)
        _check_rows(_rows(trace, before, start + _BLOCK), cpus, before + first_row)
    _check_sharers(trace, first_row)


def _rows(trace: Trace, start: int, end: int) -> Trace:
    return Trace(**{name: getattr(trace, name)[start:end] for name in COLUMNS})


def _check_rows(block: Trace, cpus: int | None, first_row: int) -> None:
    """Rules that ask no more than a row and the one before."""
    rules = (*_codes(block), *_places(block, cpus), *_pages(block), *_names(block))
    broken = [(int(np.argmax(bad)), say) for bad, say in rules if bad.any()]
    if broken:
        at, say = min(broken, key=lambda first: first[0])
        raise TraceError(f"row {at + first_row}: {say(at)}")


def _codes(trace: Trace) -> list[Rule]:
    invalidate = trace.event == INVALIDATE
    return [
        (
            trace.event >= len(EVENTS),
            lambda at: f"event code {trace.event[at]} is not below {len(EVENTS)}",
        ),
        (
            invalidate & (trace.kind >= len(KINDS)),
            lambda at: f"kind code {trace.kind[at]} is not below {len(KINDS)}",
        ),
    ]


def _places(trace: Trace, cpus: int | None) -> list[Rule]:
    limit = MOST_CPUS if cpus is None else cpus
    whose = "the most that Linux supports" if cpus is None else "the number of CPUs"
    back = np.zeros(len(trace), dtype=bool)
    back[1:] = trace.time[1:] < trace.time[:-1]
    return [
        (
            (trace.time < 0) | (trace.time > _LAST_TIME),
            lambda at: f"time {trace.time[at]} ns is out of range, must be 0 to {_LAST_TIME}",
        ),
        (back, lambda at: f"time goes back from {trace.time[at - 1]} to {trace.time[at]} ns"),
        (trace.cpu < 0, lambda at: f"cpu {trace.cpu[at]} is negative"),
        (trace.cpu >= limit, lambda at: f"cpu {trace.cpu[at]} is not below {limit}, {whose}"),
    ]


def _pages(trace: Trace) -> list[Rule]:
    invalidate = trace.event == INVALIDATE
    used = invalidate | (trace.event == TOUCH)
    return [
        (
            invalidate & (trace.pages < 1),
            lambda at: f"invalidate of {trace.pages[at]} pages; must be at least 1",
        ),
        (
            invalidate & (trace.page < 0),
            lambda at: f"invalidate of page {trace.page[at]}; pages of the region are >= 0",
        ),
        (
            used & ((trace.page >= _LAST_PAGE) | (trace.page < -_LAST_PAGE)),
            lambda at: f"page {trace.page[at]} is out of range, must be below {_LAST_PAGE}",
        ),
        (
            invalidate & (trace.pages > _LAST_PAGE - trace.page),
            lambda at: f"{trace.pages[at]} pages from {trace.page[at]} end above {_LAST_PAGE}",
        ),
    ]


def _names(trace: Trace) -> list[Rule]:
    names_mm = (trace.event == ATTACH) | (trace.event == DETACH)
    return [
        (
            names_mm & (trace.mm < 0),
            lambda at: f"{EVENTS[trace.event[at]]} of mm {trace.mm[at]}; must be >= 0",
        ),
        (
            (trace.event == SWITCH) & (trace.mm < -1),
            lambda at: f"switch to mm {trace.mm[at]}; must be >= 0, or -1 for none",
        ),
    ]


def _check_sharers(trace: Trace, first_row: int) -> None:
    """Attach and detach alternate, and only attached mms touch the region."""
    attached: set[int] = set()
    for at in np.flatnonzero((trace.event == ATTACH) | (trace.event == DETACH)):
        mm, on = int(trace.mm[at]), trace.event[at] == ATTACH
        if on == (mm in attached):
            what = "is attached already" if on else "is not attached"
            raise TraceError(f"row {at + first_row}: mm {mm} {what}")
        attached ^= {mm}
    from mcost.traces.touches import first_stray  # noqa: PLC0415 - heavy

    row = first_stray(trace)
    if row is not None:
        mine = (trace.cpu[:row] == trace.cpu[row]) & (trace.event[:row] == SWITCH)
        mm = trace.mm[np.flatnonzero(mine)[-1]]
        raise TraceError(
            f"row {row + first_row}: mm {mm} touches page {trace.page[row]} of the region but is"
            " not attached"
        )
