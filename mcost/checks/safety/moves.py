"""Moves: where a step leads, and what it is, in one integer each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.checks.safety.state import constant

__all__ = ["ACTIONS", "Moves", "add", "room", "unlabel"]

ACTIONS = (
    "switch", "read-generation", "loaded", "leave", "lazy", "touch", "fault", "relink", "tick",
    "trim", "handle", "attach", "begin", "execute", "send", "skip",
)  # fmt: skip
(
    SWITCH, READ_GENERATION, LOADED, LEAVE, GO_LAZY, TOUCH, FAULT, RELINK, TICK, TRIM, HANDLE,
    ATTACH, BEGIN, EXECUTE, SEND, SKIP,
) = (constant(code) for code in range(len(ACTIONS)))  # fmt: skip

MOST = 96
"""More moves than any state has."""


class Moves(NamedTuple):
    """The moves out of one state.

    Attributes:
        after: int64 [MOST], the state each leads to.
        label: int64 [MOST], what each is, see :func:`unlabel`.
    """

    after: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]


def room() -> Moves:
    """Space for the moves of one state."""
    return Moves(np.zeros(MOST, dtype=np.int64), np.zeros(MOST, dtype=np.int64))


@njit(cache=True)
def add(out: Moves, n: int, s: int, action: int, cpu: int, what: int, which: int) -> int:
    """Writes move ``n``, which leads to ``s``; returns ``n + 1``."""
    out.after[n] = s
    out.label[n] = action | (cpu + 1) << 8 | (what + 1) << 16 | (which + 1) << 24
    return n + 1


def unlabel(label: int) -> tuple[int, int, int, int]:
    """Action, CPU, what it is about (sharer, page or operation), instruction, pages or target.

    -1 stands for none.
    """
    return label & 255, (label >> 8 & 255) - 1, (label >> 16 & 255) - 1, (label >> 24 & 255) - 1
