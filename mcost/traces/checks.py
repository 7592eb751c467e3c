"""The rules every trace obeys before anything is computed from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcost.traces.schema import (
    ATTACH,
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
    for bad, say in (*_codes(trace), *_places(trace, cpus), *_pages(trace), *_names(trace)):
        if bad.any():
            at = int(np.argmax(bad))
            raise TraceError(f"row {at + first_row}: {say(at)}")
    _check_sharers(trace, first_row)


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
    attached: dict[int, list[tuple[int, int]]] = {}
    for at in np.flatnonzero((trace.event == ATTACH) | (trace.event == DETACH)):
        mm, on = int(trace.mm[at]), trace.event[at] == ATTACH
        spans = attached.setdefault(mm, [])
        open_span = bool(spans) and spans[-1][1] == len(trace)
        if on == open_span:
            what = "is attached already" if on else "is not attached"
            raise TraceError(f"row {at + first_row}: mm {mm} {what}")
        if on:
            spans.append((int(at), len(trace)))
        else:
            spans[-1] = (spans[-1][0], int(at))
    rows, mms = _region_touches(trace)
    order = np.argsort(mms, kind="stable")
    bad = _first_outside(rows[order], mms[order], attached)
    if bad is not None:
        row, mm = bad
        raise TraceError(
            f"row {row + first_row}: mm {mm} touches page {trace.page[row]} of the region but is"
            " not attached"
        )


def _region_touches(trace: Trace) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of touches of the region that have an mm loaded and not lazy, and that mm."""
    size = len(trace)
    rows = np.arange(size)
    order = np.lexsort((rows, trace.cpu))
    cpu, event = trace.cpu[order], trace.event[order]
    changes = (event == SWITCH) | (event == EVENTS.index("idle"))
    starts = np.ones(size, dtype=bool)
    starts[1:] = cpu[1:] != cpu[:-1]
    last = np.maximum.accumulate(np.where(changes | starts, np.arange(size), 0))
    loaded = np.where(event[last] == SWITCH, trace.mm[order][last], -1)
    used = (event == TOUCH) & (trace.page[order] >= 0) & (loaded >= 0)
    return order[used], loaded[used]


def _first_outside(
    rows: npt.NDArray[np.int64],
    mms: npt.NDArray[np.int64],
    attached: dict[int, list[tuple[int, int]]],
) -> tuple[int, int] | None:
    """Earliest row whose mm has no span around it; rows are grouped by mm."""
    found: list[tuple[int, int]] = []
    groups = np.flatnonzero(np.diff(mms)) + 1
    for part, group in zip(np.split(rows, groups), np.split(mms, groups), strict=True):
        if not len(part):
            continue
        mm = int(group[0])
        inside = np.zeros(len(part), dtype=bool)
        for start, end in attached.get(mm, []):
            inside |= (part > start) & (part < end)
        if not inside.all():
            found.append((int(part[~inside].min()), mm))
    return min(found) if found else None
