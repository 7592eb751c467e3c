"""One CPU's TLB: set-associative, LRU inside a set, tagged by ASID slot.

A set's entries stand most recent first; a dropped entry leaves a hole that the next
insertion into the set closes, so the order of the others is kept.
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import DEFERRED_HITS, FAULTS, LOST, STALE, WALKS, Rules
from mcost.simulator.state import ASID_SLOTS, EMPTY, Machine, Pages

__all__ = ["drop_all", "drop_pages", "drop_slot", "forget_outdated", "touch"]


@njit(cache=True)
def touch(m: Machine, r: Rules, pages: Pages, cpu: int, page: int) -> None:
    """Uses the translation of page id ``page`` in the slot in use, filling it if missing."""
    slot = m.slot[cpu]
    wanted = page * 8 + slot
    base = (cpu * r.sets + pages.place[page]) * r.ways
    at = base
    end = base + r.ways
    while at < end and m.key[at] != wanted:
        at += 1
    if at < end:
        age = m.version[at]
        if age < m.page_version[page]:
            m.counts[STALE if age < m.page_done[page] else DEFERRED_HITS] += 1
    else:
        m.counts[WALKS] += 1
        age = m.page_version[page]
        at = _room(m, cpu, base, end)
        m.entries[cpu * ASID_SLOTS + slot] += 1
        if r.pair and pages.unit[page] >= 0:
            _relink(m, cpu, pages.unit[page])
    while at > base:
        m.key[at] = m.key[at - 1]
        m.version[at] = m.version[at - 1]
        at -= 1
    m.key[base] = wanted
    m.version[base] = age


@njit(cache=True)
def _room(m: Machine, cpu: int, base: int, end: int) -> int:
    """First hole of the set, or its last entry, evicted."""
    at = base
    while at < end and m.key[at] != EMPTY:
        at += 1
    if at == end:
        at -= 1
        m.entries[cpu * ASID_SLOTS + (m.key[at] & 7)] -= 1
    return at


@njit(cache=True)
def _relink(m: Machine, cpu: int, unit: int) -> None:
    """The first miss under an unlinked table faults and links it again (classic)."""
    mm = m.loaded[cpu]
    if m.linked[mm, unit] == 0:
        m.linked[mm, unit] = 1
        m.counts[FAULTS] += 1


@njit(cache=True)
def drop_slot(
    m: Machine, r: Rules, cpu: int, slot: int, first: int, end: int, lost: bool
) -> bool:
    """Drops all translations of one slot.

    Args:
        m, r: machine and rules.
        cpu, slot: whose.
        first, end: page ids of the operation.
        lost: whether live ones count as lost (not at a context switch).

    Returns:
        Whether an outdated translation of the operation's pages went.
    """
    left = m.entries[cpu * ASID_SLOTS + slot]
    m.entries[cpu * ASID_SLOTS + slot] = 0
    useful = False
    at = cpu * r.sets * r.ways
    while left > 0:
        key = m.key[at]
        if key != EMPTY and (key & 7) == slot:
            left -= 1
            useful |= _gone(m, at, first, end, lost)
        at += 1
    return useful


@njit(cache=True)
def _gone(m: Machine, at: int, first: int, end: int, lost: bool) -> bool:
    """Removes one entry; True when it was an outdated one of the operation's pages."""
    page = m.key[at] >> 3
    m.key[at] = EMPTY
    if m.version[at] < m.page_version[page]:
        return first <= page < end
    if lost:
        m.counts[LOST] += 1
    return False


@njit(cache=True)
def drop_all(m: Machine, r: Rules, cpu: int, first: int, end: int) -> bool:
    """Drops the whole TLB; returns as :func:`drop_slot`."""
    useful = False
    for slot in range(ASID_SLOTS):
        useful |= drop_slot(m, r, cpu, slot, first, end, True)
    return useful


@njit(cache=True)
def drop_pages(
    m: Machine, r: Rules, pages: Pages, cpu: int, slot: int, first: int, end: int
) -> bool:
    """INVLPG of page ids ``first`` to ``end`` in one slot; True when something went."""
    found = False
    if m.entries[cpu * ASID_SLOTS + slot] == 0:
        return False
    for page in range(first, end):
        base = (cpu * r.sets + pages.place[page]) * r.ways
        for at in range(base, base + r.ways):
            if m.key[at] == page * 8 + slot:
                found |= m.version[at] < m.page_version[page]
                m.key[at] = EMPTY
                m.entries[cpu * ASID_SLOTS + slot] -= 1
    return found


@njit(cache=True)
def forget_outdated(m: Machine, r: Rules, pages: Pages, cpu: int, first: int, end: int) -> bool:
    """Removes outdated translations of the pages from all slots; True if the slot in use had one."""
    used = False
    for slot in range(ASID_SLOTS):
        had = drop_pages(m, r, pages, cpu, slot, first, end)
        used |= had and slot == m.slot[cpu]
    return used
