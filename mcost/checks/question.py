"""One cost of one design as a function of a scenario parameter and of prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from mcost.algebra.components import COMPONENTS, components
from mcost.algebra.cost import SEED, Inputs, constants, inputs
from mcost.algebra.counts import expect, mean_sd
from mcost.algebra.shape import USUAL, Conditions
from mcost.algebra.spread import draw
from mcost.checks.terms import POINTS, Floats
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.lookup import find
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["SWEPT", "at_values", "given", "means", "quantity", "sampled", "scenario_at", "swept"]

SWEPT: Mapping[str, tuple[float, float]] = {
    "cpus": (2, 1024),
    "sharers": (1, 4096),
    "threads": (1, 64),
    "pages": (1, 4096),
    "batch": (1, 512),
    "share": (0.01, 1.0),
    "idle": (0.0, 0.9),
    "held": (0.01, 1.0),
    "rate": (1.0, 10_000.0),
    "age": (0.001, 1.0),
}
"""Scenario parameters that can be swept, with the range taken when none is given."""

INTEGERS = ("cpus", "sharers", "threads", "pages", "batch")


def means(scenario: Scenario, design: Design) -> Counts[float | None]:
    """Expected counts as floats, None where only a simulation counts."""

    def mean(value: object) -> float | None:
        pair = mean_sd(value)  # type: ignore[arg-type]
        return None if pair is None else pair[0]

    return expect(scenario, design).map(mean)


@lru_cache(maxsize=4096)
def _means(scenario: Scenario, design: Design) -> Counts[float | None]:
    return means(scenario, design)


def scenario_at(scenario: Scenario, name: str, value: float) -> Scenario:
    """The scenario with one parameter changed, whole where it counts things.

    Raises:
        ValueError: the changed scenario is impossible.
    """
    changed: dict[str, Any] = {name: round(value) if name in INTEGERS else float(value)}
    return replace(scenario, **changed)


def given(
    scenario: Scenario, design: Design, machine: Hardware, conditions: Conditions = USUAL
) -> Inputs:
    """What the cost expressions need of one scenario."""
    return inputs(_means(scenario, design), machine, scenario, design, conditions)


def sampled(machine: Hardware, live: Constant | None = None, seed: int = SEED) -> dict[str, Floats]:
    """Every constant as value and draws, [1 + POINTS]."""
    spreads = constants(machine, live)
    drawn = draw(spreads, POINTS, seed)
    return {name: np.concatenate([[item.value], drawn[name]]) for name, item in spreads.items()}


def at_values(prices: Mapping[str, Floats]) -> dict[str, Floats]:
    """The machine's own values only, [1]."""
    return {name: values[:1] for name, values in prices.items()}


def quantity(name: str, values: Mapping[str, Any], prices: Mapping[str, Floats]) -> Floats:
    """A component in ns, or a count, as an array as long as the prices.

    Raises:
        ValueError: ``name`` is neither.
    """
    size = len(next(iter(prices.values())))
    find("cost", name, dict.fromkeys((*COMPONENTS, *COUNT_NAMES)))
    found = components(values, prices)[name] if name in COMPONENTS else values[name]
    return np.broadcast_to(np.asarray(found, dtype=np.float64), (size,))


def swept(name: str, low: float | None, high: float | None) -> tuple[float, float]:
    """Range of a sweep.

    Raises:
        ValueError: an unknown parameter, or an empty range.
    """
    first, last = find("parameter", name, SWEPT)
    low, high = first if low is None else low, last if high is None else high
    if not low < high:
        raise ValueError(f"{name}: the range {low:g} to {high:g} is empty")
    return low, high
