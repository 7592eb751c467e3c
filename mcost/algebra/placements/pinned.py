"""``pinned``: thread k of all S T threads on CPU k mod N; on a shared CPU the last is loaded.

Everything is certain but the initiator's CPU, which is uniform among those it may be on.
"""

from __future__ import annotations

from sympy import Eq, Expr, Integer, Max, Min, Mod, Piecewise, ceiling, floor, sign

from mcost.algebra.moments import Moment, bernoulli, constant, thin
from mcost.algebra.placements.common import everyone, one_round, running_only
from mcost.algebra.placements.reach import Reach, Targets, Unknown
from mcost.algebra.symbols import Values

__all__ = ["pinned"]

_ICR = "a sharer's pinned CPUs straddle x2APIC clusters irregularly"
_HELD = "depends on how many CPUs happen to hold the page in each round"


def pinned(v: Values, initiator: str, lazy_masks: bool, cluster: int) -> Reach:
    """Counts of loaded CPUs and of sharers that still have one.

    Args:
        v: symbols or numbers.
        initiator: ``outside`` is uniform over all CPUs, ``sharer`` over those that run one,
            ``apart`` over the rest.
        lazy_masks: whether the threads that lost their CPU left their bit.
        cluster: CPUs of one ICR write.
    """
    used = Min(v.cpus, v.sharers * v.threads)
    c_runs = {"outside": used / v.cpus, "sharer": Integer(1), "apart": Integer(0)}[initiator]
    own = bernoulli(c_runs)
    running = own.minus_from(used)
    rounds = _loaded_sharers(v, used, c_runs)
    some = Piecewise((Integer(1), used >= 2), (1 - c_runs, Eq(used, 1)), (Integer(0), True))
    single: Expr | Unknown = rounds.mean if v.threads == 1 else _ICR
    each = running_only(running, rounds, single)
    icr = _one_round_icr(v, used, c_runs, cluster)
    one = one_round(running, running, constant(0), some, icr)

    def holding(told: Expr) -> Targets:
        if told == 1:
            return running_only(running, bernoulli(some), icr)
        count = thin(running, told, told * (1 - told))
        miss = (1 - told) ** used * (c_runs / (1 - told) + 1 - c_runs)
        return running_only(count, bernoulli(1 - miss), _HELD)

    return Reach(
        running=running,
        running_all=constant(used),
        masked_all=constant(used),
        lazy=constant(0),
        each=each,
        each_freed=_freed(v, used, initiator) if lazy_masks else each,
        trims=False,
        settled=each,
        union=one,
        union_freed=one,
        loaded=one,
        everyone=everyone(v.cpus, running, constant(0), running),
        holding=holding,
    )


def _loaded_sharers(v: Values, used: Expr, c_runs: Expr) -> Moment:
    """Sharers with a loaded CPU other than c.

    The last ``used`` threads are loaded. A sharer whose only loaded CPU is c drops out; that
    is any sharer for T = 1, else at most the one that lost all CPUs but one.
    """
    lost = v.sharers * v.threads - used
    partial = v.threads - Mod(lost, v.threads)
    lonely = Piecewise(
        (used, Eq(v.threads, 1)), (Integer(1), Eq(partial, 1) & (used > 0)), (Integer(0), True)
    )
    drops = bernoulli(c_runs * lonely / Max(used, 1))
    return drops.minus_from(v.sharers - floor(lost / v.threads))


def _freed(v: Values, used: Expr, initiator: str) -> Targets:
    """Lazy masks: all T bits of every sharer, less those on c; every CPU used runs one."""
    threads = v.sharers * v.threads
    level, extra = floor(threads / v.cpus), Mod(threads, v.cpus)
    if initiator == "outside":
        on_c = bernoulli(extra / v.cpus).plus(constant(level))
    elif initiator == "sharer":
        crowded = Piecewise((extra / v.cpus, threads >= v.cpus), (Integer(0), True))
        on_c = bernoulli(crowded).plus(constant(Max(level, sign(used))))
    else:
        on_c = constant(0)
    ipis = on_c.minus_from(threads)
    rounds = Moment(
        Piecewise((ipis.mean, Eq(v.threads, 1)), (v.sharers, True)),
        Piecewise((ipis.variance, Eq(v.threads, 1)), (Integer(0), True)),
    )
    single: Expr | Unknown = rounds.mean if v.threads == 1 else _ICR
    return Targets(ipis, ipis, constant(0), constant(0), rounds, single)


def _one_round_icr(v: Values, used: Expr, c_runs: Expr, cluster: int) -> Expr:
    """ICR writes of a round to CPUs 0 .. used - 1 less c: clusters, or 1 for all others."""
    clusters = ceiling(used / cluster)
    alone = used if cluster == 1 else Piecewise((Integer(1), Eq(Mod(used, cluster), 1)), (0, True))
    inside = Piecewise(
        (Integer(0), used <= 1), (Integer(1), Eq(used, v.cpus)), (clusters - alone / used, True)
    )
    outside = Piecewise(
        (Integer(0), Eq(used, 0)), (Integer(1), Eq(used, v.cpus - 1)), (clusters, True)
    )
    return c_runs * inside + (1 - c_runs) * outside
