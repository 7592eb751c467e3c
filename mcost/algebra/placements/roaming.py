"""``roaming``: sharers move to uniform CPUs; with lazy masks every visit leaves a bit.

The positions X_0 .. X_K of a sharer are independent and uniform, K is Poisson with mean
rate x age, so the probability that a set of g CPUs was never visited is E[(1 - g/N)^(K+1)].
Given that the sharer is on c now, only its first K positions are free.
"""

from __future__ import annotations

from sympy import Eq, Expr, Integer, Piecewise

from mcost.algebra.lemmas import moves_power
from mcost.algebra.moments import Moment, bernoulli, constant, indicator_sum, thin
from mcost.algebra.placements.common import everyone, one_round, running_only
from mcost.algebra.placements.reach import Reach, Targets
from mcost.algebra.symbols import Values

__all__ = ["TRIM_SECONDS", "roaming"]

TRIM_SECONDS = 1
"""A flush later than this after the last trim is a trimming one (tip 6db2526c1d69)."""

_ICR = "the shorthand needs P(all CPUs told), an alternating sum over N"
_THINNED = "P(no told CPU) is an alternating sum over N when a holder may have no entry"


def roaming(v: Values, initiator: str, lazy_masks: bool, cluster: int) -> Reach:
    """Occupancy for who runs, and for masks the union of all positions since the last trim.

    Args:
        v: symbols or numbers; ``age`` above a second makes per-mm flushes trim.
        initiator: ``outside`` or ``sharer``.
        lazy_masks: True; the scenario refuses eager masks here.
        cluster: irrelevant: only single-target rounds have a closed form for ICR writes.
    """
    del lazy_masks, cluster
    sharer = initiator == "sharer"
    others, rest = v.cpus - 1, (v.sharers - 1 if sharer else v.sharers)
    empty1, empty2 = (1 - 1 / v.cpus) ** rest, (1 - 2 / v.cpus) ** rest
    running = indicator_sum(others, 1 - empty1, 1 - 2 * empty1 + empty2)
    free1, free2 = (
        _unvisited(v, g, False) ** rest * (_unvisited(v, g, True) if sharer else 1) for g in (1, 2)
    )
    covered = indicator_sum(others, 1 - free1, 1 - 2 * free1 + free2)
    both = _stale_pair(v, rest, sharer)
    stale = indicator_sum(others, empty1 - free1, both)
    some_runs, some_masked = 1 - v.cpus ** (-rest), 1 - _all_on(v, rest, sharer)
    plain = running_only(running, running, running.mean)
    freed = _freed(v, rest, sharer, empty1)
    trims = bool(v.age.is_number and v.age > TRIM_SECONDS)
    union = one_round(covered, running, stale, some_masked, _ICR)

    def holding(told: Expr) -> Targets:
        count = thin(running, told, told * (1 - told))
        rounds = bernoulli(some_runs) if told == 1 else _THINNED
        return running_only(count, rounds, _ICR)

    return Reach(
        running=running,
        running_all=_with_initiator(v, running, sharer, _empty(v)),
        masked_all=_with_initiator(v, covered, sharer, _free(v)),
        lazy=constant(0),
        each=freed if trims else plain,
        each_freed=freed,
        trims=trims,
        settled=plain,
        union=union,
        union_freed=union,
        loaded=one_round(running, running, constant(0), some_runs, _ICR),
        everyone=everyone(v.cpus, running, constant(0), running),
        holding=holding,
    )


def _unvisited(v: Values, chosen: int, on_c: bool) -> Expr:
    """P(a sharer never was on ``chosen`` given CPUs); ``on_c``: it is on c now."""
    q = 1 - chosen / v.cpus
    return moves_power(v.rate * v.age, q) * (1 if on_c else q)


def _stale_pair(v: Values, rest: Expr, sharer: bool) -> Expr:
    """P(two given other CPUs are both in a mask but run no sharer)."""
    now = (1 - 2 / v.cpus) ** rest

    # nobody is on either now; of the earlier positions, subtract those that miss one or both
    def missed(chosen: int) -> Expr:
        earlier = moves_power(v.rate * v.age, 1 - chosen / v.cpus)
        return earlier**rest * (earlier if sharer else 1)

    return now * (1 - 2 * missed(1) + missed(2))


def _empty(v: Values) -> tuple[Expr, Expr]:
    return (1 - 1 / v.cpus) ** v.sharers, (1 - 2 / v.cpus) ** v.sharers


def _free(v: Values) -> tuple[Expr, Expr]:
    return _unvisited(v, 1, False) ** v.sharers, _unvisited(v, 2, False) ** v.sharers


def _with_initiator(v: Values, count: Moment, sharer: bool, missed: tuple[Expr, Expr]) -> Moment:
    """The count with c: c is one more CPU like the others, or certain."""
    if sharer:
        return count.plus(constant(1))
    one, two = missed
    return indicator_sum(v.cpus, 1 - one, 1 - 2 * one + two)


def _all_on(v: Values, rest: Expr, sharer: bool) -> Expr:
    """P(every mask is within {c})."""
    stayed = moves_power(v.rate * v.age, 1 / v.cpus)
    alone = (stayed / v.cpus) ** rest * (stayed if sharer else 1)
    return Piecewise((Integer(1), Eq(v.sharers, 0)), (alone, True))


def _freed(v: Values, rest: Expr, sharer: bool, empty: Expr) -> Targets:
    """Everyone in each mask, less c: sums over independent sharers."""
    others = v.cpus - 1
    ipis, calls = _mask_less_c(v, False)
    total = Moment(rest * ipis.mean, None if ipis.variance is None else rest * ipis.variance)
    rounds = Moment(rest * calls, rest * calls * (1 - calls))
    # a receiver runs a sharer if the mask's own one is there now, or any other but sharer 1
    beside = (1 - 1 / v.cpus) ** Piecewise((0, Eq(rest, 0)), (rest - 1, True))
    left = (1 - 1 / v.cpus) - _unvisited(v, 1, False)
    busy = rest * others * (1 / v.cpus + left * (1 - beside))
    if sharer:
        mine, my_call = _mask_less_c(v, True)
        total = total.plus_independent(mine)
        rounds = rounds.plus_independent(bernoulli(my_call))
        busy += mine.mean * (1 - empty)
    return Targets(
        ipis=total,
        sharer=Moment(busy, None),
        idle=constant(0),
        bystander=Moment(total.mean - busy, None),
        rounds=rounds,
        icr=_ICR,
    )


def _mask_less_c(v: Values, on_c: bool) -> tuple[Moment, Expr]:
    """(|M_i less c|, P(it is not empty)) of one sharer."""
    one, two = (_unvisited(v, g, on_c) for g in (1, 2))
    size = indicator_sum(v.cpus - 1, 1 - one, 1 - 2 * one + two)
    stayed = moves_power(v.rate * v.age, 1 / v.cpus)
    return size, 1 - (stayed if on_c else stayed / v.cpus)
