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
from mcost.simulator.state import (
    ASID_SLOTS,
    GEN,
    IN_USE,
    LAZY,
    LOADED,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    SHARER,
    TLB_GEN,
    Machine,
)
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


@njit(cache=True, _nrt=False)
def interrupt(m: Machine, r: Rules, cpu: int, mm: int, e: Event) -> None:
    """One IPI: counts what the receiver was doing, then lets it act."""
    loaded = m.cpu[cpu, LOADED]
    if loaded < 0 or m.cpu[cpu, LAZY]:
        m.counts[IDLE_IPIS] += 1
    elif m.mm[loaded, SHARER]:
        m.counts[SHARER_IPIS] += 1
    else:
        m.counts[BYSTANDER_IPIS] += 1
    if act(m, r, cpu, mm, e):
        m.counts[USEFUL] += 1


@njit(cache=True, _nrt=False)
def close_round(m: Machine, r: Rules, targets: int, clusters: int) -> None:
    """Counts one flush call that interrupted ``targets`` CPUs in ``clusters`` clusters."""
    if targets == 0:
        return
    m.counts[ROUNDS] += 1
    m.counts[IPIS] += targets
    m.counts[CSDS] += targets
    m.counts[ICR] += 1 if targets == r.cpus - 1 else clusters


@njit(cache=True, _nrt=False)
def act(m: Machine, r: Rules, cpu: int, mm: int, e: Event) -> bool:
    """What a told CPU does; ``mm`` is the flushed one or -1 when none is named.

    Returns:
        Whether an outdated translation of the operation's pages went.
    """
    if r.everything and mm < 0:
        m.counts[GLOBAL_FLUSHES] += 1
        return drop_all(m, r, cpu, e.op_first, e.op_end)
    loaded = m.cpu[cpu, LOADED]
    if mm >= 0 and loaded != mm:
        if r.lazy_masks:
            clear_bit(m.mask[mm], cpu)
        return False
    by_region = r.region and mm < 0
    if by_region and (loaded < 0 or not m.mm[loaded, SHARER]):
        if r.lazy_masks:
            clear_bit(m.mask[REGION_MASK], cpu)
        return False
    if loaded < 0:
        return False
    if m.cpu[cpu, LAZY]:
        switch(m, r, cpu, -1)
        return False
    return _bring_up_to_date(m, r, cpu, by_region, e)


@njit(cache=True, _nrt=False)
def _bring_up_to_date(m: Machine, r: Rules, cpu: int, by_region: bool, e: Event) -> bool:
    """INVLPG each page if exactly one generation behind, else drop the slot in use."""
    slot = m.cpu[cpu, IN_USE]
    at = cpu * ASID_SLOTS + slot
    mine = m.slot[at, REGION_GEN] if by_region else m.slot[at, GEN]
    current = m.scalar[REGION_NOW] if by_region else m.mm[m.cpu[cpu, LOADED], TLB_GEN]
    if mine == current:
        return False
    if by_region:
        m.slot[at, REGION_GEN] = current
    else:
        m.slot[at, GEN] = current
    if e.page_wise and mine + 1 == current:
        m.counts[PAGE_FLUSHES] += e.pages
        return drop_pages(m, r, cpu, slot, e.first, e.end)
    m.counts[FULL_FLUSHES] += 1
    return drop_slot(m, r, cpu, slot, e.op_first, e.op_end, True)
