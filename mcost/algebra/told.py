"""Whom one operation tells: the target sets of its events in turn, by what a design tracks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, Integer, Max, Min

from mcost.algebra.flush_events import Plan
from mcost.algebra.moments import ZERO, Moment
from mcost.algebra.placements import NO_TARGETS, Reach, Targets, Unknown
from mcost.spec.designs import Design

__all__ = ["RING", "Turn", "total", "turns"]

RING = 256
"""Records of one CPU's ring in LATR; the next event is sent by IPI (KF 10.2)."""

Turn = tuple[Expr, Targets]
"""(number of events, whom each of them tells)."""


def turns(design: Design, reach: Reach, steps: Plan, lazy_masks: bool) -> list[Turn]:
    """The target sets of one operation's events, each with its number of events.

    A flush can change whom the next one finds: a trimming flush or a freed one empties the
    masks of stale bits and of lazy CPUs. Otherwise all events tell the same CPUs.

    Args:
        design: its columns.
        reach: the frozen moment.
        steps: the flush events.
        lazy_masks: the kernel's mask policy.
    """
    if design.delivery == "deferred":
        overflow = Max(0, steps.named - RING)
        return [(overflow, reach.union), (Integer(steps.freed), reach.union_freed)]
    if design.delivery != "ipi":
        return [(steps.total, NO_TARGETS)]
    first, later, freed = _stages(design, reach, lazy_masks)
    start = Min(1, steps.named)
    parts = [(start, first)]
    if design.scope == "tables" and design.tracks == "each" and lazy_masks:
        # a lazy CPU unloads its mm, is found once more without one, and then leaves the mask
        again = Max(0, Min(1, steps.named - 1))
        parts.append((again, _with_lazy(later, reach)))
        start += again
    return [*parts, (steps.named - start, later), (Integer(steps.freed), freed)]


def _stages(design: Design, reach: Reach, lazy_masks: bool) -> tuple[Targets, Targets, Targets]:
    """Targets of the first event, of later ones, and of one that frees tables after them."""
    everything, tables = design.scope == "everything", design.scope == "tables"
    if design.tracks == "nothing":
        every = reach.everyone if everything else _awake(reach)
        stages = (every, every, reach.everyone)
    elif design.tracks == "each" and tables:
        stages = (reach.each_freed, reach.settled, reach.settled)
    elif design.tracks == "each":
        freed = reach.settled if reach.trims else reach.each_freed
        stages = (reach.each, reach.settled, freed)
    elif everything or tables:
        later = reach.union if tables and not lazy_masks else reach.union_freed
        stages = (reach.union_freed, later, later)
    elif design.tracks == "region":
        stages = _region_stages(reach, lazy_masks)
    else:
        told = reach.loaded if design.tracks == "running" else reach.union
        stages = (told, told, reach.union_freed)
    return stages


def _region_stages(reach: Reach, lazy_masks: bool) -> tuple[Targets, Targets, Targets]:
    """The first round clears the stale bits of a lazily kept region mask."""
    settled = reach.loaded if lazy_masks and reach.lazy.mean == 0 else reach.union_freed
    return reach.union, reach.loaded if lazy_masks else reach.union, settled


def _awake(reach: Reach) -> Targets:
    every = reach.everyone
    ipis = Moment(every.ipis.mean - reach.lazy.mean, reach.lazy.variance)
    icr = "simulation only" if reach.lazy.mean != 0 else every.icr
    return replace(every, ipis=ipis, idle=ZERO, icr=icr)


def _with_lazy(targets: Targets, reach: Reach) -> Targets:
    """The targets and the lazy CPUs that an earlier freed flush left with nothing loaded."""
    if reach.lazy.mean == 0:
        return targets
    why = "rounds of lazy CPUs found with nothing loaded are not derived"
    return replace(
        targets,
        ipis=Moment(targets.ipis.mean + reach.lazy.mean, None),
        idle=reach.lazy,
        rounds=why,
        icr=why,
    )


def total(parts: list[Turn], pick: Callable[[Targets], Moment | Unknown]) -> Moment | Unknown:
    """Sum of one count over all events; events that tell the same CPUs move together.

    Args:
        parts: from :func:`turns`.
        pick: the count of one target set.

    Returns:
        The moment; its variance is None when two different random sets are added. The reason
        (a string) when one of them has no closed form.
    """
    same: dict[Moment, Expr] = {}
    for events, targets in parts:
        if events == 0:
            continue
        value = pick(targets)
        if isinstance(value, Unknown):
            return value
        same[value] = same.get(value, Integer(0)) + events
    answer = ZERO
    for value, events in same.items():
        answer = answer.plus(value.times(events))
    return answer
