"""All rows of a chunk: every scenario by every method, counts and costs."""

# ruff: noqa: PLC0415 - each method loads its libraries only when it is asked for

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcost.spec.scenario import Scenario
from mcost.sweep.asked import Asked
from mcost.sweep.axes import Value
from mcost.sweep.rows import Rows
from mcost.sweep.sizes import seed_of

__all__ = ["answer", "modules"]

Places = npt.NDArray[np.int32]


def modules(asked: Asked) -> list[str]:
    """What a worker needs, so that it can be loaded before workers are forked."""
    by = {"algebra": "mcost.sweep.by_algebra", "simulation": "mcost.sweep.by_simulation"}
    costs = ["mcost.sweep.costs"] if asked.machines else []
    return [__name__, *(by[method] for method in asked.by), *costs]


def answer(first: int, fields: Sequence[dict[str, Value]], asked: Asked) -> Rows:
    """The rows of the scenarios numbered from ``first``.

    An impossible scenario is one row with its error; a cost without its price says so.
    """
    made = [_scenario(one) for one in fields]
    rows = Rows(first, [one if isinstance(one, Scenario) else None for one in made])
    for at, one in enumerate(made):
        if isinstance(one, str):
            rows.fail(at, one)
    scenarios = [one for one in made if isinstance(one, Scenario)]
    places = np.array([at for at, one in enumerate(made) if isinstance(one, Scenario)], np.int32)
    if "algebra" in asked.by and scenarios:
        _by_algebra(rows, places, scenarios, asked)
    if "simulation" in asked.by:
        for place, one in zip(places.tolist(), scenarios, strict=True):
            _by_simulation(rows, place, one, asked, seed_of(asked.seed, first + place))
    return rows


def _scenario(fields: dict[str, Value]) -> Scenario | str:
    try:
        return Scenario(**fields)  # type: ignore[arg-type]
    except ValueError as error:
        return str(error)


def _by_algebra(rows: Rows, places: Places, scenarios: list[Scenario], asked: Asked) -> None:
    from mcost.sweep.by_algebra import add_formulas

    means = add_formulas(rows, places, scenarios, asked)
    if asked.machines:
        from mcost.sweep.costs import add_costs

        add_costs(rows, places, scenarios, means, asked, "algebra")


def _by_simulation(rows: Rows, place: int, scenario: Scenario, asked: Asked, seed: int) -> None:
    from mcost.sweep.by_simulation import add_simulated

    means = add_simulated(rows, place, scenario, asked, seed)
    if asked.machines:
        from mcost.sweep.costs import add_costs

        places = np.array([place], np.int32)
        add_costs(rows, places, [scenario], means[:, :, np.newaxis], asked, "simulation")
