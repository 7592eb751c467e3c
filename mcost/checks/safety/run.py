"""The safety check: every design in every small world, and every seeded bug."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcost.checks.safety.mutants import MUTANTS, Mutant
from mcost.checks.safety.program import Program
from mcost.checks.safety.replay import replay
from mcost.checks.safety.report import (
    FREED,
    Counterexample,
    DesignResult,
    MutantResult,
    SafetyReport,
    WorldResult,
)
from mcost.checks.safety.search import Found, search
from mcost.checks.safety.simulated import run_in_simulator
from mcost.checks.safety.state import Rules
from mcost.checks.safety.worlds import KINDS, World, small_world
from mcost.spec.designs import DESIGNS, VARIANTS, Design

__all__ = ["check_design", "check_mutant", "run_safety"]

Memory = dict[tuple[Rules, Program], Found]

PROTECT_CPUS = 2
"""CPUs of the ``protect`` worlds: a downgrade takes the steps of a zap whose page is mapped
again at once, which the larger worlds hold."""


def run_safety(
    *,
    quick: bool = False,
    designs: Sequence[Design] = DESIGNS + VARIANTS,
    mutants: Sequence[Mutant] = MUTANTS,
    say: Callable[[str], None] | None = None,
) -> SafetyReport:
    """Searches everything.

    Args:
        quick: 2 CPUs instead of 3.
        designs: which designs.
        mutants: which seeded bugs.
        say: told each name before it is searched, for progress.

    Returns:
        The report; equal on every run.
    """
    cpus = 2 if quick else 3
    memory: Memory = {}
    named = say or (lambda _: None)
    results = []
    for design in designs:
        named(design.name)
        results.append(check_design(design, cpus, memory))
    bugs = []
    for mutant in mutants:
        named(mutant.name)
        bugs.append(check_mutant(mutant, cpus))
    return SafetyReport(tuple(results), tuple(bugs))


def check_design(design: Design, cpus: int = 3, memory: Memory | None = None) -> DesignResult:
    """One design in all its worlds: kinds of operation and mask policies.

    Args:
        design: any value of the four columns.
        cpus: CPUs of the worlds in which pages are freed.
        memory: searches already made; designs that differ in nothing a small world can see
            share them.
    """
    memory = {} if memory is None else memory
    worlds = [world for kind in KINDS for world in _worlds(design, kind, cpus)]
    results = tuple(_explored(world, design, memory) for world in worlds)
    return DesignResult(design.name, design.unsafe, results)


def _worlds(design: Design, kind: str, cpus: int) -> list[World]:
    """Both mask policies, or one world where the design reads no mask."""
    size = cpus if kind in FREED else PROTECT_CPUS
    both = [small_world(design, kind, masks, cpus=size) for masks in ("eager", "lazy")]
    return both[:1] if both[0].masks == "any" else both


def _explored(world: World, design: Design, memory: Memory) -> WorldResult:
    views = world.views()
    for view in views:
        if (view, world.program) not in memory:
            memory[view, world.program] = search(view, world.program)
    found = [memory[view, world.program] for view in views]
    best = _shortest(found)
    example = None
    if best is not None:
        run = replay(world, views[best], found[best].path or ())
        example = Counterexample(world, run, run_in_simulator(world, run.steps, design))
    return WorldResult(
        world.kind,
        world.masks,
        world.rules.cpus,
        sum(one.states for one in found),
        max(one.depth for one in found),
        sum(one.violations for one in found),
        example,
    )


def check_mutant(mutant: Mutant, cpus: int = 3) -> MutantResult:
    """One seeded bug, searched until it is caught, and replayed."""
    world = mutant.world(cpus)
    views = world.views()
    found = [search(view, world.program, stop=True) for view in views]
    states = sum(one.states for one in found)
    best = _shortest(found)
    if best is None:
        return MutantResult(mutant, states, None)
    run = replay(world, views[best], found[best].path or (), mutant.words)
    seen = None
    if mutant.simulated is not None:
        seen = run_in_simulator(world, run.steps, mutant.simulated)
    return MutantResult(mutant, states, Counterexample(world, run, seen))


def _shortest(found: Sequence[Found]) -> int | None:
    """Which search found the shortest path, None when none found any."""
    paths = [(len(one.path), k) for k, one in enumerate(found) if one.path is not None]
    return min(paths)[1] if paths else None
