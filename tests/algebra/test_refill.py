"""Lost entries and the walks that follow: closed forms against the simulated machine."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from mcost.algebra.refill import (
    che_time,
    fits,
    live_by_che,
    live_entries,
    live_uniform,
    popularity,
    rewalks,
)
from mcost.simulator.api import simulate
from mcost.spec.counts import Counts
from mcost.spec.designs import design
from mcost.spec.kernels import kernel
from mcost.traces.schema import ATTACH, INVALIDATE, KINDS, SWITCH, TOUCH, Trace

FLUSHES = 300
ELSEWHERE = 10**7


def run(shares, accesses: int, sets: int, ways: int, flush: bool = True) -> Counts[int]:
    """One CPU touches pages by ``shares``; another flushes an unrelated page now and then."""
    rng = np.random.default_rng(7)
    touched = rng.choice(len(shares), size=(FLUSHES, accesses), p=shares)

    def column(first: int, last: int, body, end: int):
        table = np.empty((FLUSHES, accesses + 1), dtype=np.int64)
        table[:, :accesses], table[:, accesses] = body, end
        return np.concatenate([[first, last], table.ravel()])

    size = FLUSHES * (accesses + 1) + 2
    trace = Trace.build(
        time=np.arange(size),
        cpu=column(0, 0, 0, 1),
        event=column(ATTACH, SWITCH, TOUCH, INVALIDATE),
        mm=np.zeros(size),
        page=column(0, 0, touched, ELSEWHERE),
        pages=column(0, 0, 0, 1),
        kind=np.full(size, KINDS.index("zap")),
    )
    who = design("notifier" if flush else "host-mm")
    return simulate(trace, who, kernel("6.12"), cpus=2, sets=sets, ways=ways)


@pytest.mark.parametrize(
    ("pages", "exponent", "accesses"), [(200, 0.0, 150), (200, 1.0, 500), (1000, 0.8, 400)]
)
def test_a_working_set_that_fits(pages, exponent, accesses) -> None:
    shares = np.random.default_rng(1).permutation(popularity(pages, exponent))
    assert fits(pages, 128, 12)
    seen = run(shares, accesses, 128, 12).lost_entries / FLUSHES
    expected = live_entries(shares, accesses, 128, 12)
    touched = -np.expm1(accesses * np.log1p(-shares))
    half = 3.3 * sqrt((touched * (1 - touched)).sum() / FLUSHES)  # variance bound: independent
    assert abs(seen - expected) <= half
    assert live_by_che(shares, accesses, 128, 12) == pytest.approx(expected, rel=0.01)
    assert rewalks(shares, accesses, 128, 12) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("pages", "exponent", "accesses", "che"),
    [(300, 0.8, 60, 0.08), (300, 0.8, 100, 0.12), (1000, 1.0, 3000, 0.001), (80, 0.0, 400, 0.003)],
)
def test_one_that_does_not_fit(pages, exponent, accesses, che) -> None:
    """Exact for E min(D, ways); Che's approximation within the error stated for it."""
    shares = np.random.default_rng(1).permutation(popularity(pages, exponent))
    assert not fits(pages, 16, 4)
    seen = run(shares, accesses, 16, 4).lost_entries / FLUSHES
    expected = live_entries(shares, accesses, 16, 4)
    half = 3.3 * sqrt(16 * 4 / 4 / FLUSHES)  # 16 sets of at most 4: variance at most 4 each
    assert abs(seen - expected) <= half
    assert seen * (1 - 0.01) <= live_by_che(shares, accesses, 16, 4) <= seen * (1 + che)


@pytest.mark.parametrize(
    ("pages", "accesses", "sets", "ways", "within"),
    [(200, 150, 128, 12, 0.02), (3000, 1500, 128, 12, 0.03), (300, 60, 16, 4, 0.15)],
)
def test_walks_that_flushes_cause(pages, accesses, sets, ways, within) -> None:
    """Walks with flushes less walks without; Che is the better the more ways a set has."""
    shares = np.random.default_rng(1).permutation(popularity(pages, 0.9))
    with_flush, without = (run(shares, accesses, sets, ways, flush) for flush in (True, False))
    seen = (with_flush.walks - without.walks) / FLUSHES
    assert rewalks(shares, accesses, sets, ways) == pytest.approx(seen, rel=within)


def test_the_uniform_closed_form_is_the_sum() -> None:
    form = live_uniform()
    for pages, accesses in ((50, 10), (50, 400), (1536, 1000)):
        known = {"w": pages, "A": accesses}
        value = float(form.subs({symbol: known[symbol.name] for symbol in form.free_symbols}))
        assert value == pytest.approx(live_entries(popularity(pages), accesses, 128, 12))


def test_edges() -> None:
    shares = popularity(100)
    assert live_entries(shares, 0, 4, 4) == 0
    assert live_entries(shares, 10**6, 4, 4) == pytest.approx(16)
    assert che_time(popularity(4), 4) == np.inf
    root = che_time(shares, 10)
    assert -np.expm1(-shares * root).sum() == pytest.approx(10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: popularity(0), "pages: 0"),
        (lambda: popularity(5, -1.0), "exponent: -1.0"),
        (lambda: live_entries(popularity(5), 1, 0, 4), "sets: 0"),
        (lambda: live_entries(popularity(5), 1, 4, 0), "ways: 0"),
        (lambda: live_entries(popularity(5), -1, 4, 4), "accesses: -1"),
        (lambda: live_entries(2 * popularity(5), 1, 4, 4), "shares: must be"),
    ],
)
def test_impossible_questions_are_refused(call, says) -> None:
    with pytest.raises(ValueError, match=says):
        call()
