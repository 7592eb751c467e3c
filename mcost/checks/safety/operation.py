"""What operations do: the instructions of a program, one step each.

``i`` is the number of an operation in flight (0 or 1), ``o`` where its fields begin.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.checks.safety.cpu import BOTH, at_home, selected, told
from mcost.checks.safety.moves import BEGIN, EXECUTE, SEND, SKIP, Moves, add
from mcost.checks.safety.program import ALWAYS, NO_TABLES, REGION_MM, TABLES, Op
from mcost.checks.safety.state import (
    ABSENT,
    BEHIND,
    CUT,
    DEAD,
    ENTRY,
    FIRST_OP,
    HOME,
    LEFT,
    LINKED,
    LIVE,
    MAPPED,
    MASK,
    MISSED,
    NOBODY,
    ONE,
    OP_BITS,
    PAGES,
    PC,
    RANGE,
    RUN,
    SINCE,
    TODO,
    WAIT,
    ZERO,
    Rules,
    bit,
    constant,
    get,
    irqs_off,
    phase,
    put,
    sharer,
    where,
    without_bit,
)

__all__ = ["Steps", "operation_moves", "settle"]

Steps = npt.NDArray[np.int64]

MOST_BEHIND = constant(3)

CLEAR, BUMP, BUMP_LOADED, READ = int(Op.CLEAR), int(Op.BUMP), int(Op.BUMP_LOADED), int(Op.READ)
ALL, HOLDERS, LIST, NESTED = int(Op.ALL), int(Op.HOLDERS), int(Op.LIST), int(Op.NESTED)
BIND, SEND_ALL, LOCAL = int(Op.BIND), int(Op.SEND), int(Op.LOCAL)
BROADCAST, RECORD, WAIT_ALL = int(Op.BROADCAST), int(Op.RECORD), int(Op.WAIT)
UNBIND, UNLINK, FREE = int(Op.UNBIND), int(Op.UNLINK), int(Op.FREE)


@njit(cache=True)
def operation_moves(s: int, w: Rules, steps: Steps, out: Moves, n: int) -> int:
    """Next instructions of the operations in flight, and beginnings of another."""
    may_begin = get(s, LEFT) > 0
    for i in range(w.overlap):
        if get(s, FIRST_OP + i * OP_BITS + PC) > 0:
            n = _carry_on(s, w, steps, i, out, n)
        elif may_begin:
            n = _begin(s, w, steps, i, out, n)
            may_begin = False
    return n


@njit(cache=True)
def settle(s: int, w: Rules, steps: Steps, i: int) -> int:
    """Moves past what takes no step: what does not apply, waits that are over, the end."""
    o = FIRST_OP + i * OP_BITS
    at = get(s, o + PC) - 1
    if at < 0:
        return s
    while at < len(steps) and _passes(s, w, steps, at, o):
        if steps[at, 0] == UNBIND:
            s = put(s, o + HOME, ZERO)
        at += 1
    if at == len(steps):
        return s & ~(((1 << OP_BITS) - 1) << o)
    return put(s, o + PC, at + 1)


@njit(cache=True)
def _passes(s: int, w: Rules, steps: Steps, at: int, o: int) -> bool:
    op, mm = steps[at, 0], steps[at, 1]
    if not _applies(s, w, steps[at, 2], o):
        return True
    if op == SEND_ALL:
        return get(s, o + TODO) == 0 or get(s, o + HOME) == 1
    if op == LOCAL:
        return get(s, o + TODO) == 0 or get(s, o + HOME) != 1
    if op == WAIT_ALL:
        return get(s, o + WAIT) == 0
    if op in (BUMP, READ):
        return bool(mm == w.sharer and get(s, o + RANGE) == MISSED)
    return bool(op == UNBIND)


@njit(cache=True)
def _applies(s: int, w: Rules, when: int, o: int) -> bool:
    pages = get(s, o + PAGES)
    if when in (TABLES, NO_TABLES):
        return (w.tables == 1 and pages == BOTH) == (when == TABLES)
    return when == ALWAYS or (pages >> when) & 1 == 1


@njit(cache=True)
def _begin(s: int, w: Rules, steps: Steps, i: int, out: Moves, n: int) -> int:
    """A new operation on page 0, page 1 or both; its PTEs are present."""
    o = FIRST_OP + i * OP_BITS
    mapped = get(s, MAPPED)
    for pages in range(ONE, BOTH + 1):
        if mapped & pages == pages and (w.sets >> pages) & 1:
            t = put(put(put(s, LEFT, get(s, LEFT) - 1), o + PC, ONE), o + PAGES, pages)
            t = settle(t, w, steps, i)
            t = _next(_execute(t, w, steps, i), w, steps, i)
            n = add(out, n, t, BEGIN, NOBODY, i, pages)
    return n


@njit(cache=True)
def _carry_on(s: int, w: Rules, steps: Steps, i: int, out: Moves, n: int) -> int:
    o = FIRST_OP + i * OP_BITS
    at = get(s, o + PC) - 1
    op = steps[at, 0]
    home = get(s, o + HOME) - 1
    if op == BIND:
        for k in range(w.cpus):
            c = (k + 1) % w.cpus  # bystanders first: the easier story when both are as short
            if not irqs_off(where(s, c)) and not at_home(s, c):
                t = _next(put(s, o + HOME, c + 1), w, steps, i)
                n = add(out, n, t, EXECUTE, c, i, at)
    elif op == SEND_ALL:
        n = _send(s, w, steps, i, out, n)
    elif op != WAIT_ALL:
        t = _next(_execute(s, w, steps, i), w, steps, i)
        n = add(out, n, t, EXECUTE, home, i, at)
    return n


@njit(cache=True)
def _send(s: int, w: Rules, steps: Steps, i: int, out: Moves, n: int) -> int:
    """The sender looks at CPU 0 and interrupts it or not."""
    o = FIRST_OP + i * OP_BITS
    home, mm = get(s, o + HOME) - 1, steps[get(s, o + PC) - 1, 1]
    yes = selected(s, w, o, mm)
    t = put(put(s, o + TODO, ZERO), o + WAIT, ONE if yes else ZERO)
    return add(out, n, settle(t, w, steps, i), SEND if yes else SKIP, home, i, ZERO)


@njit(cache=True)
def _next(s: int, w: Rules, steps: Steps, i: int) -> int:
    pc = FIRST_OP + i * OP_BITS + PC
    return settle(put(s, pc, get(s, pc) + 1), w, steps, i)


@njit(cache=True)
def _execute(s: int, w: Rules, steps: Steps, i: int) -> int:
    o = FIRST_OP + i * OP_BITS
    at = get(s, o + PC) - 1
    op, mm, when = steps[at, 0], steps[at, 1], steps[at, 2]
    if op == CLEAR:
        return _clear(s, w, get(s, o + PAGES) if when == ALWAYS else 1 << when, i)
    if op == BUMP or (op == BUMP_LOADED and _loaded(s, w, mm)):
        return _bump(s, w, mm, i)
    if op in (LOCAL, BROADCAST, RECORD):
        return _tell(s, w, op, mm, o)
    if op == UNLINK:
        return without_bit(s, LINKED, mm)
    if op == FREE:
        return put(s, ENTRY, DEAD) if get(s, ENTRY) == CUT + i else s
    return _look(s, w, op, mm, i)


@njit(cache=True)
def _clear(s: int, w: Rules, pages: int, i: int) -> int:
    """PTEs go (or lose a permission); a translation of theirs is outdated from now on."""
    if not w.protect:
        s = put(s, MAPPED, get(s, MAPPED) & ~pages)
    outdated = get(s, ENTRY) == LIVE and (pages >> w.page) & 1
    return put(s, ENTRY, CUT + i) if outdated else s


@njit(cache=True)
def _bump(s: int, w: Rules, mm: int, i: int) -> int:
    """++tlb_gen: slots and earlier requests fall behind by one."""
    if mm not in (REGION_MM, w.sharer):
        return s
    s = put(s, BEHIND, min(get(s, BEHIND) + 1, MOST_BEHIND))
    if not w.page_wise:
        return s
    other = FIRST_OP + (1 - i) * OP_BITS
    s = put(s, FIRST_OP + i * OP_BITS + SINCE, ZERO)
    if get(s, other + PC) - 1 <= w.bump:
        return s
    return put(s, other + SINCE, min(get(s, other + SINCE) + 1, MOST_BEHIND))


@njit(cache=True)
def _loaded(s: int, w: Rules, mm: int) -> bool:
    """Whether some CPU has the sharer loaded."""
    found = False
    for c in range(w.cpus):
        found |= sharer(where(s, c)) == mm
    return found


@njit(cache=True)
def _look(s: int, w: Rules, op: int, mm: int, i: int) -> int:
    """Masks and lists are read, the range is settled; all else changes nothing."""
    o = FIRST_OP + i * OP_BITS
    if op == READ:
        return put(s, o + TODO, ONE) if bit(s, MASK, mm) else s
    if op == ALL:
        return put(s, o + TODO, ONE)
    if op == LIST:
        return s if bit(s, LINKED, w.sharer) else put(s, o + RANGE, MISSED)
    if op == NESTED:
        other = FIRST_OP + (1 - i) * OP_BITS
        return put(s, o + RANGE, w.nested) if get(s, other + PC) > 0 else s
    if op != HOLDERS or get(s, ENTRY) != CUT + i:
        return s
    code = where(s, ZERO)
    in_use = sharer(code) == w.sharer and phase(code) == RUN
    return put(s, o + TODO, ONE) if in_use else put(s, ENTRY, ABSENT)


@njit(cache=True)
def _tell(s: int, w: Rules, op: int, mm: int, o: int) -> int:
    """The initiator's own flush, a broadcast, or a record for CPU 0."""
    if op == BROADCAST:
        return put(s, o + WAIT, ONE)
    heard = get(s, o + TODO) == 1 and selected(s, w, o, mm)
    s = put(s, o + TODO, ZERO)
    if not heard:
        return s
    return told(s, w, o, mm) if op == LOCAL else put(s, o + WAIT, ONE)
