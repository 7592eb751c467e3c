"""An operation on pages: versions first, then its flush events by the design's delivery."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcost.simulator.codes import DEFERRED, FLUSH_EVENTS, HOLDERS, IPI, NONE
from mcost.simulator.compiled import inner
from mcost.simulator.flush import flush_by_ipi
from mcost.simulator.state import (
    BY_PAGE,
    CHANGE,
    CUT_TABLE,
    DELIVERY,
    DONE,
    END,
    FIRST,
    FIRST_PLACE,
    FREED,
    FREES_TABLES,
    HULL,
    INITIATOR,
    LIMIT,
    NOW,
    NUMBER_TABLE,
    OP_END,
    OP_FIRST,
    PAGE_WISE,
    PAIR,
    STEPS,
    TRACKS,
    UNIT_PAGES,
    UNIT_TABLE,
    UNITS,
    UNLINKS,
    VERSION,
    Memory,
    page_at,
)
from mcost.simulator.unsent import defer, flush_by_broadcast

__all__ = ["invalidate"]

Ints = npt.NDArray[np.int64]


@inner
def invalidate(m: Memory, cuts: Ints, changes: Ints, row: int, cpu: int, now: int) -> None:
    """Raises the version of each page, then flushes once per flush event."""
    begin, stop = changes[row, 0], changes[row, 0] + changes[row, 1]
    kind, first, end = changes[row, 2], changes[row, 3], changes[row, 4]
    size, tables, each_page, outdates = (
        cuts[kind, 0], cuts[kind, 2], cuts[kind, 3], cuts[kind, 4],
    )  # fmt: skip
    m[INITIATOR], m[NOW], m[OP_FIRST], m[OP_END] = cpu, now, first, end
    if outdates:
        m[CHANGE] += 1
        for page in range(first, end):
            m[page_at(m, page) + VERSION] = m[CHANGE]
    if m[PAIR]:
        _unlink(m, begin, stop)
    m[END] = first
    while size and begin < stop:
        after = stop
        if size > 0:
            after = min(stop, begin + size - (begin % size if cuts[kind, 1] else 0))
        m[FIRST] = m[END]
        m[END] = end if after == stop else _first_at(m, m[NUMBER_TABLE], after, m[END], end)
        m[HULL] = after - begin
        m[FREED] = m[FREES_TABLES]
        m[STEPS] = after - begin if each_page else 1
        _flush(m)
        begin = after
    if tables:
        m[FIRST], m[END], m[HULL], m[FREED], m[STEPS] = first, end, stop - changes[row, 0], 1, 1
        _flush(m)
    if outdates and m[DELIVERY] != DEFERRED:
        _complete(m, first, end)


@inner
def _complete(m: Memory, first: int, end: int) -> None:
    """Whoever hits an old translation of these pages from now on hits a stale one."""
    for page in range(first, end):
        m[page_at(m, page) + DONE] = m[CHANGE]


@inner
def _flush(m: Memory) -> None:
    """One flush event by the design's delivery."""
    fine = m[HULL] <= m[LIMIT] or m[TRACKS] == HOLDERS
    m[BY_PAGE] = m[PAGE_WISE] == 1 and m[FREED] == 0 and fine
    m[FLUSH_EVENTS] += 1
    if m[DELIVERY] == IPI:
        flush_by_ipi(m)
    elif m[DELIVERY] == DEFERRED:
        if defer(m):
            _complete(m, m[FIRST], m[END])
    elif m[DELIVERY] != NONE:
        flush_by_broadcast(m)


@inner
def _unlink(m: Memory, page: int, stop: int) -> None:
    """classic: cuts every sharer's link to the share units that the pages touch."""
    m[UNLINKS] += 1
    units, span = m[UNIT_TABLE], m[UNIT_PAGES]
    unit = _first_at(m, units, page // span, FIRST_PLACE, m[UNITS])
    while unit < m[UNITS] and m[units + unit] * span < stop:
        m[m[CUT_TABLE] + unit] = m[UNLINKS]
        unit += 1


@inner
def _first_at(m: Memory, table: int, wanted: int, low: int, high: int) -> int:
    """First place from ``low`` to ``high`` whose number in the table is not below ``wanted``."""
    while low < high:
        middle = (low + high) >> 1
        if m[table + middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
