"""Every step that the world can take from a state."""

from __future__ import annotations

from numba import njit

from mcost.checks.safety.cpu import (
    at_home,
    begin_switch,
    freed,
    leave_for,
    read_generation,
    told,
)
from mcost.checks.safety.moves import (
    ATTACH,
    FAULT,
    GO_LAZY,
    HANDLE,
    LEAVE,
    LOADED,
    READ_GENERATION,
    RELINK,
    SWITCH,
    TICK,
    TOUCH,
    TRIM,
    Moves,
    add,
)
from mcost.checks.safety.operation import Steps, operation_moves, settle
from mcost.checks.safety.state import (
    ABSENT,
    DEAD,
    ENTRY,
    FIRST_OP,
    GEN_READ,
    LAZY,
    LINKED,
    LIVE,
    MAPPED,
    MASK,
    NOBODY,
    ONE,
    OP_BITS,
    OTHER,
    PC,
    PHASES,
    REGION_MASK,
    RUN,
    WAIT,
    WHERE,
    ZERO,
    Rules,
    bit,
    get,
    irqs_off,
    phase,
    put,
    sharer,
    where,
    with_bit,
    without_bit,
)

__all__ = ["all_moves", "stale", "usable"]


@njit(cache=True)
def all_moves(s: int, w: Rules, steps: Steps, out: Moves) -> int:
    """Writes every move out of ``s`` and returns their number; the order is fixed."""
    n = _touches(s, w, out, ZERO)
    code = where(s, ZERO)
    if irqs_off(code):
        n = _second_half(s, w, code, out, n)
        if w.hardware:
            n = _interrupts(s, w, steps, out, n)
    else:
        n = _interrupts(s, w, steps, out, n)
        if w.lazy_masks:
            n = _trims(s, w, code, out, n)
        if not at_home(s, ZERO):
            n = _switches(s, w, steps, out, n)
    for c in range(w.cpus):
        if not at_home(s, c):
            if c > 0:
                n = _other_switches(s, w, c, out, n)
            n = _faults(s, w, c, out, n)
    return operation_moves(s, w, steps, out, n)


@njit(cache=True)
def usable(s: int, w: Rules) -> bool:
    """Whether CPU 0 may use the followed translation now.

    A page's by running its sharer; a table's by speculation too, with a kernel thread on
    top or while it flushes for somebody. Inside a switch nothing is used: table pages wait
    for RCU then (KF 9.12).
    """
    code = where(s, ZERO)
    if sharer(code) != w.sharer or irqs_off(code):
        return False
    if w.tables and w.page == 1:
        return True
    return phase(code) == RUN and not at_home(s, ZERO)


@njit(cache=True)
def stale(s: int, w: Rules) -> bool:
    """Whether CPU 0 can now use a translation that was let go: the violation."""
    return get(s, ENTRY) == DEAD and usable(s, w)


@njit(cache=True)
def _touches(s: int, w: Rules, out: Moves, n: int) -> int:
    """CPU 0 caches the followed translation; a late sharer attaches."""
    if w.late and not bit(s, LINKED, w.sharer):
        n = add(out, n, with_bit(s, LINKED, w.sharer), ATTACH, NOBODY, w.sharer, NOBODY)
    elif get(s, ENTRY) == ABSENT and _reachable(s, w) and usable(s, w):
        n = add(out, n, put(s, ENTRY, LIVE), TOUCH, ZERO, w.page, NOBODY)
    return n


@njit(cache=True)
def _reachable(s: int, w: Rules) -> bool:
    """Whether a walk finds the page: it is mapped, and the sharer's tables lead there."""
    return bit(s, MAPPED, w.page) and bit(s, LINKED, w.sharer)


@njit(cache=True)
def _second_half(s: int, w: Rules, code: int, out: Moves, n: int) -> int:
    """The rest of switch_mm_irqs_off: tlb_gen is read, then CR3 and loaded_mm are written."""
    m = sharer(code)
    if phase(code) < GEN_READ:
        return add(out, n, read_generation(s, w, m), READ_GENERATION, ZERO, m, NOBODY)
    return add(out, n, put(s, WHERE, PHASES * m + RUN), LOADED, ZERO, m, NOBODY)


@njit(cache=True)
def _interrupts(s: int, w: Rules, steps: Steps, out: Moves, n: int) -> int:
    """Pending IPIs (or invalidations on their way), in any order; a tick if it has work."""
    recorded = False
    for i in range(w.overlap):
        o = FIRST_OP + i * OP_BITS
        if get(s, o + WAIT) == 0:
            continue
        if w.records and not freed(s, w, o):
            recorded = True
            continue
        at = get(s, o + PC) - 1
        t = put(told(s, w, o, steps[at, 1]), o + WAIT, ZERO)
        n = add(out, n, settle(t, w, steps, i), HANDLE, ZERO, i, NOBODY)
    if recorded:
        n = add(out, n, _sweep(s, w, steps), TICK, ZERO, NOBODY, NOBODY)
    return n


@njit(cache=True)
def _sweep(s: int, w: Rules, steps: Steps) -> int:
    """A tick or a switch carries out every record left for the CPU (LATR, KF 10.3)."""
    for i in range(w.overlap):
        o = FIRST_OP + i * OP_BITS
        if w.records and get(s, o + WAIT) and not freed(s, w, o):
            s = settle(put(told(s, w, o, NOBODY), o + WAIT, ZERO), w, steps, i)
    return s


@njit(cache=True)
def _trims(s: int, w: Rules, code: int, out: Moves, n: int) -> int:
    """A flush of something else may trim a bit at any time (lazy masks, KF 2.1)."""
    loaded = sharer(code)
    for m in range(REGION_MASK + 1):
        in_use = loaded == m or (m == REGION_MASK and loaded >= 0)
        if in_use and w.trim_lazy and phase(code) == LAZY:
            in_use = False
        if not in_use and bit(s, MASK, m):
            n = add(out, n, without_bit(s, MASK, m), TRIM, ZERO, m, NOBODY)
    return n


@njit(cache=True)
def _switches(s: int, w: Rules, steps: Steps, out: Moves, n: int) -> int:
    """CPU 0 to another mm, back from lazy, to a kernel thread; records are swept first."""
    code = where(s, ZERO)
    running = phase(code) == RUN
    s = _sweep(s, w, steps)
    for m in range(2):
        if not (running and sharer(code) == m):
            n = add(out, n, begin_switch(s, w, m), SWITCH, ZERO, m, NOBODY)
    if code != OTHER:
        n = add(out, n, leave_for(s, w, OTHER), LEAVE, ZERO, NOBODY, NOBODY)
    if running:
        lazy = put(s, WHERE, code + LAZY - RUN)
        n = add(out, n, lazy, GO_LAZY, ZERO, sharer(code), NOBODY)
    return n


@njit(cache=True)
def _other_switches(s: int, w: Rules, c: int, out: Moves, n: int) -> int:
    """Another CPU to another mm, in one step."""
    code = where(s, c)
    for m in range(1 + w.told_apart):
        if sharer(code) != m:
            t = put(s, WHERE + 4 * c, PHASES * m + RUN)
            n = add(out, n, t, SWITCH, c, m, NOBODY)
    if code != OTHER:
        n = add(out, n, put(s, WHERE + 4 * c, OTHER), LEAVE, c, NOBODY, NOBODY)
    return n


@njit(cache=True)
def _faults(s: int, w: Rules, c: int, out: Moves, n: int) -> int:
    """A running sharer finds a page unmapped, or the shared table unlinked (KF 6.2)."""
    code = where(s, c)
    m = sharer(code)
    if phase(code) != RUN:
        return n
    if not bit(s, LINKED, m):
        if w.pair_end > 0 and not _between(s, w):
            n = add(out, n, with_bit(s, LINKED, m), RELINK, c, m, NOBODY)
        return n
    for page in range(2):
        held = c == 0 and m == w.sharer and page == w.page and get(s, ENTRY) != ABSENT
        if not held and not bit(s, MAPPED, page):
            t = with_bit(s, MAPPED, page)
            t = with_bit(t, MAPPED, ONE) if w.tables else t
            n = add(out, n, t, FAULT, c, page, NOBODY)
    return n


@njit(cache=True)
def _between(s: int, w: Rules) -> bool:
    """Whether some start has not seen its end: faults in the range have to wait (KF 5.2)."""
    found = False
    for i in range(w.overlap):
        found |= 0 < get(s, FIRST_OP + i * OP_BITS + PC) <= w.pair_end + 1
    return found
