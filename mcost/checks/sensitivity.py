"""Which constants and scenario parameters explain how much of an answer's spread (Sobol)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import qmc, sobol_indices

from mcost.algebra.cost import SEED, constants
from mcost.algebra.shape import USUAL, Conditions
from mcost.algebra.spread import quantile
from mcost.checks.question import INTEGERS, given, quantity, scenario_at, swept
from mcost.checks.terms import Floats
from mcost.spec.designs import Design
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.scenario import Scenario

__all__ = ["Share", "sensitivity"]

_LEVELS = 16


@dataclass(frozen=True)
class Share:
    """One input's share of the variance of the answer.

    Attributes:
        name: price, ``live``, or parameter of the scenario.
        basis: of the price, or ``scenario``.
        first: first-order Sobol index: what fixing it alone would remove.
        total: total-order index: what stays if all others were fixed; at least ``first`` up
            to the error of the estimate.
    """

    name: str
    basis: str
    first: float
    total: float


def sensitivity(
    scenario: Scenario,
    design: Design,
    cost: str,
    machine: Hardware,
    vary: Mapping[str, tuple[float, float]] | None = None,
    conditions: Conditions = USUAL,
    live: Constant | None = None,
    points: int = 1024,
    seed: int = SEED,
) -> list[Share]:
    """Sobol indices of one cost, largest total first.

    They split the variance of the logarithm of the cost, since spreads are factors, unless the
    cost is 0 somewhere; then of the cost itself.

    Args:
        scenario: the question.
        design: who answers it.
        cost: a component of the cost.
        machine: the price list; every price that moves the cost is an input.
        vary: ranges of scenario parameters, taken in 16 equally likely steps (geometric from
            positive limits).
        conditions: overlap, contention, broadcasters.
        live: live entries lost by one full flush.
        points: base points, a power of two; the answer is worked out points x (inputs + 2)
            times.
        seed: of the points.

    Raises:
        ValueError: unknown names, impossible ranges or scenarios.
        NotPriced: the design needs a price the machine lacks.
    """
    if points < 2 or points & (points - 1):
        raise ValueError(f"points: {points} must be a power of two, 2 or more")
    spreads = constants(machine, live)
    levels = {name: _levels(name, *limits) for name, limits in (vary or {}).items()}
    moving = _moving(scenario, design, cost, machine, spreads, levels, conditions)
    names = [*moving, *levels]
    if not names:
        return []
    if len(names) == 1:  # scipy's estimator needs two inputs; one explains everything
        basis = spreads[names[0]].basis if moving else "scenario"
        return [Share(names[0], basis, 1.0, 1.0)]
    unit = qmc.Sobol(2 * len(names), scramble=True, seed=seed).random(points)
    unit = np.clip(unit, 1e-9, 1 - 1e-9)
    first, second = unit[:, : len(names)], unit[:, len(names) :]

    def answer(share: Floats) -> Floats:
        chosen = {name: share[:, k] for k, name in enumerate(names)}
        prices = {
            name: quantile(item, chosen[name]) if name in moving else np.full(points, item.value)
            for name, item in spreads.items()
        }
        inputs = _inputs(scenario, design, machine, levels, chosen, conditions, points)
        return quantity(cost, inputs, prices)

    mixed = []
    for k in range(len(names)):
        swapped = first.copy()
        swapped[:, k] = second[:, k]
        mixed.append(answer(swapped)[None, :])
    parts: dict[Literal["f_A", "f_B", "f_AB"], Floats] = {
        "f_A": answer(first)[None, :],
        "f_B": answer(second)[None, :],
        "f_AB": np.array(mixed),
    }
    if all((part > 0).all() for part in parts.values()):
        parts = {name: np.log(part) for name, part in parts.items()}
    found = sobol_indices(func=parts, n=points)
    shares = [
        Share(name, spreads[name].basis if name in moving else "scenario", float(one), float(all_))
        for name, one, all_ in zip(
            names, np.ravel(found.first_order), np.ravel(found.total_order), strict=True
        )
    ]
    return sorted(shares, key=lambda share: (-share.total, share.name))


def _levels(name: str, low: float, high: float) -> Floats:
    low, high = swept(name, low, high)
    spaced = np.geomspace if low > 0 else np.linspace
    steps = np.asarray(spaced(low, high, _LEVELS), dtype=np.float64)
    return np.round(steps) if name in INTEGERS else steps


def _moving(
    scenario: Scenario,
    design: Design,
    cost: str,
    machine: Hardware,
    spreads: Mapping[str, Constant],
    levels: Mapping[str, Floats],
    conditions: Conditions,
) -> list[str]:
    """Uncertain constants that change the cost at the scenario or at either end of a range."""
    corners = [scenario]
    for name, steps in levels.items():
        corners += [scenario_at(scenario, name, steps[0]), scenario_at(scenario, name, steps[-1])]
    one = {name: np.array([item.value]) for name, item in spreads.items()}
    answers = [given(corner, design, machine, conditions) for corner in corners]

    def moves(name: str) -> bool:
        more = {**one, name: 2 * one[name]}
        return any((quantity(cost, a, more) != quantity(cost, a, one)).any() for a in answers)

    return [name for name, item in spreads.items() if item.low < item.high and moves(name)]


def _inputs(
    scenario: Scenario,
    design: Design,
    machine: Hardware,
    levels: Mapping[str, Floats],
    chosen: Mapping[str, Floats],
    conditions: Conditions,
    points: int,
) -> Mapping[str, Floats]:
    """Counts and shape of every point, each distinct scenario worked out once."""
    picks = np.zeros((points, len(levels)), dtype=np.int64)
    for k, (name, steps) in enumerate(levels.items()):
        picks[:, k] = np.minimum((chosen[name] * len(steps)).astype(np.int64), len(steps) - 1)
    distinct, where = np.unique(picks, axis=0, return_inverse=True)
    answers = [
        given(_at(scenario, levels, row.tolist()), design, machine, conditions) for row in distinct
    ]
    names = list(answers[0])
    table = np.array([[answer[name] for name in names] for answer in answers])
    spread_out = table[where.ravel()]
    return {name: spread_out[:, k] for k, name in enumerate(names)}


def _at(scenario: Scenario, levels: Mapping[str, Floats], row: Sequence[int]) -> Scenario:
    for (name, steps), k in zip(levels.items(), row, strict=True):
        scenario = scenario_at(scenario, name, float(steps[k]))
    return scenario
