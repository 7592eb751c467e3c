"""By what: scenario + design -> every count, as an expectation and a variance."""

from __future__ import annotations

from functools import lru_cache

from sympy import Expr, Integer, ceiling

from mcost.algebra.broadcasts import broadcasts
from mcost.algebra.flush_events import Plan, plan
from mcost.algebra.flushes import dropped, holds, useful
from mcost.algebra.moments import ZERO, Moment, constant, thin
from mcost.algebra.placements import LAWS, Reach, Targets, Unknown
from mcost.algebra.symbols import Values, numeric, symbolic
from mcost.algebra.told import Turn, total, turns
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.kernels import Kernel, kernel
from mcost.spec.operations import Operation, operation
from mcost.spec.scenario import APIC_MODES, Scenario
from mcost.spec.vocabulary import SIMULATED_ONLY

__all__ = ["Expected", "derive", "expect", "mean_sd"]

Expected = Moment | Unknown
"""A moment, or the reason (a string) why the cell is "simulation only"."""

_BETWEEN = "depends on what happens between operations"


def expect(scenario: Scenario, design: Design) -> Counts[Expected]:
    """Every count of one operation, in numbers.

    Args:
        scenario: the question. S = 0 tells nobody but under ``notifier``; N = 1 nobody.
        design: who answers it.

    Returns:
        Means and variances as SymPy numbers of ``symbols.DIGITS`` digits, or the reason why
        a count has no closed form. A variance is None where only the mean has one.
    """
    reach = _reach_of(scenario)
    steps = plan(scenario.op, scenario.variant, design, numeric(scenario))
    return _counts(design, reach, steps, numeric(scenario), scenario.op, scenario.variant)


def derive(
    design: Design,
    placement: str,
    initiator: str,
    op: str = "zap",
    kernel_name: str = "",
    apic: str = "cluster",
    **fixed: Expr | int,
) -> Counts[Expected]:
    """Every count in symbols, for people.

    Args:
        design: who answers.
        placement, initiator, op, kernel_name, apic: as in :class:`Scenario`.
        fixed: values of symbols that are not left open, by name in code.

    Raises:
        ValueError: an unknown name, or an initiator without a law in the placement.
    """
    if placement not in LAWS or initiator not in ("outside", "sharer", "apart"):
        raise ValueError(f"unknown placement {placement!r} or initiator {initiator!r}")
    variant = kernel(kernel_name)
    names = {**symbolic().__dict__, **{name: Integer(1) * v for name, v in fixed.items()}}
    values = Values(**names)
    reach = LAWS[placement](values, initiator, variant.lazy_masks, APIC_MODES[apic])
    steps = plan(operation(op), variant, design, values)
    return _counts(design, reach, steps, values, operation(op), variant)


@lru_cache(maxsize=256)
def _reach_of(scenario: Scenario) -> Reach:
    """The placement's answer, shared by all designs of one comparison."""
    return LAWS[scenario.placement](
        numeric(scenario),
        scenario.initiator,
        scenario.variant.lazy_masks,
        APIC_MODES[scenario.apic],
    )


def _counts(
    design: Design, reach: Reach, steps: Plan, v: Values, op: Operation, variant: Kernel
) -> Counts[Expected]:
    if design.tracks == "holders":
        sent = _oracle(reach, steps, v)
    else:
        sent = _sent(turns(design, reach, steps, variant.lazy_masks))
    pages, full, everything = dropped(design, reach, steps, v)
    bumps, words = _bookkeeping(design, steps, v)
    denied = reach.running_all.times(steps.total) if design.hook == "pair" else ZERO
    known: dict[str, Expected] = {
        "flush_events": constant(steps.total),
        **sent,
        "useful_ipis": useful(design, reach, steps, v, op),
        "page_flushes": pages,
        "full_flushes": full,
        "global_flushes": everything,
        "generation_bumps": constant(bumps),
        "mask_words": constant(words),
        "broadcasts": constant(broadcasts(design, steps, v)),
        "denied_cpus": denied,
    }
    return Counts(**known, **dict.fromkeys(SIMULATED_ONLY, _BETWEEN))


def _sent(parts: list[Turn]) -> dict[str, Expected]:
    """What interrupts: the counts of all target sets added up."""
    ipis = total(parts, lambda targets: targets.ipis)
    return {
        "rounds": total(parts, lambda targets: targets.rounds),
        "ipis": ipis,
        "sharer_ipis": total(parts, lambda targets: targets.sharer),
        "idle_ipis": total(parts, lambda targets: targets.idle),
        "bystander_ipis": total(parts, lambda targets: targets.bystander),
        "csds": ipis,
        "icr_writes": total(parts, _icr),
    }


def _icr(targets: Targets) -> Expected:
    if isinstance(targets.icr, Unknown):
        return targets.icr
    return Moment(targets.icr, Integer(0) if targets.ipis.variance == 0 else None)


def _oracle(reach: Reach, steps: Plan, v: Values) -> dict[str, Expected]:
    """exact: in each event the running CPUs that hold one of its pages, independently."""
    told = [(run.count, reach.holding(holds(run.size, v.held))) for run in steps.runs]
    ipis = thin(
        reach.running,
        steps.sum(lambda size: holds(size, v.held)),
        steps.sum(lambda size: holds(size, v.held) * (1 - holds(size, v.held))),
    )
    rounds = total(told, lambda targets: targets.rounds)
    if isinstance(rounds, Moment) and v.held != 1 and steps.named != 1:
        rounds = Moment(rounds.mean, None)
    return {
        "rounds": rounds,
        "ipis": ipis,
        "sharer_ipis": ipis,
        "idle_ipis": ZERO,
        "bystander_ipis": ZERO,
        "csds": ipis,
        "icr_writes": total(told, _icr),
    }


def _bookkeeping(design: Design, steps: Plan, v: Values) -> tuple[Expr, Expr]:
    """(generation_bumps, mask_words) of one operation; they do not depend on who runs."""
    words = ceiling(v.cpus / 64)
    if design.tracks == "region":
        return steps.total * int(design.bumps), steps.total * words
    if design.tracks == "each" and design.delivery == "ipi":
        return steps.total * v.sharers, steps.total * v.sharers * words
    moved = steps.bumps * v.sharers
    masks = moved * words if design.tracks in ("union", "running") else Integer(0)
    return moved * int(design.bumps), masks


def mean_sd(value: Expected) -> tuple[float, float | None] | None:
    """(mean, standard deviation) as floats, sd None where unknown; None without closed form."""
    if isinstance(value, Unknown):
        return None
    sd = None
    if value.variance is not None:
        sd = max(0.0, float(value.variance)) ** 0.5
    return float(value.mean), sd
