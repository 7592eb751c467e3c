"""One CPU's TLB: set-associative, LRU inside a set, tagged by ASID slot.

A set's entries stand most recent first; a dropped entry leaves a hole that the next
insertion into the set closes, so the order of the others is kept.
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import DEFERRED_HITS, FAULTS, LOST, STALE, WALKS, Rules
from mcost.simulator.state import (
    AGE,
    ASID_SLOTS,
    DONE,
    EMPTY,
    ENTRIES,
    IN_USE,
    KEY,
    LOADED,
    PLACE,
    UNIT,
    VERSION,
    Machine,
)

__all__ = ["drop_all", "drop_pages", "drop_slot", "forget_outdated", "touch"]


@njit(cache=True, _nrt=False)
def touch(m: Machine, r: Rules, cpu: int, page: int) -> None:
    """Uses the translation of page id ``page`` in the slot in use, filling it if missing."""
    slot = m.cpu[cpu, IN_USE]
    wanted = page * 8 + slot
    base = (cpu * r.sets + m.page[page, PLACE]) * r.ways
    at = base
    end = base + r.ways
    while at < end and m.tlb[at, KEY] != wanted:
        at += 1
    if at < end:
        age = m.tlb[at, AGE]
        if age < m.page[page, VERSION]:
            m.counts[STALE if age < m.page[page, DONE] else DEFERRED_HITS] += 1
    else:
        m.counts[WALKS] += 1
        age = m.page[page, VERSION]
        at = _room(m, cpu, base, end)
        m.slot[cpu * ASID_SLOTS + slot, ENTRIES] += 1
        if r.pair and m.page[page, UNIT] >= 0:
            _relink(m, cpu, m.page[page, UNIT])
    while at > base:
        m.tlb[at, KEY] = m.tlb[at - 1, KEY]
        m.tlb[at, AGE] = m.tlb[at - 1, AGE]
        at -= 1
    m.tlb[base, KEY] = wanted
    m.tlb[base, AGE] = age


@njit(cache=True, _nrt=False)
def _room(m: Machine, cpu: int, base: int, end: int) -> int:
    """First hole of the set, or its last entry, evicted."""
    at = base
    while at < end and m.tlb[at, KEY] != EMPTY:
        at += 1
    if at == end:
        at -= 1
        m.slot[cpu * ASID_SLOTS + (m.tlb[at, KEY] & 7), ENTRIES] -= 1
    return at


@njit(cache=True, _nrt=False)
def _relink(m: Machine, cpu: int, unit: int) -> None:
    """The first miss under an unlinked table faults and links it again (classic)."""
    mm = m.cpu[cpu, LOADED]
    if m.linked[mm, unit] == 0:
        m.linked[mm, unit] = 1
        m.counts[FAULTS] += 1


@njit(cache=True, _nrt=False)
def drop_slot(m: Machine, r: Rules, cpu: int, slot: int, first: int, end: int, lost: bool) -> bool:
    """Drops all translations of one slot.

    Args:
        m, r: machine and rules.
        cpu, slot: whose.
        first, end: page ids of the operation.
        lost: whether live ones count as lost (not at a context switch).

    Returns:
        Whether an outdated translation of the operation's pages went.
    """
    left = m.slot[cpu * ASID_SLOTS + slot, ENTRIES]
    m.slot[cpu * ASID_SLOTS + slot, ENTRIES] = 0
    useful = False
    at = cpu * r.sets * r.ways
    while left > 0:
        key = m.tlb[at, KEY]
        if key != EMPTY and (key & 7) == slot:
            left -= 1
            useful |= _gone(m, at, first, end, lost)
        at += 1
    return useful


@njit(cache=True, _nrt=False)
def _gone(m: Machine, at: int, first: int, end: int, lost: bool) -> bool:
    """Removes one entry; True when it was an outdated one of the operation's pages."""
    page = m.tlb[at, KEY] >> 3
    m.tlb[at, KEY] = EMPTY
    if m.tlb[at, AGE] < m.page[page, VERSION]:
        return first <= page < end
    if lost:
        m.counts[LOST] += 1
    return False


@njit(cache=True, _nrt=False)
def drop_all(m: Machine, r: Rules, cpu: int, first: int, end: int) -> bool:
    """Drops the whole TLB; returns as :func:`drop_slot`."""
    useful = False
    for slot in range(ASID_SLOTS):
        useful |= drop_slot(m, r, cpu, slot, first, end, True)
    return useful


@njit(cache=True, _nrt=False)
def drop_pages(m: Machine, r: Rules, cpu: int, slot: int, first: int, end: int) -> bool:
    """INVLPG of page ids ``first`` to ``end`` in one slot; True when something went."""
    found = False
    if m.slot[cpu * ASID_SLOTS + slot, ENTRIES] == 0:
        return False
    for page in range(first, end):
        base = (cpu * r.sets + m.page[page, PLACE]) * r.ways
        for at in range(base, base + r.ways):
            if m.tlb[at, KEY] == page * 8 + slot:
                found |= m.tlb[at, AGE] < m.page[page, VERSION]
                m.tlb[at, KEY] = EMPTY
                m.slot[cpu * ASID_SLOTS + slot, ENTRIES] -= 1
    return found


@njit(cache=True, _nrt=False)
def forget_outdated(m: Machine, r: Rules, cpu: int, first: int, end: int) -> bool:
    """Drops outdated translations of the pages everywhere; True if the slot in use had one."""
    used = False
    for slot in range(ASID_SLOTS):
        had = drop_pages(m, r, cpu, slot, first, end)
        used |= had and slot == m.cpu[cpu, IN_USE]
    return used
