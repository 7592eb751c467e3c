"""What a placement says about one frozen moment: who would be told by each way of tracking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Integer

from mcost.algebra.moments import ZERO, Moment

__all__ = ["NO_TARGETS", "Reach", "Targets", "Unknown"]

Unknown = str
"""Why something has no closed form here: "simulation only", with this reason."""


@dataclass(frozen=True)
class Targets:
    """Remote CPUs that one flush event interrupts.

    Attributes:
        ipis: how many.
        sharer, idle, bystander: how many of them by what they were doing; they add up.
        rounds: flush calls with at least one of them.
        icr: expected ICR writes.
    """

    ipis: Moment
    sharer: Moment | Unknown
    idle: Moment | Unknown
    bystander: Moment | Unknown
    rounds: Moment | Unknown
    icr: Expr | Unknown


NO_TARGETS = Targets(ZERO, ZERO, ZERO, ZERO, ZERO, Integer(0))


@dataclass(frozen=True)
class Reach:
    """One placement, initiator and mask policy, at one moment; c is the initiator.

    Attributes:
        running: R less c: other CPUs that run a sharer.
        running_all: R, c included.
        masked_all: CPUs in some sharer's mask, c included.
        lazy: other CPUs that are lazy on a sharer.
        each: one flush of each sharer's mm that frees no table.
        each_freed: the same freeing page tables: everyone in the masks.
        trims: ``each`` above is a trimming flush, which empties stale bits.
        settled: ``each`` once no stale bit and no lazy CPU is left in the masks.
        union: OR of the masks, lazy CPUs left out.
        union_freed: OR of the masks, lazy CPUs too.
        loaded: CPUs of the union that have a sharer loaded and are not lazy.
        everyone: every other online CPU.
        holding: given P(a running CPU is told), the running CPUs told independently.
    """

    running: Moment
    running_all: Moment
    masked_all: Moment
    lazy: Moment
    each: Targets
    each_freed: Targets
    trims: bool
    settled: Targets
    union: Targets
    union_freed: Targets
    loaded: Targets
    everyone: Targets
    holding: Callable[[Expr], Targets]
