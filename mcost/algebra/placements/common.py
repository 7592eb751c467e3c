"""Target sets that every placement derives in the same way."""

from __future__ import annotations

from sympy import Eq, Expr, Integer, Piecewise

from mcost.algebra.moments import ZERO, Moment, bernoulli, constant
from mcost.algebra.placements.reach import Targets, Unknown

__all__ = ["everyone", "one_round", "running_only"]


def everyone(cpus: Expr, running: Moment, lazy: Moment, occupied: Moment) -> Targets:
    """All other online CPUs: N - 1 IPIs, one ICR write by shorthand; nothing for N = 1.

    Args:
        cpus: N.
        running: other CPUs that run a sharer.
        lazy: other CPUs that are lazy on one.
        occupied: both together.
    """
    others = cpus - 1
    any_other = Piecewise((Integer(0), Eq(cpus, 1)), (Integer(1), True))
    return Targets(
        ipis=constant(others),
        sharer=running,
        idle=lazy,
        bystander=occupied.minus_from(others),
        rounds=constant(any_other),
        icr=any_other,
    )


def one_round(
    ipis: Moment, running: Moment, bystander: Moment, some: Expr | Unknown, icr: Expr | Unknown
) -> Targets:
    """One call to a set without lazy CPUs.

    Args:
        ipis: size of the set.
        running, bystander: its CPUs by what they do.
        some: P(the set is not empty).
        icr: expected ICR writes.
    """
    rounds = some if isinstance(some, Unknown) else bernoulli(some)
    return Targets(ipis, running, ZERO, bystander, rounds, icr)


def running_only(running: Moment, rounds: Moment | Unknown, icr: Expr | Unknown) -> Targets:
    """CPUs that run a sharer, whatever the number of calls."""
    return Targets(running, running, ZERO, ZERO, rounds, icr)
