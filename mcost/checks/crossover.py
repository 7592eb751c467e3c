"""Where the order of two designs flips, as one parameter of the scenario grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite

import numpy as np
from scipy.optimize import brentq

from mcost.algebra.shape import USUAL, Conditions
from mcost.checks.question import (
    INTEGERS,
    at_values,
    given,
    quantity,
    sampled,
    scenario_at,
    swept,
)
from mcost.checks.terms import Floats
from mcost.spec.designs import Design
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.scenario import Scenario

__all__ = ["Crossover", "crossover"]

_EVERY = 256
_GRID = 49
_AFFINE = 1e-9


@dataclass(frozen=True)
class Crossover:
    """The first value of a parameter at which the order of two designs flips.

    Attributes:
        over: the parameter.
        searched: its range.
        at: the first value after the flip (exact for whole numbers, a root else); None when
            the order is the same over the whole range.
        low: 5 % quantile over the draws of the prices; None when even that is beyond the range.
        high: 95 % quantile; None likewise.
        never: share of the draws without a flip in the range.
        before: the cheaper design below ``at``; empty when both cost the same everywhere.
        after: the cheaper one from there on.
        formula: ``at`` as a quotient of sums of prices, where the difference of the costs is a
            straight line in the parameter over the whole range; else empty.
    """

    over: str
    searched: tuple[float, float]
    at: float | None
    low: float | None
    high: float | None
    never: float
    before: str
    after: str
    formula: str = ""


def crossover(
    scenario: Scenario,
    designs: tuple[Design, Design],
    over: str,
    cost: str,
    machine: Hardware,
    searched: tuple[float | None, float | None] = (None, None),
    conditions: Conditions = USUAL,
    live: Constant | None = None,
) -> Crossover:
    """Where ``cost`` of the first design passes that of the second.

    Args:
        scenario: everything but ``over``.
        designs: the two.
        over: parameter of the scenario, see :data:`mcost.checks.question.SWEPT`.
        cost: a component of the cost, or a count.
        machine: the price list.
        searched: range of ``over``; None for the usual limit. Ranges of whole numbers up to
            256 wide are searched in full, wider ones on 49 geometric steps, then halved: two
            flips inside one step are missed.
        conditions: overlap, contention, broadcasters.
        live: live entries lost by one full flush.

    Raises:
        ValueError: unknown names, an empty range, an impossible scenario in it.
        NotPriced: a design needs a price the machine lacks.
    """
    low, high = swept(over, *searched)
    prices = sampled(machine, live)

    def difference(value: float, use: Mapping[str, Floats] = prices) -> Floats:
        at = scenario_at(scenario, over, value)
        first, second = (
            quantity(cost, given(at, one, machine, conditions), use) for one in designs
        )
        return np.asarray(first - second)

    whole = over in INTEGERS
    grid = _grid(low, high, whole)
    table = np.array([difference(value) for value in grid])
    flips = np.array([_flip(grid, column, whole) for column in table.T])
    names = (designs[0].name, designs[1].name)
    before, after = _order(table[:, 0], names)
    at = float(flips[0])
    if isfinite(at):
        step = int(np.searchsorted(grid, at))
        bracket = float(grid[max(step - 1, 0)]), float(grid[min(step, len(grid) - 1)])
        one = at_values(prices)
        at = _refined(lambda value: float(difference(value, one)[0]), bracket, whole)
    edges = [float(e) for e in np.quantile(flips[1:], [0.05, 0.95], method="inverted_cdf")]
    first, last = (edge if isfinite(edge) else None for edge in edges)
    return Crossover(
        over,
        (low, high),
        at if isfinite(at) else None,
        first,
        last,
        float(np.mean(~np.isfinite(flips[1:]))),
        before,
        after,
        _formula(difference, grid, prices) if isfinite(at) else "",
    )


def _grid(low: float, high: float, whole: bool) -> Floats:
    if whole and high - low <= _EVERY:
        return np.arange(ceil(low), high + 1, dtype=np.float64)
    steps = np.geomspace(low, high, _GRID) if low > 0 else np.linspace(low, high, _GRID)
    return np.unique(np.round(steps)) if whole else steps


def _signs(column: Floats) -> Floats:
    """Signs of a difference; what is only rounding counts as none."""
    noise = 1e-12 * max(1.0, float(np.abs(column).max()))
    return np.where(np.abs(column) > noise, np.sign(column), 0.0)


def _flip(grid: Floats, column: Floats, whole: bool) -> float:
    """Where the sign changes first, interpolated between grid points; inf when never."""
    signs = _signs(column)
    some = np.flatnonzero(signs)
    if not len(some):
        return inf
    other = np.flatnonzero(signs == -signs[some[0]])
    if not len(other):
        return inf
    end = int(other[0])
    start = int(some[some < end][-1])
    reach = column[start] / (column[start] - column[end])
    at = float(grid[start] + reach * (grid[end] - grid[start]))
    return float(ceil(at)) if whole else at


def _order(column: Floats, names: tuple[str, str]) -> tuple[str, str]:
    """The cheaper design at first, and after the flip (the same without one)."""
    signs = _signs(column)
    some = signs[signs != 0]
    if not len(some):
        return "", ""
    cheaper = names[0] if some[0] < 0 else names[1]
    flipped = bool((some == -some[0]).any())
    other = names[1] if cheaper == names[0] else names[0]
    return cheaper, other if flipped else cheaper


def _refined(
    difference: Callable[[float], float], bracket: tuple[float, float], whole: bool
) -> float:
    """The exact flip inside a bracket whose ends have different orders."""
    low, high = bracket
    first = np.sign(difference(low))
    if not whole:
        return float(brentq(difference, low, high))
    while high - low > 1:
        middle = float((low + high) // 2)
        if np.sign(difference(middle)) == first:
            low = middle
        else:
            high = middle
    return high


def _formula(
    difference: Callable[[float, Mapping[str, Floats]], Floats],
    grid: Floats,
    prices: Mapping[str, Floats],
) -> str:
    """``at`` in terms of prices, from the coefficient of each at three points of the range."""
    one = at_values(prices)
    points = (grid[0], grid[len(grid) // 2], grid[-1])
    rise: dict[str, float] = {}
    base: dict[str, float] = {}
    for name, value in one.items():
        slopes = []
        for point in points:
            more = difference(point, {**one, name: value * 1.001})[0]
            less = difference(point, {**one, name: value * 0.999})[0]
            slopes.append(float((more - less) / (0.002 * value[0])) if value[0] else 0.0)
        slope = (slopes[2] - slopes[0]) / (points[2] - points[0])
        middle = slopes[0] + slope * (points[1] - points[0])
        if abs(middle - slopes[1]) > max(map(abs, slopes)) * _AFFINE + 1e-6:
            return ""
        if name == "live" and any(slopes):
            return ""  # a product of live entries and a price is no sum of prices
        rise[name], base[name] = slope, slopes[0] - slope * points[0]
    above, below = _sum({name: -value for name, value in base.items()}), _sum(rise)
    return f"({above}) / ({below})" if below else ""


def _sum(weights: Mapping[str, float]) -> str:
    kept = {name: value for name, value in weights.items() if abs(value) > 1e-6}
    text = " + ".join(f"{value:.4g} {name}" for name, value in kept.items())
    return text.replace("+ -", "- ")
