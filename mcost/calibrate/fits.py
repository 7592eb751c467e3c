"""Least squares by relative error, with the interval of every parameter and all residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from mcost.spec.published import Row

__all__ = ["CONFIDENCE", "Fit", "Parameter", "Residual", "linear_fit"]

CONFIDENCE = 0.90
"""Every interval of this project covers this share."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """A fitted number: ``low`` to ``high`` is its 90 % interval, ``unit`` as published."""

    name: str
    unit: str
    value: float
    low: float
    high: float
    source: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        """Refuses an interval without its value; that is a fault of a fit, not of data."""
        if not 0 <= self.low <= self.value <= self.high:
            raise ValueError(f"fit {self.name}: {self.value} lies outside {self.low}..{self.high}")


@dataclass(frozen=True)
class Residual:
    """One row against its fit; ``error`` is fitted / published - 1."""

    id: str
    published: float
    fitted: float
    unit: str

    @property
    def error(self) -> float:
        """Relative error, positive when the fit lies above the row."""
        return self.fitted / self.published - 1


@dataclass(frozen=True)
class Fit:
    """One model fitted to some rows.

    Attributes:
        name: of the fit.
        model: the formula in words.
        names: parameter names in column order.
        values: best values.
        covariance: of the values, scaled by the larger of the scatter of the residuals and
            the repeatability given.
        freedom: degrees of freedom of the scatter used, for Student's t.
        residuals: every row used.
    """

    name: str
    model: str
    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    freedom: float
    residuals: tuple[Residual, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Row ids the fit used."""
        return tuple(item.id for item in self.residuals)

    @property
    def worst(self) -> float:
        """Largest absolute relative error."""
        return max(abs(item.error) for item in self.residuals)

    def interval(self, weights: Mapping[str, float]) -> tuple[float, float, float]:
        """Value, low and high (90 %) of a weighted sum of parameters."""
        row = np.array([weights.get(name, 0.0) for name in self.names])
        value = float(row @ self.values)
        sigma = float(np.sqrt(max(row @ self.covariance @ row, 0.0)))
        half = sigma * float(student.ppf(0.5 + CONFIDENCE / 2, self.freedom))
        return value, value - half, value + half

    def parameter(self, name: str, unit: str, note: str = "") -> Parameter:
        """One parameter with its interval, cut at 0."""
        value, low, high = self.interval({name: 1.0})
        return Parameter(f"{self.name}.{name}", unit, value, max(low, 0.0), high, self.ids, note)


def linear_fit(
    name: str,
    model: str,
    rows: Sequence[Row],
    design: Mapping[str, Sequence[float]],
    repeatability: float = 0.0,
) -> Fit:
    """Fits ``value = sum of parameter x column`` with weights 1/value^2.

    Args:
        name: of the fit.
        model: the formula in words.
        rows: published rows, at least as many as parameters.
        design: a column of numbers for each parameter, as long as ``rows``.
        repeatability: 90 % half-width of one row, relative; the floor of the scatter, and all
            there is when no row is left over to judge by.

    Raises:
        ValueError: too few rows, or columns that cannot be told apart.
    """
    values = np.array([row.value for row in rows])
    columns = np.array([list(column) for column in design.values()], dtype=float).T
    spare = len(rows) - len(design)
    scaled = columns / values[:, None]
    if spare < 0 or np.linalg.matrix_rank(scaled) < len(design):
        raise ValueError(f"fit {name}: {len(rows)} rows cannot tell {len(design)} parameters apart")
    solution = np.linalg.lstsq(scaled, np.ones(len(rows)), rcond=None)[0]
    left = scaled @ solution - 1
    floor = repeatability / float(student.ppf(0.5 + CONFIDENCE / 2, np.inf))
    scatter = float(np.sqrt(left @ left / spare)) if spare else 0.0
    fitted = columns @ solution
    return Fit(
        name,
        model,
        tuple(design),
        solution,
        np.linalg.inv(scaled.T @ scaled) * max(scatter, floor) ** 2,
        float(spare) if scatter >= floor and spare else np.inf,
        tuple(
            Residual(row.id, row.value, float(fit), row.unit)
            for row, fit in zip(rows, fitted, strict=True)
        ),
    )
