"""What a trace is: seven columns of equal length, checked once.

Columns (model.md section 5): ``time`` int64 ns, never decreasing; ``cpu``; ``event``;
``mm`` (-1 for none); ``page`` (>= 0 in the region, < 0 private to the loaded mm);
``pages``; ``kind``, the operation of an ``invalidate``. Columns an event does not use are
ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcost.spec.operations import OPERATIONS

__all__ = ["COLUMNS", "EVENTS", "KINDS", "USES", "Trace", "TraceError", "concatenate"]

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

COLUMNS: dict[str, type[np.integer[Any]]] = {
    "time": np.int64,
    "cpu": np.int32,
    "event": np.uint8,
    "mm": np.int64,
    "page": np.int64,
    "pages": np.int64,
    "kind": np.uint8,
}
"""Column names in file order, with the type each has in memory."""


USES: dict[str, tuple[int, ...]] = {
    "time": tuple(range(len(EVENTS))),
    "cpu": tuple(range(len(EVENTS))),
    "event": tuple(range(len(EVENTS))),
    "mm": (SWITCH, ATTACH, DETACH),
    "page": (TOUCH, INVALIDATE),
    "pages": (INVALIDATE,),
    "kind": (INVALIDATE,),
}
"""Which events use a column; the others' cells are ignored."""


class TraceError(ValueError):
    """A trace that cannot be believed: one sentence with file and row."""


@dataclass(frozen=True, eq=False)
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
        first = np.sort(np.unique(named, return_index=True)[1])
        return np.asarray(named[first], dtype=np.int64)

    @classmethod
    def build(cls, **columns: npt.ArrayLike) -> Trace:
        """A trace from columns of any integer type; missing ones are filled with 0.

        The rows are not checked, see :func:`mcost.traces.checks.check_trace`.

        Raises:
            TraceError: no ``time``, an unknown column, columns of different lengths, or a
                value that is not whole or does not fit the column's type.
        """
        if "time" not in columns:
            raise TraceError("a trace needs the column 'time'")
        unknown = sorted(set(columns) - set(COLUMNS))
        if unknown:
            known = ", ".join(COLUMNS)
            raise TraceError(f"unknown column {unknown[0]!r}; must be one of {known}")
        size = np.atleast_1d(np.asarray(columns["time"])).shape
        made: dict[str, Any] = {
            name: _exactly(name, columns.get(name, np.zeros(size, dtype=kind)), kind, size)
            for name, kind in COLUMNS.items()
        }
        return cls(**made)


def _exactly(
    name: str, given: npt.ArrayLike, kind: type[np.integer[Any]], shape: tuple[int, ...]
) -> npt.NDArray[np.integer[Any]]:
    values = np.atleast_1d(np.asarray(given))
    if len(shape) != 1 or values.shape != shape:
        raise TraceError(
            f"column {name!r} has shape {values.shape}, 'time' has {shape}; all columns must"
            " have one and the same length"
        )
    if values.dtype.kind not in "iufb":
        raise TraceError(f"column {name!r} holds {values.dtype}, must be whole numbers")
    with np.errstate(invalid="ignore"):
        column = np.ascontiguousarray(values, dtype=kind)
    wrong = column != values
    if wrong.any():
        at = int(np.argmax(wrong))
        limits = np.iinfo(column.dtype)
        raise TraceError(
            f"column {name!r} holds {values[at]} at place {at}; must be a whole number,"
            f" {limits.min} to {limits.max}"
        )
    return column


def concatenate(parts: list[Trace]) -> Trace:
    """The parts one after another; times are the caller's concern."""
    return Trace(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS})
