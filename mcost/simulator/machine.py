"""The loop: events applied one after another, in trace order.

The rules are those of model.md section 5 and of this package's docstring. Compiled by
Numba; with NUMBA_DISABLE_JIT=1 it is plain Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.simulator.codes import DEFERRED, FLUSH_EVENTS, HOLDERS, IPI, NONE, Rules
from mcost.simulator.flush import flush_by_ipi, flush_mm
from mcost.simulator.masks import clear_bit, lowest, set_bit, without_lowest
from mcost.simulator.state import (
    ASID_SLOTS,
    CHANGE,
    DONE,
    IN_USE,
    LAZY,
    LOADED,
    NEXT_TRIM,
    ORDER,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    SECOND,
    SHARER,
    SHARERS,
    VERSION,
    Machine,
    reset,
)
from mcost.simulator.switch import switch
from mcost.simulator.tlb import touch
from mcost.simulator.told import Event
from mcost.simulator.unsent import defer, flush_by_broadcast, sweep
from mcost.traces.schema import ATTACH, DETACH, IDLE, INVALIDATE, SWITCH, TICK, TOUCH

__all__ = ["Events", "run"]

Ints = npt.NDArray[np.int64]


class Events(NamedTuple):
    """A trace as the loop reads it.

    Attributes:
        time: ns. cpu: CPU. event: code. mm: dense number or -1. kind: code.
        page: page id of a touch, page number of an invalidate. pages: of an invalidate.
        starts: first event of each independent run, and the number of events.
    """

    time: Ints
    cpu: npt.NDArray[np.int32]
    event: npt.NDArray[np.uint8]
    mm: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    page: Ints
    pages: Ints
    starts: Ints


@njit(cache=True, _nrt=False, nogil=True)
def run(m: Machine, r: Rules, cuts: Ints, events: Events, out: Ints) -> None:
    """Runs each part of the trace on a fresh machine and writes its counts to ``out``.

    Args:
        m: an allocated machine.
        r: design, kernel and geometry.
        pages: the pages of the trace.
        cuts: [kinds, 5] from ``codes.cuts``.
        events: the trace.
        out: [len(starts) - 1, counts].
    """
    for part in range(len(out)):
        reset(m)
        for at in range(events.starts[part], events.starts[part + 1]):
            _apply(m, r, cuts, events, at)
        for place in range(len(m.counts)):
            out[part, place] = m.counts[place]


@njit(cache=True, _nrt=False)
def _apply(m: Machine, r: Rules, cuts: Ints, events: Events, at: int) -> None:
    event = events.event[at]
    cpu = events.cpu[at]
    if event == TOUCH:
        if m.cpu[cpu, LOADED] >= 0 and not m.cpu[cpu, LAZY]:
            touch(m, r, cpu, events.page[at])
    elif event == SWITCH:
        sweep(m, r, cpu)
        switch(m, r, cpu, events.mm[at])
    elif event == IDLE:
        sweep(m, r, cpu)
        m.cpu[cpu, LAZY] = m.cpu[cpu, LOADED] >= 0
    elif event == INVALIDATE:
        _invalidate(m, r, cuts[events.kind[at]], events, at)
    elif event == ATTACH:
        _attach(m, r, events.mm[at], events.time[at])
    elif event == DETACH:
        _detach(m, r, cpu, events.mm[at], events.time[at])
    elif event == TICK:
        sweep(m, r, cpu)


@njit(cache=True, _nrt=False)
def _invalidate(m: Machine, r: Rules, cut: Ints, events: Events, at: int) -> None:
    """Raises the version of each page, then flushes once per flush event."""
    page, count = events.page[at], events.pages[at]
    first = np.searchsorted(m.number, page)
    end = np.searchsorted(m.number, page + count)
    if cut[4]:
        m.scalar[CHANGE] += 1
        m.page[first:end, VERSION] = m.scalar[CHANGE]
    if r.pair:
        _unlink(m, r, page, page + count)
    size, tables, each_page = cut[0], cut[2], cut[3]
    begin = page
    while size != 0 and begin < page + count:
        stop = page + count
        if size > 0:
            stop = min(stop, (begin // size + 1) * size if cut[1] else begin + size)
        bumps = stop - begin if each_page else 1
        low = first + np.searchsorted(m.number[first:end], begin)
        high = first + np.searchsorted(m.number[first:end], stop)
        freed = r.tables == 1
        wise = r.page_wise == 1 and (stop - begin <= r.limit or r.tracks == HOLDERS)
        e = Event(
            events.cpu[at], events.time[at], low, high, first, end, stop - begin,
            wise and not freed, freed, bumps,
        )  # fmt: skip
        _flush(m, r, e)
        begin = stop
    if tables:
        e = Event(
            events.cpu[at], events.time[at], first, end, first, end, count, False, True, 1
        )  # fmt: skip
        _flush(m, r, e)
    if cut[4] and r.delivery != DEFERRED:
        m.page[first:end, DONE] = m.scalar[CHANGE]


@njit(cache=True, _nrt=False)
def _flush(m: Machine, r: Rules, e: Event) -> None:
    """One flush event by the design's delivery."""
    m.counts[FLUSH_EVENTS] += 1
    if r.delivery == IPI:
        flush_by_ipi(m, r, e)
    elif r.delivery == DEFERRED:
        if defer(m, r, e):
            m.page[e.first : e.end, DONE] = m.scalar[CHANGE]
    elif r.delivery != NONE:
        flush_by_broadcast(m, r, e)


@njit(cache=True, _nrt=False)
def _unlink(m: Machine, r: Rules, page: int, stop: int) -> None:
    """classic: cuts every sharer's link to the share units that the pages touch."""
    low = np.searchsorted(m.units, page // r.unit)
    high = np.searchsorted(m.units, (stop - 1) // r.unit + 1)
    for at in range(m.scalar[SHARERS]):
        m.linked[m.mm[at, ORDER], low:high] = 0


@njit(cache=True, _nrt=False)
def _attach(m: Machine, r: Rules, mm: int, now: int) -> None:
    """A new sharer; nothing is flushed. Its first trimming flush is a second away."""
    m.mm[m.scalar[SHARERS], ORDER] = mm
    m.scalar[SHARERS] += 1
    m.mm[mm, SHARER] = 1
    m.mm[mm, NEXT_TRIM] = now + SECOND
    if r.pair:
        m.linked[mm, :] = 1
    if r.region:
        _mark_region(m, r, mm, True)


@njit(cache=True, _nrt=False)
def _detach(m: Machine, r: Rules, cpu: int, mm: int, now: int) -> None:
    """The sharer's own mm is flushed with tables freed, then it is a sharer no more."""
    m.counts[FLUSH_EVENTS] += 1
    flush_mm(m, r, mm, Event(cpu, now, 0, 0, 0, 0, 0, False, True, 1), 1)
    if r.region:
        _mark_region(m, r, mm, False)
    m.mm[mm, SHARER] = 0
    at = 0
    while m.mm[at, ORDER] != mm:
        at += 1
    m.scalar[SHARERS] -= 1
    for later in range(at, m.scalar[SHARERS]):
        m.mm[later, ORDER] = m.mm[later + 1, ORDER]


@njit(cache=True, _nrt=False)
def _mark_region(m: Machine, r: Rules, mm: int, on: bool) -> None:
    """CPUs that have the mm loaded enter the region's mask, up to date, or leave it."""
    for place in range(r.words):
        word = m.mask[mm, place]
        while word != 0:
            cpu = place * 64 + lowest(word)
            word = without_lowest(word)
            if m.cpu[cpu, LOADED] != mm:
                continue
            if on:
                set_bit(m.mask[REGION_MASK], cpu)
                m.slot[cpu * ASID_SLOTS + m.cpu[cpu, IN_USE], REGION_GEN] = m.scalar[REGION_NOW]
            else:
                clear_bit(m.mask[REGION_MASK], cpu)
