"""What told CPUs do: INVLPGs and drops, and which receivers had something to drop."""

from __future__ import annotations

from sympy import Expr, Integer

from mcost.algebra.flush_events import Plan, Run, fresh_pages, if_page_wise
from mcost.algebra.moments import ZERO, Moment, bernoulli, constant, thin
from mcost.algebra.placements import Reach, Unknown
from mcost.algebra.symbols import Values
from mcost.algebra.told import RING
from mcost.spec.designs import Design
from mcost.spec.operations import Operation

__all__ = ["dropped", "holds", "useful"]

_OVERFLOW = "more than 256 events overflow the ring, and who has swept by then is not derived"


def holds(pages: Expr, held: Expr) -> Expr:
    """P(a CPU that runs a sharer holds at least one of ``pages`` pages)."""
    return 1 - (1 - held) ** pages


def dropped(
    design: Design, reach: Reach, steps: Plan, v: Values
) -> tuple[Moment | Unknown, Moment | Unknown, Moment | Unknown]:
    """(page_flushes, full_flushes, global_flushes) of one operation, initiator included."""
    if design.delivery not in ("ipi", "deferred"):
        return ZERO, ZERO, ZERO
    if design.tracks == "holders":
        return _oracle(reach, steps, v), ZERO, ZERO
    if design.scope == "everything":
        told = constant(v.cpus) if design.tracks == "nothing" else reach.masked_all
        return ZERO, ZERO, told.times(steps.total)
    if not design.bumps:
        return ZERO, ZERO, ZERO
    pages, full = _per_cpu(design, steps)
    if design.delivery == "deferred":
        return _only_initiator(reach, steps, pages, full)
    return reach.running_all.times(pages), reach.running_all.times(full + steps.freed), ZERO


def _per_cpu(design: Design, steps: Plan) -> tuple[Expr, Expr]:
    """(INVLPGs, drops) that one running CPU does over the events that name pages."""
    if design.scope != "pages-or-asid":
        return Integer(0), steps.named
    if steps.bumps - steps.freed != steps.named:
        # generations move once a page of the batch, so only one-page events are one behind
        ones = steps.sum(lambda size: if_page_wise(size, Integer(1), Integer(0), limit=1))
        return ones, steps.named - ones
    return (
        steps.sum(lambda size: if_page_wise(size, size, Integer(0))),
        steps.sum(lambda size: if_page_wise(size, Integer(0), Integer(1))),
    )


def _only_initiator(
    reach: Reach, steps: Plan, pages: Expr, full: Expr
) -> tuple[Moment | Unknown, Moment | Unknown, Moment]:
    """deferred, until the call returns: the others flush later, unless tables are freed."""
    if steps.named.is_number and steps.named > RING:
        return _OVERFLOW, _OVERFLOW, ZERO
    c_runs = bernoulli(reach.running_all.mean - reach.running.mean)
    freed = reach.running_all.times(steps.freed)
    return c_runs.times(pages), c_runs.times(full).plus(freed), ZERO


def _oracle(reach: Reach, steps: Plan, v: Values) -> Moment:
    """exact: every running CPU that holds a page of an event INVLPGs all of the event."""
    mean = steps.sum(lambda size: size * holds(size, v.held))
    variance = steps.sum(lambda size: size**2 * holds(size, v.held) * (1 - holds(size, v.held)))
    return thin(reach.running_all, mean, variance)


def useful(design: Design, reach: Reach, steps: Plan, v: Values, op: Operation) -> Moment | Unknown:
    """Receivers that drop an outdated translation: held pages go with the first drop of each.

    Only CPUs that run a sharer hold translations in these placements. An ``upgrade``
    outdates none.
    """
    if op.per == "none":
        return ZERO
    if design.delivery == "deferred":
        if steps.named.is_number and steps.named > RING:
            return _OVERFLOW
        return _useful_runs(reach, [Run(Integer(steps.freed), v.pages)], v)
    if design.delivery != "ipi" or not (design.bumps or _drops_unasked(design)):
        return ZERO
    if steps.total == 0:
        return ZERO
    page_wise = design.scope in ("pages", "pages-or-asid")
    held_back = steps.bumps - steps.freed != steps.named
    runs = fresh_pages(steps, v.pages, page_wise and not held_back, design.tracks != "holders")
    if page_wise and held_back and design.tracks == "holders":
        runs = list(steps.runs)
    return _useful_runs(reach, runs, v)


def _drops_unasked(design: Design) -> bool:
    """Designs whose told CPUs drop without comparing generations."""
    return design.scope == "everything" or design.tracks == "holders"


def _useful_runs(reach: Reach, runs: list[Run], v: Values) -> Moment:
    mean = sum((run.count * holds(run.size, v.held) for run in runs), Integer(0))
    variance = sum(
        (run.count * holds(run.size, v.held) * (1 - holds(run.size, v.held)) for run in runs),
        Integer(0),
    )
    return thin(reach.running, mean, variance)
