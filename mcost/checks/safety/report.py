"""What the safety check found, as values for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mcost.checks.safety.mutants import Mutant
from mcost.checks.safety.replay import Replay
from mcost.checks.safety.simulated import Simulated
from mcost.checks.safety.worlds import World

__all__ = [
    "FREED",
    "Counterexample",
    "DesignResult",
    "MutantResult",
    "SafetyReport",
    "WorldResult",
]

FREED = ("pages", "tables")
"""Worlds in which pages are freed: these make a design safe or not."""


@dataclass(frozen=True)
class Counterexample:
    """A shortest way to the use of a translation that was let go.

    Attributes:
        world: where.
        replay: its steps as the plain machine took them; the last is the use.
        simulated: the same in the simulator; None where its events cannot say it.
    """

    world: World
    replay: Replay
    simulated: Simulated | None

    @property
    def confirmed(self) -> bool:
        """Whether every machine that can run it sees the violation."""
        return self.replay.stale and (self.simulated is None or self.simulated.caught)

    def text(self) -> str:
        """One line a step."""
        return "\n".join(str(row) for row in self.replay.rows)

    def document(self) -> dict[str, object]:
        """As plain values, for JSON and for drawing a timeline of CPUs."""
        return {
            "operation": self.world.kind,
            "masks": self.world.masks,
            "steps": len(self.replay.rows),
            "rows": self.replay.as_rows(),
            "replayed": self.replay.stale,
            "simulated": None if self.simulated is None else asdict(self.simulated),
        }


@dataclass(frozen=True)
class WorldResult:
    """One design in one world.

    Attributes:
        kind, masks, cpus: which world.
        states, depth, violations: of all translations followed; the deepest search.
        counterexample: a shortest one, None when there is none.
    """

    kind: str
    masks: str
    cpus: int
    states: int
    depth: int
    violations: int
    counterexample: Counterexample | None


@dataclass(frozen=True)
class DesignResult:
    """One design in all its worlds.

    Attributes:
        name: the design.
        unsafe: why its author says that it is unsafe, empty for safe.
        worlds: results.
    """

    name: str
    unsafe: str
    worlds: tuple[WorldResult, ...]

    def _of(self, kinds: Sequence[str]) -> list[WorldResult]:
        return [world for world in self.worlds if world.kind in kinds]

    @property
    def safe(self) -> bool:
        """No reachable state lets a CPU use a translation of a freed page."""
        return not any(world.violations for world in self._of(FREED))

    @property
    def safe_for_protect(self) -> bool:
        """No reachable state lets a CPU use a permission after the call that took it."""
        return not any(world.violations for world in self._of(("protect",)))

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.safe:
            return "unsafe"
        return "safe" if self.safe_for_protect else "safe but for protect"

    @property
    def shortest(self) -> Counterexample | None:
        """A shortest counterexample of all worlds."""
        return _shortest(self.worlds)

    @property
    def as_expected(self) -> bool:
        """Whether this is what the design says of itself, and counterexamples are confirmed."""
        protect_only = self.unsafe.startswith("protect")
        said = (not self.unsafe or protect_only, not self.unsafe)
        confirmed = all(w.counterexample.confirmed for w in self.worlds if w.counterexample)
        return (self.safe, self.safe_for_protect) == said and confirmed

    def document(self) -> dict[str, object]:
        """Totals over the worlds in which pages are freed, then those of ``protect``."""
        return {
            "design": self.name,
            **_totals(self._of(FREED)),
            "as_expected": self.as_expected,
            "protect": _totals(self._of(("protect",))),
            "worlds": [
                {"operation": w.kind, "masks": w.masks, "cpus": w.cpus, "states": w.states,
                 "depth": w.depth, "violations": w.violations}
                for w in self.worlds
            ],
        }  # fmt: skip


def _totals(worlds: Sequence[WorldResult]) -> dict[str, object]:
    shortest = _shortest(worlds)
    return {
        "safe": shortest is None,
        "states": sum(world.states for world in worlds),
        "violations": sum(world.violations for world in worlds),
        "depth": max((world.depth for world in worlds), default=0),
        "counterexample": None if shortest is None else shortest.document(),
    }


def _shortest(worlds: Sequence[WorldResult]) -> Counterexample | None:
    examples = [world.counterexample for world in worlds if world.counterexample is not None]
    return min(examples, key=lambda example: len(example.replay.rows), default=None)


@dataclass(frozen=True)
class MutantResult:
    """One seeded bug.

    Attributes:
        mutant: the bug.
        states: states looked at until it was caught.
        counterexample: a shortest one; None when the bug survived.
    """

    mutant: Mutant
    states: int
    counterexample: Counterexample | None

    @property
    def caught(self) -> bool:
        """Whether the search and every replay saw it."""
        return self.counterexample is not None and self.counterexample.confirmed

    def document(self) -> dict[str, object]:
        """Name, verdict and trace."""
        example = self.counterexample
        return {
            "name": self.mutant.name,
            "caught": self.caught,
            "steps": None if example is None else len(example.replay.rows),
            "states": self.states,
            "base": self.mutant.base,
            "bug": self.mutant.bug,
            "source": self.mutant.source,
            "counterexample": None if example is None else example.document(),
        }


@dataclass(frozen=True)
class SafetyReport:
    """Everything that was checked.

    Attributes:
        designs: one result a design.
        mutants: one result a seeded bug.
    """

    designs: tuple[DesignResult, ...]
    mutants: tuple[MutantResult, ...]

    @property
    def ok(self) -> bool:
        """Every design is as it says, every seeded bug is caught, every replay agrees."""
        return all(d.as_expected for d in self.designs) and all(m.caught for m in self.mutants)

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "judge": "safety",
            "designs": [result.document() for result in self.designs],
            "mutants": [result.document() for result in self.mutants],
        }

    def rows(self) -> list[dict[str, object]]:
        """One table: designs with all their worlds, then seeded bugs."""
        return [_design_row(result) for result in self.designs] + [
            _mutant_row(result) for result in self.mutants
        ]

    def traces(self) -> list[str]:
        """The shortest counterexample of every unsafe design and seeded bug, as text."""
        named = [(result.name, result.shortest) for result in self.designs]
        named += [(result.mutant.name, result.counterexample) for result in self.mutants]
        return [f"{name}:\n{example.text()}" for name, example in named if example is not None]


def _design_row(result: DesignResult) -> dict[str, object]:
    example = result.shortest
    return {
        "check": "design",
        "name": result.name,
        "verdict": result.verdict,
        "states": sum(world.states for world in result.worlds),
        "depth": max(world.depth for world in result.worlds),
        "violations": sum(world.violations for world in result.worlds),
        "steps": None if example is None else len(example.replay.rows),
        "ok": "yes" if result.as_expected else "NO",
    }


def _mutant_row(result: MutantResult) -> dict[str, object]:
    example = result.counterexample
    return {
        "check": "seeded bug",
        "name": result.mutant.name,
        "verdict": "survived" if example is None else "caught",
        "states": result.states,
        "depth": None,
        "violations": None,
        "steps": None if example is None else len(example.replay.rows),
        "ok": "yes" if result.caught else "NO",
    }
