"""What a CPU does when it is told, and how telling is counted.

Source: flush_tlb_func, arch/x86/mm/tlb.c, Linux 6.12 and 6.15 (KF 1.4).
"""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from mcost.simulator.codes import (
    BYSTANDER_IPIS,
    CSDS,
    FULL_FLUSHES,
    GLOBAL_FLUSHES,
    ICR,
    IDLE_IPIS,
    IPIS,
    PAGE_FLUSHES,
    ROUNDS,
    SHARER_IPIS,
    USEFUL,
    Rules,
)
from mcost.simulator.masks import clear_bit
from mcost.simulator.state import ASID_SLOTS, Machine, Pages
from mcost.simulator.switch import switch
from mcost.simulator.tlb import drop_all, drop_pages, drop_slot

__all__ = ["Event", "act", "close_round", "interrupt"]


class Event(NamedTuple):
    """One flush event.

    Attributes:
        cpu: the initiator.
        now: time, ns.
        first, end: page ids of this event.
        op_first, op_end: page ids of the whole operation.
        pages: pages of the event (its hull).
        page_wise: page by page, that is within the ceiling and not freed.
        freed: page tables are freed, lazy CPUs too.
        bumps: generation increments of each sharer.
    """

    cpu: int
    now: int
    first: int
    end: int
    op_first: int
    op_end: int
    pages: int
    page_wise: bool
    freed: bool
    bumps: int


@njit(cache=True)
def interrupt(m: Machine, r: Rules, pages: Pages, cpu: int, mm: int, e: Event) -> None:
    """One IPI: counts what the receiver was doing, then lets it act."""
    loaded = m.loaded[cpu]
    if loaded < 0 or m.lazy[cpu]:
        m.counts[IDLE_IPIS] += 1
    elif m.sharer[loaded]:
        m.counts[SHARER_IPIS] += 1
    else:
        m.counts[BYSTANDER_IPIS] += 1
    if act(m, r, pages, cpu, mm, e):
        m.counts[USEFUL] += 1


@njit(cache=True)
def close_round(m: Machine, r: Rules, targets: int, clusters: int) -> None:
    """Counts one flush call that interrupted ``targets`` CPUs in ``clusters`` clusters."""
    if targets == 0:
        return
    m.counts[ROUNDS] += 1
    m.counts[IPIS] += targets
    m.counts[CSDS] += targets
    m.counts[ICR] += 1 if targets == r.cpus - 1 else clusters


@njit(cache=True)
def act(m: Machine, r: Rules, pages: Pages, cpu: int, mm: int, e: Event) -> bool:
    """What a told CPU does; ``mm`` is the flushed one or -1 when none is named.

    Returns:
        Whether an outdated translation of the operation's pages went.
    """
    if r.everything and mm < 0:
        m.counts[GLOBAL_FLUSHES] += 1
        return drop_all(m, r, cpu, e.op_first, e.op_end)
    loaded = m.loaded[cpu]
    if mm >= 0 and loaded != mm:
        if r.lazy_masks:
            clear_bit(m.mask[mm], cpu)
        return False
    by_region = r.region and mm < 0
    if by_region and (loaded < 0 or not m.sharer[loaded]):
        if r.lazy_masks:
            clear_bit(m.region, cpu)
        return False
    if loaded < 0:
        return False
    if m.lazy[cpu]:
        switch(m, r, cpu, -1)
        return False
    return _bring_up_to_date(m, r, pages, cpu, by_region, e)


@njit(cache=True)
def _bring_up_to_date(
    m: Machine, r: Rules, pages: Pages, cpu: int, by_region: bool, e: Event
) -> bool:
    """INVLPG each page if exactly one generation behind, else drop the slot in use."""
    slot = m.slot[cpu]
    at = cpu * ASID_SLOTS + slot
    mine = m.slot_region[at] if by_region else m.slot_gen[at]
    current = m.clock[1] if by_region else m.gen[m.loaded[cpu]]
    if mine == current:
        return False
    if by_region:
        m.slot_region[at] = current
    else:
        m.slot_gen[at] = current
    if e.page_wise and mine + 1 == current:
        m.counts[PAGE_FLUSHES] += e.pages
        return drop_pages(m, r, pages, cpu, slot, e.first, e.end)
    m.counts[FULL_FLUSHES] += 1
    return drop_slot(m, r, cpu, slot, e.op_first, e.op_end, True)
