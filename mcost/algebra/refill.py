"""Refills: live entries that a flush loses, and the walks that follow, by closed forms.

Between two flushes a CPU makes A accesses; each touches page i with probability p_i,
independently of the others (the independent reference model).

- *Fits*: every set of the TLB has a way for each page that maps to it. Page i is live at the
  flush with probability 1 - (1 - p_i)^A, exactly (:func:`live_uniform` for equal p_i).
- *Does not fit*: since the flush emptied it, an LRU set holds the last ``ways`` of the D
  different pages touched, so E min(D, ways) entries are live (:func:`live_entries`); D is a
  sum of independent indicators when the accesses are Poisson. Che's approximation (Che, Tung
  and Wang, IEEE JSAC 20, 2002) says which: those touched within the last T accesses, where
  ``sum over the set of (1 - exp(-p_i T)) = ways`` (:func:`che_time`, :func:`live_by_che`).

Not every lost entry is walked again. With a flush every A accesses page i misses
``integral over t < A of p exp(-p min(t, T))`` times, without ``p A exp(-p T)`` times; the
difference is :func:`rewalks`. Where the working set fits it equals the live entries.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import sympy as sp
from scipy.optimize import brentq

__all__ = [
    "che_time",
    "fits",
    "live_by_che",
    "live_entries",
    "live_uniform",
    "popularity",
    "rewalks",
]

Floats = npt.NDArray[np.float64]


def popularity(pages: int, exponent: float = 0.0) -> Floats:
    """Access probabilities of ``pages`` pages by rank: 0 uniform, else Zipf.

    Returns:
        float64 [pages], falling, sum 1.

    Raises:
        ValueError: no page, or a negative exponent.
    """
    if pages < 1:
        raise ValueError(f"pages: {pages} must be at least 1")
    if exponent < 0:
        raise ValueError(f"exponent: {exponent} must be 0 or more")
    weights = np.arange(1, pages + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def live_uniform() -> sp.Expr:
    """Live entries at a flush, uniform working set of w pages that fits, A accesses.

    The closed form in symbols ``w`` and ``A``: w (1 - (1 - 1/w)^A).
    """
    pages, accesses = sp.symbols("w A", positive=True)
    return pages * (1 - (1 - 1 / pages) ** accesses)


def fits(pages: int, sets: int, ways: int) -> bool:
    """Whether contiguous pages 0..pages-1 leave no set (page mod sets) over its ways."""
    return pages <= sets * ways


def che_time(shares: Floats, ways: int) -> float:
    """Characteristic time of one LRU set, in accesses; infinite when its pages fit.

    Args:
        shares: access probabilities of the pages of the set, over all accesses.
        ways: entries of the set.
    """
    if np.count_nonzero(shares) <= ways:
        return np.inf

    def over(time: float) -> float:
        return float(-np.expm1(-shares * time).sum() - ways)

    high = ways / float(shares.sum())
    while over(high) < 0:
        high *= 2
    return float(brentq(over, 0.0, high, rtol=1e-10))


def live_entries(shares: Floats, accesses: float, sets: int, ways: int) -> float:
    """Expected live entries of one CPU at a flush, all of which a full flush loses.

    Args:
        shares: access probability of page i, in page order (set = page mod sets).
        accesses: accesses of the CPU since its last flush; 0 gives 0.
        sets: sets of the TLB.
        ways: entries of a set.

    Raises:
        ValueError: fewer than one set or way, negative accesses, shares that do not sum to
            1 or less.
    """
    _check(shares, accesses, sets, ways)
    touched = _touched(shares, accesses)
    if fits(len(shares), sets, ways):
        return float(touched.sum())
    return sum(_capped(touched[at::sets], ways) for at in range(min(sets, len(shares))))


def live_by_che(shares: Floats, accesses: float, sets: int, ways: int) -> float:
    """As :func:`live_entries` by Che's approximation; too high while a set is filling up.

    A set counts every page touched within its characteristic time, so near A = T it misses
    that D scatters around ``ways`` (7 % at worst in the tests), and is right on both sides.
    """
    _check(shares, accesses, sets, ways)
    total = 0.0
    for at in range(min(sets, len(shares))):
        group = shares[at::sets]
        total += float(-np.expm1(-group * min(accesses, che_time(group, ways))).sum())
    return total


def _touched(shares: Floats, accesses: float) -> Floats:
    """P(page i was touched at least once in the given number of accesses)."""
    kept = np.log1p(-np.minimum(shares, 1 - 1e-12))
    return np.asarray(-np.expm1(accesses * kept), dtype=np.float64)


def _capped(touched: Floats, ways: int) -> float:
    """E min(D, ways), D the number of independent events of the given probabilities."""
    below = np.zeros(ways)  # P(D = k) for k < ways
    below[0] = 1.0
    for share in touched:
        below[1:] = below[1:] * (1 - share) + below[:-1] * share
        below[0] *= 1 - share
    return float(ways - (below * (ways - np.arange(ways))).sum())


def rewalks(shares: Floats, accesses: float, sets: int, ways: int) -> float:
    """Walks that one flush causes when there is one every ``accesses`` accesses.

    Arguments and errors as :func:`live_entries`.
    """
    _check(shares, accesses, sets, ways)
    total = 0.0
    for at in range(min(sets, len(shares))):
        group = shares[at::sets]
        time = che_time(group, ways)
        age = min(accesses, time)
        total += float((-np.expm1(-group * age) - group * age * np.exp(-group * time)).sum())
    return total


def _check(shares: Floats, accesses: float, sets: int, ways: int) -> None:
    for name, value in (("sets", sets), ("ways", ways)):
        if value < 1:
            raise ValueError(f"{name}: {value} must be at least 1")
    if accesses < 0:
        raise ValueError(f"accesses: {accesses} must be 0 or more")
    if shares.min() < 0 or shares.sum() > 1 + 1e-9:
        raise ValueError("shares: must be 0 or more and sum to 1 or less")
