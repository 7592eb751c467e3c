"""All rows of a chunk: every scenario by every method, counts and costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.sweep.asked import Asked
from mcost.sweep.axes import Value
from mcost.sweep.by_algebra import Question
from mcost.sweep.by_simulation import seed_of, simulated
from mcost.sweep.costs import add_costs
from mcost.sweep.rows import Rows

__all__ = ["answer"]

Floats = npt.NDArray[np.float64]


def answer(first: int, fields: Sequence[dict[str, Value]], asked: Asked) -> Rows:
    """The rows of the scenarios numbered from ``first``.

    An impossible scenario, and a cost without its price, is a row with its error.
    """
    made: list[Scenario | str] = [_scenario(one) for one in fields]
    rows = Rows(first, [one if isinstance(one, Scenario) else None for one in made])
    for at, one in enumerate(made):
        if isinstance(one, str):
            rows.fail(at, one)
    places = np.array([at for at, one in enumerate(made) if isinstance(one, Scenario)], np.int32)
    scenarios = [one for one in made if isinstance(one, Scenario)]
    if "algebra" in asked.by and scenarios:
        _by_algebra(rows, places, scenarios, asked)
    if "simulation" in asked.by:
        for place, one in zip(places, scenarios, strict=True):
            _by_simulation(rows, int(place), one, asked, seed_of(asked.seed, first + int(place)))
    return rows


def _scenario(fields: dict[str, Value]) -> Scenario | str:
    try:
        return Scenario(**fields)  # type: ignore[arg-type]
    except ValueError as error:
        return str(error)


def _by_algebra(
    rows: Rows, places: npt.NDArray[np.int32], scenarios: list[Scenario], asked: Asked
) -> None:
    question = Question(scenarios)
    for design in asked.designs:
        means, sds = question.answer(design)
        for name in asked.counts_by("algebra"):
            count = COUNT_NAMES.index(name)
            rows.add(
                places,
                design=design.name,
                by="algebra",
                quantity=name,
                mean_count=means[count],
                sd_count=sds[count],
            )
        add_costs(rows, places, scenarios, design, means, asked, "algebra")


def _by_simulation(rows: Rows, place: int, scenario: Scenario, asked: Asked, seed: int) -> None:
    found = simulated(scenario, asked.designs, asked.trials, seed, (asked.sets, asked.ways))
    for design, seen in zip(asked.designs, found, strict=True):
        for name in asked.counts_by("simulation"):
            count = COUNT_NAMES.index(name)
            rows.add(
                place,
                design=design.name,
                by="simulation",
                quantity=name,
                mean_count=seen.mean[count],
                sd_count=seen.sd[count],
                error_count=seen.sd[count] / asked.trials**0.5,
                trials=asked.trials,
                seed=seed,
            )
        means = seen.mean[:, np.newaxis]
        add_costs(rows, np.array([place], np.int32), [scenario], design, means, asked, "simulation")
