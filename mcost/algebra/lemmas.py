"""The probabilities that placements are made of, worked out by SymPy once each."""

from __future__ import annotations

from functools import cache
from math import comb

from sympy import (
    Dummy,
    Expr,
    Integer,
    Max,
    Piecewise,
    Rational,
    binomial,
    combsimp,
    diff,
    exp,
    factorial,
    gammasimp,
    oo,
    sign,
    simplify,
    summation,
    sympify,
)

__all__ = ["avoid", "avoid_through", "geometric", "geometric_slope", "moves_power"]

_N = Dummy("N", integer=True, positive=True)
_T = Dummy("T", integer=True, positive=True)


def avoid(cpus: Expr, threads: Expr, chosen: Expr | int) -> Expr:
    """P(a uniform subset of ``threads`` CPUs misses ``chosen`` given CPUs).

    C(N - m, T) / C(N, T): a fraction for numbers, reduced by SymPy for symbols N and T. With
    fewer than ``chosen`` CPUs there is nothing to miss, and 0 is as good as any answer.
    """
    if cpus.is_number and threads.is_number and sympify(chosen).is_number:
        n, t, m = int(cpus), int(threads), int(chosen)
        return Rational(comb(n - m, t), comb(n, t)) if 0 <= m <= n else Integer(0)
    if isinstance(chosen, int):
        return _avoid(chosen).xreplace({_N: cpus, _T: threads})
    return binomial(cpus - chosen, threads) / binomial(cpus, threads)


@cache
def _avoid(chosen: int) -> Expr:
    ratio = combsimp(gammasimp(binomial(_N - chosen, _T) / binomial(_N, _T)))
    return simplify(ratio.rewrite(factorial).simplify()) if ratio.has(binomial) else ratio


def avoid_through(cpus: Expr, threads: Expr, chosen: Expr | int) -> Expr:
    """As :func:`avoid` for a subset known to hold one further CPU: N and T fall by one."""
    return avoid(cpus - 1, threads - 1, chosen)


@cache
def _poisson_power() -> tuple[Expr, Expr, Expr]:
    """E[q^K] for Poisson K, summed by SymPy."""
    k = Dummy("k", integer=True, nonnegative=True)
    mean, q = Dummy("m", positive=True), Dummy("q", positive=True)
    total = summation(exp(-mean) * mean**k / factorial(k) * q**k, (k, 0, oo))
    if isinstance(total, Piecewise):
        total = total.args[0][0]
    return mean, q, simplify(total)


def moves_power(expected_moves: Expr, q: Expr) -> Expr:
    """E[q^K], K the Poisson number of moves: exp((q - 1) expected_moves)."""
    mean, base, power = _poisson_power()
    return power.xreplace({mean: expected_moves, base: q})


_Q, _S = Dummy("q"), Dummy("S", integer=True, positive=True)
_GEOMETRIC = (1 - _Q**_S) / (1 - _Q)
_SLOPE = diff(_GEOMETRIC, _Q)


def geometric(q: Expr, terms: Expr) -> Expr:
    """Sum of q^l for l = 0 .. terms - 1; ``terms`` itself at q = 1."""
    if q == 1:
        return terms
    return _GEOMETRIC.xreplace({_Q: q, _S: terms})


def geometric_slope(q: Expr, terms: Expr) -> Expr:
    """Sum of l q^(l - 1) for l = 0 .. terms - 1: the derivative of :func:`geometric`."""
    if q == 1:
        return terms * (terms - 1) / 2
    if q == 0:
        return sign(Max(0, terms - 1))
    return _SLOPE.xreplace({_Q: q, _S: terms})
