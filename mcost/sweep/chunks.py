"""How a sweep falls into chunks: by its question alone, so that any run makes the same files."""

from __future__ import annotations

from typing import Any

from mcost.spec.scenario import Scenario
from mcost.sweep.grid import Grid
from mcost.sweep.sizes import events_of
from mcost.sweep.task import Task, canonical, this_version

__all__ = ["BYTES_PER_ROW", "Chunks"]

_ROWS = 200_000
_CELLS = 20_000
_EVENTS = 2_000_000
_SAMPLE = 64

BYTES_PER_ROW = 12
"""Size on disk of one row, about: the two or three numbers that do not repeat."""


class Chunks:
    """The chunks of one sweep.

    Attributes:
        grid: the sweep.
        cells: scenarios of one chunk: about 200,000 rows of formulas, or 2 million simulated
            events, which is some tenths of a second.
    """

    def __init__(self, grid: Grid) -> None:
        """Sizes the chunks."""
        self.grid = grid
        self.cells = min(_CELLS, max(1, _ROWS // max(1, grid.asked.rows_per_cell)))
        if "simulation" in grid.asked.by:
            self.cells = max(1, min(self.cells, _EVENTS // self._events()))

    def _events(self) -> int:
        """Simulated events of one scenario, the mean of a few evenly spaced ones."""
        step = max(1, self.grid.cells // _SAMPLE)
        found = []
        for cell in range(0, self.grid.cells, step):
            try:
                found.append(events_of(Scenario(**self.grid.fields(cell))))  # type: ignore[arg-type]
            except ValueError:
                continue
        mean = sum(found) // len(found) if found else 1
        return max(1, mean * self.grid.asked.trials * len(self.grid.asked.designs))

    @property
    def number(self) -> int:
        """How many chunks there are."""
        return (self.grid.cells + self.cells - 1) // self.cells

    def size(self, number: int) -> int:
        """Scenarios of one chunk; the last one may have fewer."""
        return min(self.cells, self.grid.cells - number * self.cells)

    def task(self, number: int) -> Task:
        """The work of one chunk."""
        first = number * self.cells
        return Task(
            number=number,
            first=first,
            fields=tuple(self.grid.fields(first + at) for at in range(self.size(number))),
            asked=self.grid.asked,
            version=this_version(),
            provenance=canonical(self.manifest()),
        )

    def manifest(self) -> dict[str, Any]:
        """What the sweep is, as JSON can hold it."""
        return {
            "format": 1,
            "title": self.grid.title,
            "version": this_version(),
            "scenarios": self.grid.cells,
            "scenarios_per_chunk": self.cells,
            **self.grid.as_dict(),
        }
