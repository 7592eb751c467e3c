"""``snapshot``: each CPU independently runs sharer i, is lazy on one, or does something else.

Masks hold just the CPUs that have the mm loaded: exact with eager masks, and with lazy ones
for a machine whose masks have not gathered stale bits. Lazy CPUs hold no translation.
"""

from __future__ import annotations

from sympy import Expr, Integer

from mcost.algebra.apic import icr_writes
from mcost.algebra.moments import Moment, bernoulli, indicator_sum, thin
from mcost.algebra.placements.common import everyone, one_round, running_only
from mcost.algebra.placements.reach import Reach, Targets
from mcost.algebra.symbols import Values

__all__ = ["snapshot"]


def snapshot(v: Values, initiator: str, lazy_masks: bool, cluster: int) -> Reach:
    """Everything is a binomial of the N - 1 other CPUs, since they are independent.

    Args:
        v: symbols or numbers.
        initiator: ``outside`` draws c's own state like any CPU's; ``sharer`` runs one;
            ``apart`` runs something else.
        lazy_masks: irrelevant here, no bit is stale.
        cluster: CPUs of one ICR write.
    """
    del lazy_masks
    others = v.cpus - 1
    run_i, idle_i = v.per_sharer
    run, lazy = v.share, v.idle
    running, idle = _binomial(others, run), _binomial(others, lazy)
    masked = _binomial(others, run + lazy)
    c_runs = {"outside": run, "sharer": Integer(1), "apart": Integer(0)}[initiator]
    c_masked = {"outside": run + lazy, "sharer": Integer(1), "apart": Integer(0)}[initiator]
    each = running_only(running, _calls(v, run_i), _each_icr(v, run_i, cluster))
    loaded = one_round(
        running, running, _binomial(others, Integer(0)), _some(v, run), _icr(v, run, cluster)
    )

    def holding(told: Expr) -> Targets:
        p = run * told
        count = thin(running, told, told * (1 - told))
        return running_only(count, bernoulli(_some(v, p)), _icr(v, p, cluster))

    return Reach(
        running=running,
        running_all=running.plus_independent(bernoulli(c_runs)),
        masked_all=masked.plus_independent(bernoulli(c_masked)),
        lazy=idle,
        each=each,
        each_freed=_with_lazy(
            masked, running, idle, _calls(v, run_i + idle_i), _each_icr(v, run_i + idle_i, cluster)
        ),
        trims=False,
        settled=each,
        union=loaded,
        union_freed=_with_lazy(
            masked,
            running,
            idle,
            bernoulli(_some(v, run + lazy)),
            _icr(v, run + lazy, cluster),
        ),
        loaded=loaded,
        everyone=everyone(v.cpus, running, idle, masked),
        holding=holding,
    )


def _binomial(n: Expr, p: Expr) -> Moment:
    return indicator_sum(n, p, p**2)


def _with_lazy(masked: Moment, running: Moment, idle: Moment, rounds: Moment, icr: Expr) -> Targets:
    return Targets(masked, running, idle, _binomial(Integer(0), Integer(0)), rounds, icr)


def _some(v: Values, p: Expr) -> Expr:
    """P(at least one of the N - 1 others)."""
    return 1 - (1 - p) ** (v.cpus - 1)


def _calls(v: Values, p: Expr) -> Moment:
    """Sharers with at least one other CPU: exchangeable indicators over S."""
    none = (1 - p) ** (v.cpus - 1)
    neither = (1 - 2 * p) ** (v.cpus - 1)
    return indicator_sum(v.sharers, 1 - none, 1 - 2 * none + neither)


def _icr(v: Values, p: Expr, cluster: int) -> Expr:
    return icr_writes(v.cpus, cluster, lambda size: (1 - p) ** size, p ** (v.cpus - 1))


def _each_icr(v: Values, p: Expr, cluster: int) -> Expr:
    return v.sharers * _icr(v, p, cluster)
