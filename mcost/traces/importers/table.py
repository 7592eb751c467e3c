"""Rows of 64-bit integers that grow: 8 bytes a value and nothing else."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

__all__ = ["Table"]


class Table:
    """A growing table of int64 with named columns.

    Attributes:
        data: the values, row by row; ``data.extend`` adds a row, ``data[row * width + k]``
            is one of its values.
        width: number of columns.
    """

    def __init__(self, *columns: str) -> None:
        """Starts empty.

        Args:
            columns: names in the order of a row's values.
        """
        self._columns = columns
        self.width = len(columns)
        self.data = array("q")

    def __len__(self) -> int:
        return len(self.data) // self.width

    def columns(self) -> dict[str, npt.NDArray[np.int64]]:
        """Contiguous copies of the columns, by name."""
        rows = np.frombuffer(self.data, dtype=np.int64).reshape(-1, self.width)
        return {name: np.array(rows[:, at]) for at, name in enumerate(self._columns)}
