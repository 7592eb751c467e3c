"""Breadth-first search of everything reachable, compiled; and the shortest way to a violation.

An explicit-state engine such as SPIN would serve, but it is no Python package and would have
to be installed apart; bounded SMT queries show the absence of short counterexamples only. A
state here is one integer, so a set of states is one array and the search is this page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.checks.safety.moves import Moves, room
from mcost.checks.safety.names import canonical
from mcost.checks.safety.operation import Steps
from mcost.checks.safety.path import Walker, retrace
from mcost.checks.safety.plain.world import Step
from mcost.checks.safety.program import Program, as_array
from mcost.checks.safety.state import (
    ENTRY,
    FIRST_OP,
    LEFT,
    LIVE,
    OP_BITS,
    PAGES,
    PC,
    Rules,
    first_state,
    get,
)
from mcost.checks.safety.steps import all_moves, stale

__all__ = ["Found", "Store", "explore", "search"]

Ints = npt.NDArray[np.int64]

NO_STATE = -1
"""Marks a free place of a table; no state is negative."""

_SMALL = 1 << 14


class Store(NamedTuple):
    """States in the order they were found, and a table to find them in.

    Attributes:
        states: int64 [room].
        parent: int32 [room], from which each was found first, -1 for none.
        table: int64 [2 room], open addressing.
    """

    states: Ints
    parent: npt.NDArray[np.int32]
    table: Ints


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        states: distinct states, up to names of CPUs 1 and 2 and of operations.
        depth: steps from the start to the last of them.
        violations: states in which a translation that was let go can be used.
        path: steps to the first of those, a shortest one; None when there is none.
    """

    states: int
    depth: int
    violations: int
    path: tuple[Step, ...] | None


def search(w: Rules, program: Program, *, stop: bool = False) -> Found:
    """Explores everything reachable.

    Args:
        w: the rules; one sharer and page of CPU 0 is followed.
        program: the steps of an operation.
        stop: end at the first violation; ``states`` and ``depth`` then cover what was seen.
    """
    steps, out = as_array(program), room()
    with np.errstate(over="ignore"):  # the hash wraps; seen only with the JIT off
        store, found, violations, first, depth = explore(first_state(w), w, steps, out, stop)
    path = None if first < 0 else retrace(_way(store, first), Walker(w, steps, out))
    return Found(int(found), int(depth), int(violations), path)


@njit(cache=True)
def explore(
    start: int, w: Rules, steps: Steps, out: Moves, stop: bool
) -> tuple[Store, int, int, int, int]:
    """The store, states found, violations, the first violating state, the depth."""
    store = _enlarged(Store(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64)))
    _keep(store, canonical(start, w), NO_STATE, 0)
    found, at, violations, first, depth, level = 1, 0, 0, -1, 0, 1
    while at < found and not (stop and first >= 0):
        if at == level:
            depth, level = depth + 1, found
        s = store.states[at]
        if stale(s, w):
            violations += 1
            first = at if first < 0 else first
        n = 0 if _hopeless(s, w) else all_moves(s, w, steps, out)
        if found + n > len(store.states):
            store = _enlarged(store)
        for k in range(n):
            found += _keep(store, canonical(out.after[k], w), at, found)
        at += 1
    return store, found, violations, first, depth


@njit(cache=True)
def _enlarged(store: Store) -> Store:
    old = len(store.states)
    size = max(2 * old, _SMALL)
    states, parent = np.zeros(size, np.int64), np.zeros(size, np.int32)
    states[:old], parent[:old] = store.states, store.parent
    table = np.full(2 * size, NO_STATE, np.int64)
    for k in range(old):
        table[_place(table, states[k])] = states[k]
    return Store(states, parent, table)


@njit(cache=True)
def _place(table: Ints, s: int) -> int:
    """Where the state is, or would go."""
    mask = len(table) - 1
    h = s * -7046029254386353131
    at = (h ^ (h >> 32)) & mask
    while table[at] != s and table[at] != NO_STATE:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def _keep(store: Store, s: int, parent: int, found: int) -> int:
    """Stores a state; 1 when it is new."""
    at = _place(store.table, s)
    if store.table[at] == s:
        return 0
    store.table[at] = s
    store.states[found] = s
    store.parent[found] = parent
    return 1


@njit(cache=True)
def _hopeless(s: int, w: Rules) -> bool:
    """Nothing outdated is cached or will be: no violation can follow, so nothing is explored."""
    if get(s, ENTRY) > LIVE or get(s, LEFT) > 0:
        return False
    for i in range(w.overlap):
        o = FIRST_OP + i * OP_BITS
        if 0 < get(s, o + PC) <= w.last_clear + 1 and (get(s, o + PAGES) >> w.page) & 1:
            return False
    return True


def _way(store: Store, at: int) -> list[int]:
    """The states on the way from the start to one of them, without the start."""
    way = []
    while store.parent[at] >= 0:
        way.append(int(store.states[at]))
        at = int(store.parent[at])
    return way[::-1]
