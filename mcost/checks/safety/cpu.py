"""What the followed CPU does: switch, go lazy, take an interrupt.

Kernel facts: switch_mm_irqs_off and enter_lazy_tlb (KF 2.1), should_flush_tlb (KF 1.3),
flush_tlb_func (KF 1.4), all arch/x86/mm/tlb.c, Linux 6.12 and the lazy-mask commits.
``o`` is where an operation's fields begin, ``m`` a sharer (-1 none, 2 the region).
"""

from __future__ import annotations

from numba import njit

from mcost.checks.safety.state import (
    ABSENT,
    BACK,
    BEHIND,
    BIT_SET,
    EMPTY,
    ENTRY,
    FIRST_OP,
    FULL,
    GEN_READ,
    HOME,
    LAZY,
    MASK,
    OP_BITS,
    OTHER,
    PAGES,
    PHASES,
    RANGE,
    REGION_MASK,
    RUN,
    SINCE,
    WHERE,
    ZERO,
    Rules,
    bit,
    constant,
    get,
    phase,
    put,
    sharer,
    where,
    with_bit,
    without_bit,
)

__all__ = ["at_home", "begin_switch", "freed", "leave_for", "read_generation", "selected", "told"]

EVERYTHING, ADDRESS, ASID, ORACLE, NAMED_MM, LOADED_MM, REGION = range(7)
"""What a told CPU drops: all its slots; the address in all slots; in one mm's slot; just the
outdated translation; or, as flush_tlb_func does, it brings its loaded mm up to date if that
is the named one, whichever it is, or if it is a sharer."""

EVERYONE, NAMED, ANY, SHARERS = range(4)
"""Who in the mask is interrupted: all; those with the named mm loaded; whatever is loaded;
those with a sharer loaded. The last three leave lazy CPUs out."""

BOTH = constant(3)
"""Pages of an operation on both pages: above the ceiling of this small world."""


@njit(cache=True)
def at_home(s: int, c: int) -> bool:
    """Whether CPU c is inside a flush of its own, preemption off (get_cpu)."""
    return get(s, FIRST_OP + HOME) == c + 1 or get(s, FIRST_OP + OP_BITS + HOME) == c + 1


@njit(cache=True)
def freed(s: int, w: Rules, o: int) -> bool:
    """Whether a flush goes as for freed page tables: always, by what it frees, or nested."""
    if w.all_tables or get(s, o + RANGE) == FULL:
        return True
    return w.tables == 1 and get(s, o + PAGES) == BOTH


@njit(cache=True)
def selected(s: int, w: Rules, o: int, m: int) -> bool:
    """should_flush_tlb at the moment of sending (KF 1.3; SWITCHING since M34)."""
    everyone = freed(s, w, o)
    if w.filter == EVERYONE or (everyone and not w.skip_lazy):
        return True
    code = where(s, ZERO)
    if phase(code) == LAZY:
        return False
    if w.filter == ANY or everyone:
        return True
    if phase(code) >= BIT_SET:
        return not w.no_switching
    return sharer(code) == m if w.filter == NAMED else sharer(code) >= 0


@njit(cache=True)
def told(s: int, w: Rules, o: int, m: int) -> int:
    """CPU 0 carries out the flush of operation o."""
    if w.told >= NAMED_MM:
        return _flush_func(s, w, o, m)
    if w.told == ORACLE:
        goes = bit(s, o + PAGES, w.page)
    elif w.told == EVERYTHING:
        goes = True
    else:
        goes = (w.told == ADDRESS or m == w.sharer) and _in_range(s, w, o)
    return put(s, ENTRY, ABSENT) if goes else s


@njit(cache=True)
def _in_range(s: int, w: Rules, o: int) -> bool:
    """Whether the range that was handed over holds the followed translation's address."""
    given = get(s, o + RANGE)
    if given in (EMPTY, FULL):
        return given == FULL
    pages = get(s, o + PAGES)
    return pages == BOTH or (pages >> (w.page + w.shift)) & 1 == 1


@njit(cache=True)
def _flush_func(s: int, w: Rules, o: int, m: int) -> int:
    """flush_tlb_func, steps 2 to 4: another mm, nothing loaded, lazy (KF 1.4)."""
    code = where(s, ZERO)
    loaded = sharer(code)
    if w.told == NAMED_MM and loaded != m:
        return without_bit(s, MASK, m) if w.lazy_masks else s
    if loaded < 0:
        return without_bit(s, MASK, REGION_MASK) if w.lazy_masks and w.told == REGION else s
    if phase(code) == LAZY:
        return leave_for(s, w, OTHER)
    return _catch_up(s, w, o) if loaded == w.sharer else s


@njit(cache=True)
def _catch_up(s: int, w: Rules, o: int) -> int:
    """flush_tlb_func, steps 5 to 8: superseded, current, page by page, or the slot (KF 1.4)."""
    behind = get(s, BEHIND)
    if not w.blind:
        if w.page_wise and not w.ageless and get(s, o + SINCE) >= behind:
            return s
        if behind == 0:
            return s
    small = get(s, o + RANGE) == EMPTY or get(s, o + PAGES) != BOTH
    by_page = w.page_wise and small and behind == 1
    if not by_page or _in_range(s, w, o):
        s = put(s, ENTRY, ABSENT)
    return put(s, BEHIND, ZERO)


@njit(cache=True)
def leave_for(s: int, w: Rules, code: int) -> int:
    """CPU 0 stops using what it has loaded; eager masks lose its bit (KF 2.1)."""
    loaded = sharer(where(s, ZERO))
    if loaded >= 0 and not w.lazy_masks:
        if w.mm_masks:
            s = without_bit(s, MASK, loaded)
        if w.region_mask and sharer(code) < 0:
            s = without_bit(s, MASK, REGION_MASK)
    return put(s, WHERE, code)


@njit(cache=True)
def begin_switch(s: int, w: Rules, m: int) -> int:
    """switch_mm_irqs_off: LOADED_MM_SWITCHING and mask bits; tlb_gen is read only after that.

    Coming back to the mm that a lazy CPU still has loaded leaves the mask alone.
    """
    if sharer(where(s, ZERO)) == m:
        return put(s, WHERE, PHASES * m + BACK)
    s = leave_for(s, w, PHASES * m + BIT_SET)
    if w.mm_masks:
        s = with_bit(s, MASK, m)
    return with_bit(s, MASK, REGION_MASK) if w.region_mask else s


@njit(cache=True)
def read_generation(s: int, w: Rules, m: int) -> int:
    """tlb_gen of m is read, and the slot dropped if it is behind (KF 2.2).

    A switch goes on to CR3 and loaded_mm; a CPU that was lazy has both already.
    """
    back = phase(where(s, ZERO)) == BACK
    s = put(s, WHERE, PHASES * m + (RUN if back else GEN_READ))
    if m != w.sharer or get(s, BEHIND) == 0 or w.blind:
        return s
    return put(put(s, ENTRY, ABSENT), BEHIND, ZERO)
