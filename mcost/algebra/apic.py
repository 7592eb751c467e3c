"""ICR writes of one round: one by shorthand, else one per x2APIC cluster or target.

Source: arch/x86/kernel/apic/ipi.c and x2apic_cluster.c, Linux 6.12 (KF 9.7).
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Eq, Expr, Integer, Mod, Piecewise, floor, sign

__all__ = ["icr_writes"]


def icr_writes(cpus: Expr, cluster: int, miss: Callable[[Expr], Expr], all_hit: Expr) -> Expr:
    """Expected ICR writes of one round with a random target set.

    Args:
        cpus: N. The initiator's place among them is uniform and independent of the set.
        cluster: CPUs that one write can reach (16, or 1 in physical mode).
        miss: probability that none of that many given CPUs, initiator apart, is a target.
        all_hit: probability that every CPU but the initiator is one (shorthand: one write).

    Returns:
        Sum over clusters of P(some CPU is hit), less what the shorthand saves; 0 for N = 1.
    """
    size = Integer(cluster)
    whole, rest = floor(cpus / size), Mod(cpus, size)
    hit = whole * _hit(cpus, size, miss)
    if rest != 0:  # miss(-1) of an empty cluster has a pole where every CPU is a target
        hit += sign(rest) * _hit(cpus, rest, miss)
    alone = Integer(1) if cluster == 1 else Piecewise((1 / cpus, Eq(rest, 1)), (0, True))
    saved = all_hit * (whole + sign(rest) - alone - 1)
    return Piecewise((Integer(0), Eq(cpus, 1)), (hit - saved, True))


def _hit(cpus: Expr, size: Expr, miss: Callable[[Expr], Expr]) -> Expr:
    """P(a cluster of ``size`` CPUs holds a target); the initiator may be one of them."""
    home = size / cpus
    return (1 - home) * (1 - miss(size)) + home * (1 - miss(size - 1))
