"""One CPU's TLB: set-associative, LRU inside a set, tagged by ASID slot.

An entry costs once when it is filled and once when it is dropped: the ``used`` table says
which sets may hold entries of a slot, so a flush visits no others.
"""

from __future__ import annotations

from mcost.simulator.codes import DEFERRED_HITS, FAULTS, STALE, WALKS
from mcost.simulator.compiled import inner, int64
from mcost.simulator.masks import lowest, set_bit, test_bit
from mcost.simulator.state import (
    ASID_SLOTS,
    AT_ONCE,
    CUT_TABLE,
    DONE,
    EMPTY,
    FIRST_PLACE,
    HELD_STEP,
    HELD_TABLE,
    IN_USE,
    LINKED_TABLE,
    LOADED,
    MOST_PAGES,
    OP_END,
    OP_FIRST,
    PAIR,
    PLACE,
    SET_WORDS,
    SETS,
    TLB_TABLE,
    UNIT,
    UNITS,
    UNLINKS,
    USED_ROW,
    USED_TABLE,
    VERSION,
    WAYS,
    Memory,
    cpu_at,
    page_at,
)

__all__ = ["ALL_SLOTS", "drop_page", "drop_pages", "drop_slots", "holds", "touch"]

ALL_SLOTS = int64((1 << ASID_SLOTS) - 1)
_VERSION_BITS = (1 << 32) - 1


@inner
def touch(m: Memory, cpu: int, page: int) -> None:
    """Uses the translation of page id ``page`` in the slot in use, filling it if missing."""
    row = page_at(m, page)
    base = m[TLB_TABLE] + (cpu * m[SETS] + m[row + PLACE]) * m[WAYS]
    key = page * 8 + m[cpu_at(m, cpu) + IN_USE] + 1
    current = key << 32 | m[row + VERSION]
    if m[base] == current:
        return
    # Puts the entry in front and moves the others back by one, up to where it was. Empty
    # places are moved too: a loop that ends at the last one unless it hits is predicted well.
    at, end, moved = base, base + m[WAYS], current
    while at < end:
        entry = m[at]
        m[at] = moved
        moved = entry
        if entry >> 32 == key:
            break
        at += 1
    if moved >> 32 != key:
        _fill(m, cpu, page, row)
    elif moved != current:
        m[base] = moved
        m[STALE if moved & _VERSION_BITS < m[row + DONE] else DEFERRED_HITS] += 1


@inner
def _fill(m: Memory, cpu: int, page: int, page_row: int) -> None:
    """A walk; the first under an unlinked table faults and links it again (classic)."""
    m[WALKS] += 1
    place = m[page_row + PLACE]
    set_bit(m, _used_at(m, cpu, place >> 6) + m[cpu_at(m, cpu) + IN_USE], place & 63)
    if m[AT_ONCE]:
        set_bit(m, m[HELD_TABLE] + page * m[HELD_STEP], cpu)
    unit = m[page_row + UNIT]
    if not m[PAIR] or unit < 0:
        return
    linked = m[LINKED_TABLE] + m[cpu_at(m, cpu) + LOADED] * m[UNITS] + unit
    if m[linked] < m[m[CUT_TABLE] + unit]:
        m[linked] = m[UNLINKS]
        m[FAULTS] += 1


@inner
def _used_at(m: Memory, cpu: int, word: int) -> int:
    """Where the slots' words for 64 sets begin."""
    return m[USED_TABLE] + (cpu * m[SET_WORDS] + word) * USED_ROW


@inner
def drop_slots(m: Memory, cpu: int, slots: int) -> tuple[int, int]:
    """Drops all translations of some slots of one CPU.

    Args:
        m: the machine.
        cpu: whose.
        slots: set of slots, one bit each.

    Returns:
        Live translations dropped, and the slots from which an outdated one of the
        operation's pages went.
    """
    lost, useful = 0, 0
    for at in range(m[SET_WORDS]):
        row, word = _used_at(m, cpu, at), 0
        for slot in range(ASID_SLOTS):
            if slots >> slot & 1:
                word |= m[row + slot]
                m[row + slot] = 0
        while word != 0:
            place = at * 64 + lowest(word)
            word &= word - 1
            live, had = _thin(m, cpu, place, slots, FIRST_PLACE, MOST_PAGES)
            lost += live
            useful |= had
    return lost, useful


@inner
def drop_pages(m: Memory, cpu: int, slots: int, first: int, end: int) -> int:
    """INVLPG of page ids ``first`` to ``end`` in some slots.

    Returns:
        The slots from which an outdated translation of the operation's pages went.
    """
    useful = 0
    by_set = end - first > m[SETS]
    for step in range(m[SETS] if by_set else end - first):
        low = first if by_set else first + step
        high = end if by_set else low + 1
        place = step if by_set else m[page_at(m, low) + PLACE]
        row = _used_at(m, cpu, place >> 6)
        for slot in range(ASID_SLOTS):
            if slots >> slot & 1 and test_bit(m, row + slot, place & 63):
                useful |= _thin(m, cpu, place, slots, low, high)[1]
                break
    return useful


@inner
def holds(m: Memory, cpu: int, page: int) -> tuple[int, int]:
    """How many slots hold a page id, and whether (1 or 0) the slot in use does."""
    base = m[TLB_TABLE] + (cpu * m[SETS] + m[page_at(m, page) + PLACE]) * m[WAYS]
    key = page * 8 + m[cpu_at(m, cpu) + IN_USE] + 1
    slots, mine = 0, 0
    for at in range(base, base + m[WAYS]):
        slots += m[at] >> 35 == page and m[at] != EMPTY
        mine += m[at] >> 32 == key
    return slots, mine


@inner
def drop_page(m: Memory, cpu: int, page: int) -> bool:
    """INVLPG of a page id that the slot in use holds; whether its translation is outdated."""
    row = page_at(m, page)
    base = m[TLB_TABLE] + (cpu * m[SETS] + m[row + PLACE]) * m[WAYS]
    key = page * 8 + m[cpu_at(m, cpu) + IN_USE] + 1
    last, gone, kept = base + m[WAYS] - 1, 0, base
    for at in range(base, last + 1):
        entry = m[at]
        m[kept] = entry
        goes = entry >> 32 == key
        kept += not goes
        gone = entry if goes else gone
    m[last] = EMPTY
    return gone & _VERSION_BITS != m[row + VERSION]


@inner
def _thin(m: Memory, cpu: int, place: int, slots: int, low: int, high: int) -> tuple[int, int]:
    """Drops page ids ``low`` to ``high`` of some slots from one set; see :func:`drop_slots`."""
    live, useful = 0, 0
    base = m[TLB_TABLE] + (cpu * m[SETS] + place) * m[WAYS]
    kept = base
    for at in range(base, base + m[WAYS]):
        entry = m[at]
        if entry == EMPTY:
            break
        m[at] = EMPTY
        page, slot = entry >> 35, (entry >> 32 & 7) - 1
        if not (low <= page < high and slots >> slot & 1):
            m[kept] = entry
            kept += 1
        elif entry & _VERSION_BITS == m[page_at(m, page) + VERSION]:
            live += 1
        elif m[OP_FIRST] <= page < m[OP_END]:
            useful |= 1 << slot
    return live, useful
