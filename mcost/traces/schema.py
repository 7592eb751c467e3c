"""What a trace is: seven columns of equal length, checked once.

Columns (model.md section 5): ``time`` int64 ns, never decreasing; ``cpu``; ``event``;
``mm`` (-1 for none); ``page`` (>= 0 in the region, < 0 private to the loaded mm);
``pages``; ``kind``, the operation of an ``invalidate``. Columns an event does not use are
ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.spec.operations import OPERATIONS

__all__ = ["COLUMNS", "EVENTS", "KINDS", "Trace", "TraceError", "concatenate"]

EVENTS: tuple[str, ...] = (
    "switch",
    "idle",
    "touch",
    "invalidate",
    "attach",
    "detach",
    "tick",
)
"""Event names; a trace stores the index."""

SWITCH, IDLE, TOUCH, INVALIDATE, ATTACH, DETACH, TICK = range(len(EVENTS))

KINDS: tuple[str, ...] = tuple(entry.name for entry in OPERATIONS)
"""Operation names of ``invalidate`` events; a trace stores the index."""

COLUMNS: dict[str, type[np.generic]] = {
    "time": np.int64,
    "cpu": np.int32,
    "event": np.uint8,
    "mm": np.int64,
    "page": np.int64,
    "pages": np.int64,
    "kind": np.uint8,
}
"""Column names in file order, with the type each has in memory."""


class TraceError(ValueError):
    """A trace that cannot be believed: one sentence with file and row."""


@dataclass(frozen=True)
class Trace:
    """Events in the order they happened, one array a column.

    Attributes:
        time: int64 [n], ns, never decreasing.
        cpu: int32 [n].
        event: uint8 [n], index into :data:`EVENTS`.
        mm: int64 [n], any number that names an mm, -1 for none.
        page: int64 [n].
        pages: int64 [n], of ``invalidate``.
        kind: uint8 [n], index into :data:`KINDS`, of ``invalidate``.
    """

    time: npt.NDArray[np.int64]
    cpu: npt.NDArray[np.int32]
    event: npt.NDArray[np.uint8]
    mm: npt.NDArray[np.int64]
    page: npt.NDArray[np.int64]
    pages: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """Number of events."""
        return len(self.time)

    @property
    def cpus(self) -> int:
        """Smallest machine the trace fits on: highest CPU number + 1, 0 when empty."""
        return int(self.cpu.max()) + 1 if len(self) else 0

    @property
    def sharers(self) -> npt.NDArray[np.int64]:
        """The mms that ``attach`` events name, in that order, each once."""
        named = self.mm[self.event == ATTACH]
        return named[np.sort(np.unique(named, return_index=True)[1])]

    @classmethod
    def build(cls, **columns: npt.ArrayLike) -> Trace:
        """A trace from columns of any integer type; missing ones are filled with 0."""
        size = len(np.atleast_1d(np.asarray(columns["time"])))
        return cls(
            **{
                name: np.ascontiguousarray(columns.get(name, np.zeros(size)), dtype=kind)
                for name, kind in COLUMNS.items()
            }
        )


def concatenate(parts: list[Trace]) -> Trace:
    """The parts one after another; times are the caller's concern."""
    return Trace(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS})
