"""From a row of states to a story: steps with names that stay the same from end to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from mcost.checks.safety.moves import ACTIONS, Moves, unlabel
from mcost.checks.safety.names import canonical
from mcost.checks.safety.operation import Steps
from mcost.checks.safety.plain.world import Step
from mcost.checks.safety.state import Rules, first_state
from mcost.checks.safety.steps import all_moves, stale

__all__ = ["Walker", "retrace"]

_OF_OPERATIONS = ("begin", "execute", "send", "skip")

Path = tuple[Step, ...]


class Walker(NamedTuple):
    """What it takes to walk through the world by hand.

    Attributes:
        rules, steps: of the world, as the search reads them.
        out: space for the moves of one state.
    """

    rules: Rules
    steps: Steps
    out: Moves

    def moves(self, s: int) -> list[tuple[Step, int]]:
        """The steps out of a state, in order, and where each leads."""
        moves = []
        for k in range(all_moves(s, self.rules, self.steps, self.out)):
            action, cpu, what, which = unlabel(int(self.out.label[k]))
            moves.append((Step(ACTIONS[action], cpu, what, which), int(self.out.after[k])))
        return moves

    def leads(self, path: Sequence[Step]) -> bool:
        """Whether the steps can be taken in this order and end in a violation."""
        s = first_state(self.rules)
        for step in path:
            moves = dict(self.moves(s))
            if step not in moves:
                return False
            s = moves[step]
        return bool(stale(s, self.rules))


def retrace(way: Sequence[int], walker: Walker) -> Path:
    """The steps through given states to a violation.

    Where the order does not matter, steps are moved so that the story changes hands less
    often; their number stays what it is.

    Args:
        way: canonical states, each one step after the one before, from the start's successor.
        walker: the world.
    """
    now, path = first_state(walker.rules), []
    for target in way:
        moves = walker.moves(now)
        step, now = next((step, s) for step, s in moves if canonical(s, walker.rules) == target)
        path.append(step)
    best, better = tuple(path), True
    while better:
        better = False
        for other in _rearranged(best):
            if _hands(other) < _hands(best) and walker.leads(other):
                best, better = other, True
                break
    return best


def _rearranged(path: Path) -> Iterator[Path]:
    """The path with one block of steps moved elsewhere, in every way."""
    for first, end, to in product(range(len(path) + 1), repeat=3):
        if first < end < to:
            yield (*path[:first], *path[end:to], *path[first:end], *path[to:])


def _hands(path: Sequence[Step]) -> int:
    """How often the story goes from one CPU or operation to another, up to CPU 0's last use."""
    actors = [
        ("operation", step.what) if step.action in _OF_OPERATIONS else ("CPU", step.cpu)
        for step in (*path, Step("use", 0))
    ]
    return sum(one != other for one, other in pairwise(actors))
