"""Spread: draws of a machine's constants by quasi-Monte-Carlo, and intervals from them.

Each constant is drawn from its 5 %, 50 % and 95 % quantiles (low, value, high): ``log``
joins two half log-normals at the value, ``linear`` two uniform halves cut at 0. Constants
are independent. Every constant name owns one dimension of one scrambled Sobol sequence, so
two machines, two designs or two widths of a spread are compared on the same draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, qmc

from mcost.spec.hardware import Constant
from mcost.spec.prices import MACHINE_CONSTANTS, PRICE_NAMES

__all__ = [
    "DIMENSIONS",
    "TAIL",
    "Estimate",
    "draw",
    "estimate",
    "halves",
    "one_sided",
    "quantile",
]

Floats = npt.NDArray[np.float64]

DIMENSIONS: tuple[str, ...] = (
    *PRICE_NAMES,
    *(entry.name for entry in MACHINE_CONSTANTS),
    "live",
)
"""Owner of each dimension of the sequence; ``live`` is the workload's."""

TAIL = 0.05
"""Probability of each end outside an interval."""
_EDGE = float(norm.ppf(1 - TAIL))


@dataclass(frozen=True)
class Estimate:
    """A value with its 90 % interval.

    Attributes:
        value: with every constant at its value.
        low: lower end; at most 5 % lie below.
        high: upper end; at most 5 % lie above.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Value and interval in four digits."""
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def quantile(constant: Constant, share: Floats) -> Floats:
    """The constant's value below which ``share`` (0 < share < 1) of its distribution lies."""
    value, low, high = constant.value, constant.low, constant.high
    if low == high:
        return np.full(share.shape, value)
    if constant.shape == "log":
        z = norm.ppf(share) / _EDGE
        ratio = np.where(z < 0, low / value, high / value)
        return np.asarray(value * ratio ** np.abs(z))
    reach = (share - 0.5) / (0.5 - TAIL)
    moved = np.where(reach < 0, reach * (value - low), reach * (high - value))
    return np.asarray(np.maximum(value + moved, 0.0))


@lru_cache(maxsize=4)
def _points(points: int, seed: int) -> Floats:
    """Sobol points [dimensions, points] strictly inside the unit cube."""
    if points < 1 or points & (points - 1):
        raise ValueError(f"points: {points} must be a power of two")
    sequence = qmc.Sobol(len(DIMENSIONS), scramble=True, seed=seed).random(points)
    inside = np.clip(sequence, 1e-9, 1 - 1e-9).T
    inside.flags.writeable = False
    return np.asarray(inside, dtype=np.float64)


def draw(constants: Mapping[str, Constant], points: int, seed: int) -> dict[str, Floats]:
    """Draws of constants.

    Args:
        constants: by name; names must be among :data:`DIMENSIONS`.
        points: number of draws, a power of two.
        seed: scrambles the sequence; the same seed gives the same draws.

    Returns:
        An array [points] for each name.
    """
    sequence = _points(points, seed)
    return {
        name: quantile(constant, sequence[DIMENSIONS.index(name)])
        for name, constant in constants.items()
    }


def estimate(value: float, draws: npt.ArrayLike) -> Estimate:
    """An estimate from the central value and its draws (one number, or an array [points])."""
    return one_sided(value, draws, draws)


def one_sided(value: float, down: npt.ArrayLike, up: npt.ArrayLike) -> Estimate:
    """An estimate whose low end comes from some draws and whose high end from others.

    Costs rise with every price. Draws in which each price is at most (``down``) or at least
    (``up``) its value bound the full draws from below and above, so the interval covers at
    least 90 %; and since a wider spread moves each of them further out, draw by draw, it can
    never narrow the interval. Quantiles of the full draws promise only the first of the two.
    """
    low = np.quantile(np.atleast_1d(down), TAIL)
    high = np.quantile(np.atleast_1d(up), 1 - TAIL)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def halves(
    constants: Mapping[str, Constant], points: int, seed: int
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """As :func:`draw`, with draws above the value moved down to it, and those below up to it."""
    drawn = draw(constants, points, seed)
    down = {name: np.minimum(drawn[name], item.value) for name, item in constants.items()}
    up = {name: np.maximum(drawn[name], item.value) for name, item in constants.items()}
    return down, up
