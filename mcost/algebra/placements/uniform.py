"""``uniform``: each sharer visited a uniform subset of T CPUs; masks keep stale bits.

With a sharer as initiator, c is a CPU of M_1 on which sharer 1 runs now, whoever else
visited it; the others' subsets and the order of visits are independent of that.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Dummy, Eq, Expr, Integer, Piecewise, Sum, binomial

from mcost.algebra.lemmas import avoid, avoid_through, geometric, geometric_slope
from mcost.algebra.moments import Moment, bernoulli, constant, indicator_sum, thin
from mcost.algebra.placements.common import everyone, one_round, running_only
from mcost.algebra.placements.reach import Reach, Targets, Unknown
from mcost.algebra.symbols import Values

__all__ = ["uniform"]

_ICR = "the shorthand needs P(all CPUs told), an alternating sum over N"
_THINNED = "P(no told CPU) when visitors are displaced is an alternating sum over N"


def uniform(v: Values, initiator: str, lazy_masks: bool, cluster: int) -> Reach:
    """Coverage of CPUs by random subsets: indicator sums over CPUs and over sharers.

    Args:
        v: symbols or numbers.
        initiator: ``outside`` or ``sharer``.
        lazy_masks: True; the scenario refuses eager masks here.
        cluster: irrelevant: only single-target rounds have a closed form for ICR writes.
    """
    del lazy_masks, cluster
    sharer = initiator == "sharer"
    others = v.cpus - 1
    free, pair = _uncovered(v, sharer)
    covered = indicator_sum(others, 1 - free, 1 - 2 * free + pair)
    running = indicator_sum(others, v.share * (1 - free), v.share**2 * (1 - 2 * free + pair))
    stale = indicator_sum(
        others, (1 - v.share) * (1 - free), (1 - v.share) ** 2 * (1 - 2 * free + pair)
    )
    empty = _empty(v, sharer)
    some_runs: Expr | Unknown = 1 - empty if v.share == 1 else _THINNED
    calls = _rounds(v, sharer)
    single: Expr | Unknown = calls.mean if v.threads == 1 else _ICR
    each = running_only(running, calls, single)
    union = one_round(covered, running, stale, 1 - empty, _ICR)

    def holding(told: Expr) -> Targets:
        count = thin(running, told, told * (1 - told))
        rounds = bernoulli(some_runs) if told == 1 and not isinstance(some_runs, str) else _THINNED
        return running_only(count, rounds, _ICR)

    return Reach(
        running=running,
        running_all=_with_initiator(v, running, sharer, v.share),
        masked_all=_with_initiator(v, covered, sharer, Integer(1)),
        lazy=constant(0),
        each=each,
        each_freed=_freed(v, sharer),
        trims=False,
        settled=each,
        union=union,
        union_freed=union,
        loaded=one_round(running, running, constant(0), some_runs, _ICR),
        everyone=everyone(v.cpus, running, constant(0), running),
        holding=holding,
    )


def _uncovered(v: Values, sharer: bool) -> tuple[Expr, Expr]:
    """P(one other CPU, two other CPUs are in no mask)."""
    rest = v.sharers - 1 if sharer else v.sharers
    one, two = (avoid(v.cpus, v.threads, k) ** rest for k in (1, 2))
    if sharer:
        one *= avoid_through(v.cpus, v.threads, 1)
        two *= avoid_through(v.cpus, v.threads, 2)
    return one, two


def _empty(v: Values, sharer: bool) -> Expr:
    """P(no other CPU is in any mask): every subset is {c}, so T = 1."""
    rest = v.sharers - 1 if sharer else v.sharers
    alone = Piecewise((v.cpus ** (-rest), Eq(v.threads, 1)), (Integer(0), True))
    return Piecewise((Integer(1), Eq(v.sharers, 0)), (alone, True))


def _with_initiator(v: Values, count: Moment, sharer: bool, keep: Expr) -> Moment:
    """The count with c: c is one more CPU like the others, or certain."""
    if sharer:
        return count.plus(constant(1))
    one, two = (avoid(v.cpus, v.threads, k) ** v.sharers for k in (1, 2))
    return indicator_sum(v.cpus, keep * (1 - one), keep**2 * (1 - 2 * one + two))


def _freed(v: Values, sharer: bool) -> Targets:
    """Everyone in each mask: sums over sharers of |M_i less c|."""
    in_mask = 1 - avoid(v.cpus, v.threads, 1)
    hit = bernoulli(in_mask)
    rest = v.sharers - 1 if sharer else v.sharers
    ipis = Moment(rest * (v.threads - hit.mean), rest * hit.variance)
    lonely = Piecewise((1 / v.cpus, Eq(v.threads, 1)), (Integer(0), True))
    calls = Moment(rest * (1 - lonely), rest * lonely * (1 - lonely))
    if sharer:
        ipis = ipis.plus(constant(v.threads - 1))
        calls = calls.plus(constant(Piecewise((Integer(0), Eq(v.threads, 1)), (Integer(1), True))))
    icr: Expr | Unknown = calls.mean if v.threads == 1 else _ICR
    return Targets(
        ipis=ipis,
        sharer=Moment(v.share * ipis.mean, None),
        idle=constant(0),
        bystander=Moment((1 - v.share) * ipis.mean, None),
        rounds=calls,
        icr=icr,
    )


def _rounds(v: Values, sharer: bool) -> Moment:
    """Sharers that still run on some other CPU; only the mean has a closed form.

    A visitor stays on a set A of its CPUs if none of the l later sharers visits A and no
    bystander comes; l is uniform on 0 .. S - 1. Inclusion-exclusion over A (m CPUs), and
    the sum over l is geometric.
    """
    if v.sharers == 0:
        return constant(0)
    if not sharer:
        return Moment(v.sharers * (1 - _gone(v, _stays)), None)
    own = 1 - _alternating(v.threads - 1, lambda m: _stays(v, m))
    if v.sharers == 1:
        return Moment(own, None)
    return Moment(own + (v.sharers - 1) * (1 - _gone(v, _stays_beside_initiator)), None)


def _stays(v: Values, m: Expr) -> Expr:
    """P(a sharer is still loaded on m given CPUs of its own)."""
    missed = avoid(v.cpus, v.threads, m)
    return v.share**m * geometric(missed, v.sharers) / v.sharers


def _stays_beside_initiator(v: Values, m: Expr) -> Expr:
    """The same when one of the other sharers is known to visit c.

    Sharer 1 is among the l later ones with probability l / (S - 1).
    """
    missed = avoid(v.cpus, v.threads, m)
    through = avoid_through(v.cpus, v.threads, m)
    slope = geometric_slope(missed, v.sharers)
    total = geometric(missed, v.sharers) + (through - missed) / (v.sharers - 1) * slope
    return v.share**m * total / v.sharers


def _gone(v: Values, stays: Callable[[Values, Expr], Expr]) -> Expr:
    """P(a sharer runs on none of its CPUs but c), by whether c is one of them."""
    without_c = avoid(v.cpus, v.threads, 1)
    apart = _alternating(v.threads, lambda m: stays(v, m))
    beside = _alternating(v.threads - 1, lambda m: stays(v, m))
    return without_c * apart + (1 - without_c) * beside


def _alternating(n: Expr, stays: Callable[[Expr], Expr]) -> Expr:
    """P(none of n CPUs stays): sum over m of (-1)^m C(n, m) P(m given ones stay)."""
    if n.is_number:
        terms = ((-1) ** m * binomial(n, m) * stays(Integer(m)) for m in range(1, int(n) + 1))
        return sum(terms, Integer(1))
    m = Dummy("m", integer=True, positive=True)
    return 1 + Sum((-1) ** m * binomial(n, m) * stays(m), (m, 1, n))
