"""Means and variances of random counts, and the few ways they combine."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, sympify

__all__ = ["ZERO", "Moment", "bernoulli", "constant", "indicator_sum", "thin"]


@dataclass(frozen=True)
class Moment:
    """Mean and variance of one count.

    Attributes:
        mean: exact expression.
        variance: exact expression, None where only the mean has a closed form.
    """

    mean: Expr
    variance: Expr | None

    def times(self, factor: Expr | int) -> Moment:
        """The same random count ``factor`` times over (not independent repeats)."""
        factor = sympify(factor)
        variance = None if self.variance is None else factor**2 * self.variance
        return Moment(factor * self.mean, Integer(0) if factor == 0 else variance)

    def plus(self, other: Moment) -> Moment:
        """Sum with another count; its variance is known only if one of them is certain."""
        if other.variance == 0:
            return Moment(self.mean + other.mean, self.variance)
        if self.variance == 0:
            return Moment(self.mean + other.mean, other.variance)
        return Moment(self.mean + other.mean, None)

    def plus_independent(self, other: Moment) -> Moment:
        """Sum with an independent count: variances add."""
        if self.variance is None or other.variance is None:
            return Moment(self.mean + other.mean, None)
        return Moment(self.mean + other.mean, self.variance + other.variance)

    def minus_from(self, total: Expr) -> Moment:
        """``total`` less this count."""
        return Moment(total - self.mean, self.variance)


ZERO = Moment(Integer(0), Integer(0))


def constant(value: Expr | int) -> Moment:
    """A count that is certain."""
    return Moment(sympify(value), Integer(0))


def bernoulli(p: Expr) -> Moment:
    """1 with probability ``p``, else 0."""
    return Moment(p, p * (1 - p))


def indicator_sum(n: Expr, one: Expr, both: Expr) -> Moment:
    """How many of ``n`` exchangeable things happen.

    Args:
        n: their number.
        one: probability that a given one happens.
        both: probability that two given ones happen.

    Returns:
        Mean ``n one``, variance ``n one + n (n - 1) both - (n one)^2``.
    """
    mean = n * one
    return Moment(mean, mean + n * (n - 1) * both - mean**2)


def thin(count: Moment, mean: Expr, variance: Expr) -> Moment:
    """Sum over ``count`` things of independent values with this mean and variance (Wald)."""
    total = None
    if count.variance is not None:
        total = count.mean * variance + mean**2 * count.variance
    return Moment(count.mean * mean, total)
