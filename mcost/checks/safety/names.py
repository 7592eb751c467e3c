"""States that differ in names only."""

from __future__ import annotations

from numba import njit

from mcost.checks.safety.state import (
    CUT,
    ENTRY,
    FIRST_OP,
    HOME,
    ONE,
    OP_BITS,
    WHERE,
    Rules,
    get,
    put,
)

__all__ = ["canonical"]


@njit(cache=True)
def canonical(s: int, w: Rules) -> int:
    """One name for states that differ in what CPUs 1 and 2 or the operations are called."""
    t = _other_order(s) if w.overlap == 2 else s
    if w.cpus == 3:
        return min(s, t, _other_cpus(s), _other_cpus(t))
    return min(s, t)


@njit(cache=True)
def _other_order(s: int) -> int:
    """The two operations in flight change names."""
    mask = (ONE << OP_BITS) - 1
    first, second = (s >> FIRST_OP) & mask, (s >> (FIRST_OP + OP_BITS)) & mask
    t = s & ((ONE << FIRST_OP) - 1)
    t |= second << FIRST_OP | first << (FIRST_OP + OP_BITS)
    entry = get(s, ENTRY)
    return put(t, ENTRY, CUT + CUT + 1 - entry) if CUT <= entry <= CUT + 1 else t


@njit(cache=True)
def _other_cpus(s: int) -> int:
    """CPUs 1 and 2, which are alike, change names."""
    one, two = get(s, WHERE + 4), get(s, WHERE + 8)
    s = put(put(s, WHERE + 4, two), WHERE + 8, one)
    for i in range(2):
        field = FIRST_OP + i * OP_BITS + HOME
        home = get(s, field)
        if home > 1:
            s = put(s, field, 5 - home)
    return s
