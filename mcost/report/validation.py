"""The bundled cases that every report is checked on: algebra against machine, in seconds."""

from __future__ import annotations

from collections.abc import Iterator

from mcost.checks.agreement import Cell, agree, cells_of
from mcost.checks.grid import grid
from mcost.spec.designs import DESIGNS
from mcost.spec.placements import PLACEMENTS
from mcost.spec.scenario import Scenario

__all__ = ["cases", "validate"]

_SMALL, _LARGER = 3, 17


def cases() -> list[Scenario]:
    """One small scenario of the agreement grid for each placement, and one of 17 CPUs."""
    every = grid()
    small = [
        next(one for one in every if one.placement == law.name and one.cpus == _SMALL)
        for law in PLACEMENTS
    ]
    return [*small, next(o for o in every if o.placement == "snapshot" and o.cpus == _LARGER)]


def validate(seed: int) -> Iterator[list[Cell]]:
    """The cells of each case, all ten designs."""
    asked = cases()
    for at, scenario in enumerate(asked):
        yield agree(scenario, DESIGNS, seed + at, cells_of(len(asked), DESIGNS))
