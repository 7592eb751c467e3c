"""Counterexamples as traces for the simulator, whose operations happen all at once."""

from __future__ import annotations

from dataclasses import dataclass

from mcost.checks.safety.plain.world import REGION, TABLE, Step
from mcost.checks.safety.program import Op
from mcost.checks.safety.worlds import World
from mcost.simulator import simulate
from mcost.spec.designs import Design
from mcost.spec.kernels import kernel
from mcost.traces.schema import (
    ATTACH,
    IDLE,
    INVALIDATE,
    KINDS,
    SWITCH,
    TICK,
    TOUCH,
    Trace,
)

__all__ = ["Simulated", "as_trace", "run_in_simulator"]

BYSTANDER = REGION
"""Number of an mm that never attaches."""

Event = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Simulated:
    """What the simulator made of a counterexample.

    Attributes:
        design: name of the design value it ran.
        stale_hits: uses of translations after the operation completed.
        deferred_hits: uses before the recorded flush had passed; for ``protect`` these are
            violations too, since the call has returned.
        caught: whether it saw a violation.
    """

    design: str
    stale_hits: int
    deferred_hits: int
    caught: bool


def as_trace(world: World, steps: tuple[Step, ...]) -> Trace:
    """The steps as events: a switch where it ends, an operation where it lets go of its pages.

    Args:
        world: what operations do in it names their kind.
        steps: of the plain machine, the forbidden use last.
    """
    kind = KINDS.index(_kind(world))
    events: list[Event] = [(0, ATTACH, mm, 0, 0, 0) for mm in (0, 1)]
    pages: dict[int, int] = {}
    homes: dict[int, int] = {}
    for step in steps:
        if step.action == "begin":
            pages[step.what], homes[step.what] = step.which, world.rules.cpus - 1
        if step.action == "execute" and step.cpu >= 0:
            homes[step.what] = step.cpu
        if step.action == "execute" and world.program[step.which].op == Op.FREE:
            touched = [page for page in (0, 1) if pages[step.what] >> page & 1]
            events.append((homes[step.what], INVALIDATE, 0, touched[0], len(touched), kind))
        events += _of_cpu(step)
    columns = zip(*events, strict=True)
    names = ("cpu", "event", "mm", "page", "pages", "kind")
    given = {name: list(column) for name, column in zip(names, columns, strict=True)}
    return Trace.build(time=[1000 * k for k in range(len(events))], **given)


def run_in_simulator(world: World, steps: tuple[Step, ...], design: Design) -> Simulated:
    """Simulates a counterexample with a design value that has its bug."""
    version = kernel("6.14" if world.masks == "lazy" else "6.12")
    counts = simulate(as_trace(world, steps), design, version, cpus=world.rules.cpus)
    caught = counts.stale_hits > 0 or (world.kind == "protect" and counts.deferred_hits > 0)
    return Simulated(design.name, counts.stale_hits, counts.deferred_hits, caught)


def _kind(world: World) -> str:
    if world.kind != "pages":
        return {"tables": "zap_free", "protect": "protect"}[world.kind]
    return "reclaim" if any(step.when in (0, TABLE) for step in world.program) else "zap"


def _of_cpu(step: Step) -> list[Event]:
    c, what = step.cpu, step.what
    return {
        "read-generation": [(c, SWITCH, what, 0, 0, 0)],
        "leave": [(c, SWITCH, BYSTANDER, 0, 0, 0)],
        "lazy": [(c, IDLE, 0, 0, 0, 0)],
        "touch": [(c, TOUCH, 0, what, 0, 0)],
        "use": [(c, TOUCH, 0, what, 0, 0)],
        "tick": [(c, TICK, 0, 0, 0, 0)],
    }.get(step.action, [])
