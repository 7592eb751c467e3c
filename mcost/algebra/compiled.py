"""Formulas compiled once and evaluated for many scenarios at a time.

What decides the *form* of an expression (names, pages, threads, values 0 and 1 of shares)
is a :class:`Setting`; what may vary inside one form is an array. Scenarios of one setting
are evaluated together, in blocks that stay in cache, by code that SymPy generates once.
Doubles give what ``counts.expect`` gives in 40 digits, but where they cancel or overflow;
``evaluate`` marks those points, to be asked of ``expect``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy import Expr, Float, Integer, binomial, factorial, lambdify, nan, oo, prod, zoo

from mcost.algebra.counts import derive
from mcost.algebra.moments import Moment
from mcost.algebra.symbols import DIGITS, SYMBOL
from mcost.spec.designs import Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["BLOCK", "FREE", "Formulas", "Setting", "evaluate", "formulas", "setting_of"]

Floats = npt.NDArray[np.float64]

BLOCK = 8192
"""Points evaluated at a time: a few dozen columns of 64 KiB stay in a second-level cache."""

FREE: tuple[str, ...] = ("cpus", "sharers", "share", "idle", "rate")
"""Parameters that vary inside a setting, unless they have one of their edge values."""

_EDGES: dict[str, tuple[float, ...]] = {
    "cpus": (1, 2),
    "sharers": (0, 1),
    "share": (0, 1),
    "idle": (0,),
    "rate": (0,),
}
_FIXED = ("threads", "pages", "offset", "batch", "invlpgb_max", "held", "age")
# held too: SymPy factors polynomials of degree `pages` in it to find signs

_FAILS = -2
"""Place of an expression that is no number at an edge value."""

MOST_THREADS = 12
"""Visited CPUs of a sharer (``uniform``) up to which doubles carry the alternating sums."""


@dataclass(frozen=True)
class Setting:
    """Everything that decides the form of the formulas.

    Attributes:
        placement, initiator, operation, kernel, apic: as in ``Scenario``.
        fixed: values by name that are numbers in the formulas.
    """

    placement: str
    initiator: str
    operation: str
    kernel: str
    apic: str
    fixed: tuple[tuple[str, float], ...]

    @property
    def free(self) -> tuple[str, ...]:
        """Names that vary."""
        names = {name for name, _ in self.fixed}
        return tuple(name for name in FREE if name not in names)


def setting_of(scenario: Scenario) -> Setting | None:
    """The scenario's setting; None where doubles are not enough."""
    if scenario.placement == "uniform" and scenario.threads > MOST_THREADS:
        return None
    fixed = [(name, getattr(scenario, name)) for name in _FIXED]
    for name in FREE:
        value = getattr(scenario, name)
        if value is None or (scenario.sharers == 0 and name in ("share", "idle")):
            value = 0
        if value in _EDGES[name]:
            fixed.append((name, value))
    return Setting(
        scenario.placement,
        scenario.initiator,
        scenario.operation,
        scenario.kernel,
        scenario.apic,
        tuple((name, value or 0) for name, value in fixed),
    )


@dataclass(frozen=True)
class Formulas:
    """Compiled means and variances of one design in one setting.

    Attributes:
        free: arguments in order.
        means, variances: places of the counts in the result, -1 where there is none.
        call: arrays of the free parameters -> all results.
    """

    free: tuple[str, ...]
    means: tuple[int, ...]
    variances: tuple[int, ...]
    call: Callable[..., list[Any]]


@lru_cache(maxsize=4096)
def formulas(design: Design, setting: Setting) -> Formulas:
    """Derives and compiles all counts of one design, common subexpressions once."""
    expressions, means, variances = _expressions(design, setting)
    symbols = [SYMBOL[name] for name in setting.free]
    call = lambdify(symbols, expressions, modules=["scipy", "numpy"], cse=True, docstring_limit=0)
    return Formulas(setting.free, tuple(means), tuple(variances), call)


def _expressions(design: Design, setting: Setting) -> tuple[list[Expr], list[int], list[int]]:
    """(the different expressions, place of each mean, place of each variance)."""
    cells = derive(
        design,
        setting.placement,
        setting.initiator,
        setting.operation,
        setting.kernel,
        setting.apic,
        **{name: _number(value) for name, value in setting.fixed},
    )
    place: dict[Expr, int] = {}
    means, variances = [], []
    for cell in (value for _, value in cells.items()):
        mean, variance = (cell.mean, cell.variance) if isinstance(cell, Moment) else (None, None)
        means.append(_placed(mean, place))
        variances.append(_placed(variance, place))
    return list(place), means, variances


def _placed(expression: Expr | None, place: dict[Expr, int]) -> int:
    if expression is None:
        return -1
    if expression.has(zoo, nan, oo):
        return _FAILS
    return place.setdefault(expression.replace(_is_choice, _product), len(place))


def _is_choice(part: Expr) -> bool:
    return isinstance(part, binomial) and bool(part.args[1].is_Integer)


def _product(choice: Expr) -> Expr:
    """C(n, k) as a polynomial in n: the Gamma functions that SymPy prints overflow at 171."""
    n, k = choice.args
    return prod(n - at for at in range(int(k))) / factorial(int(k))


def _number(value: float) -> Expr:
    whole = isinstance(value, int) or float(value).is_integer()
    return Integer(int(value)) if whole else Float(repr(value), DIGITS)


def evaluate(
    design: Design, setting: Setting, columns: Mapping[str, Floats], size: int
) -> tuple[Floats, Floats]:
    """Means and variances of all counts for many scenarios of one setting.

    Args:
        design: who answers.
        setting: the form.
        columns: [size] for each name in ``setting.free``.
        size: how many scenarios.

    Returns:
        (means, variances), each [counts, size] in the order of ``COUNT_NAMES``: NaN where
        there is no closed form, infinity where doubles fail.
    """
    compiled = formulas(design, setting)
    means = np.full((len(COUNT_NAMES), size), np.nan)
    variances = np.full((len(COUNT_NAMES), size), np.nan)
    for start in range(0, size, BLOCK):
        part = slice(start, min(size, start + BLOCK))
        with np.errstate(all="ignore"):
            values = compiled.call(*(columns[name][part] for name in compiled.free))
        for count in range(len(COUNT_NAMES)):
            _put(means[count, part], values, compiled.means[count])
            _put(variances[count, part], values, compiled.variances[count])
    return means, variances


def _put(target: Floats, values: list[Any], place: int) -> None:
    if place == _FAILS:
        target[:] = np.inf
    if place >= 0:
        target[:] = values[place]
        target[~np.isfinite(target)] = np.inf
