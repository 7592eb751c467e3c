"""The result of a sweep: one row a (scenario, design, method, quantity), as Arrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mcost.spec.scenario import Scenario
from mcost.sweep.axes import KINDS, Value

__all__ = ["COLUMNS", "Rows", "parameter_column"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WORDS = ("design", "by", "hardware", "quantity")
"""Columns of words beside the scenario's: who answered, how, on what machine, and what."""

NUMBERS = ("mean_count", "sd_count", "error_count", "value_ns", "low_ns", "high_ns")
"""A count: mean and standard deviation of one operation, and the simulation's standard error
of the mean. A cost: value and 90 % interval. Null where it is not known."""

_UNITS = {"rate": "rate_per_s", "age": "age_s"}


def parameter_column(name: str) -> str:
    """Column of a scenario parameter, with its unit where it has one."""
    return _UNITS.get(name, name)


COLUMNS: tuple[str, ...] = (
    "scenario",
    *(parameter_column(name) for name in KINDS),
    *WORDS,
    *NUMBERS,
    "trials",
    "seed",
    "error",
)
"""All columns in order."""


class Rows:
    """Collects rows of one chunk of scenarios, in any order; :meth:`table` sorts them.

    Attributes:
        failed: scenarios that failed.
    """

    def __init__(self, first: int, scenarios: Sequence[Scenario | None]) -> None:
        """For the scenarios numbered from ``first``; None for those that are impossible."""
        self._first, self._scenarios = first, scenarios
        self._names: dict[str, dict[str, int]] = {name: {} for name in (*WORDS, "error")}
        self.failed = 0
        self._parts: list[dict[str, npt.NDArray[Any]]] = []

    def add(self, at: npt.ArrayLike, **columns: Any) -> None:
        """Adds one row for each place in ``at``.

        Args:
            at: scenarios, counted from the chunk's first.
            columns: words (one for all rows), numbers (one, or as many as rows; NaN for
                null), and ``error``.
        """
        place = np.atleast_1d(np.asarray(at, np.int32))
        part: dict[str, npt.NDArray[Any]] = {"at": place}
        for name, table in self._names.items():
            word = columns.get(name)
            code = -1 if word is None else table.setdefault(word, len(table))
            part[name] = np.full(len(place), code, np.int32)
        for name in NUMBERS:
            part[name] = np.broadcast_to(np.asarray(columns.get(name, np.nan)), place.shape)
        for name in ("trials", "seed"):
            part[name] = np.broadcast_to(np.asarray(columns.get(name, -1), np.int64), place.shape)
        self._parts.append(part)

    def fail(self, at: int, error: str) -> None:
        """Adds the only row of a scenario that failed."""
        self.add(at, error=" ".join(error.split()))
        self.failed += 1

    def table(self, fields: Sequence[dict[str, Value]]) -> pa.Table:
        """The rows, scenario by scenario.

        Args:
            fields: what was asked of each scenario, for those that are impossible.
        """
        whole = {
            name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]
        }
        order = np.argsort(whole["at"], kind="stable")
        at = whole["at"][order]
        arrays: dict[str, pa.Array] = {"scenario": pa.array(at.astype(np.int64) + self._first)}
        arrays |= self._parameters(at, fields)
        for name, table in self._names.items():
            arrays[name] = _words(whole[name][order], list(table))
        for name in NUMBERS:
            arrays[name] = pa.array(whole[name][order], from_pandas=True)
        for name in ("trials", "seed"):
            arrays[name] = pa.array(whole[name][order], mask=whole[name][order] < 0)
        return pa.table({name: arrays[name] for name in COLUMNS})

    def _parameters(self, at: Ints, fields: Sequence[dict[str, Value]]) -> dict[str, pa.Array]:
        shown = [
            asked if one is None else one.as_dict()
            for one, asked in zip(self._scenarios, fields, strict=True)
        ]
        arrays = {}
        for name, kind in KINDS.items():
            values = [row.get(name) for row in shown]
            if kind is str:
                column = pa.array(values, pa.string()).dictionary_encode().take(at)
            else:
                column = pa.array(values, pa.int64() if kind is int else pa.float64()).take(at)
            arrays[parameter_column(name)] = column
        return arrays


def _words(codes: npt.NDArray[np.int32], names: list[str]) -> pa.Array:
    """A column of words from codes, -1 for null."""
    indices = pa.array(codes, pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))
