"""Who answers a sweep's scenarios, by what method, and which quantities are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from mcost.spec.designs import DESIGNS, VARIANTS, Design
from mcost.spec.designs import design as find_design
from mcost.spec.hardware import Hardware, hardware
from mcost.spec.lookup import find
from mcost.spec.vocabulary import COUNT_NAMES, SIMULATED_ONLY
from mcost.sweep.axes import GridError

__all__ = ["ASKED_KEYS", "METHODS", "Asked", "parse_asked", "words"]

METHODS = ("algebra", "simulation")
ASKED_KEYS = ("designs", "by", "hardware", "counts", "costs", "simulation", "cost_points")
_SIMULATION = {"trials": 1000, "seed": 1, "sets": 0, "ways": 12}


@dataclass(frozen=True)
class Asked:
    """What is asked of every scenario.

    Attributes:
        designs: who answers.
        by: methods, of :data:`METHODS`.
        machines: price lists; none for no costs.
        counts, costs: quantities kept.
        trials: simulated trials of each scenario.
        seed: of the simulation; every scenario derives its own from it.
        sets, ways: geometry of the simulated TLBs; 0 sets for enough to hold the pages.
        cost_points: draws for the interval of a cost, a power of two; 0 for values only.
    """

    designs: tuple[Design, ...]
    by: tuple[str, ...]
    machines: tuple[Hardware, ...]
    counts: tuple[str, ...]
    costs: tuple[str, ...]
    trials: int
    seed: int
    sets: int
    ways: int
    cost_points: int

    @property
    def rows_per_cell(self) -> int:
        """Rows that one valid scenario gives."""
        counts = sum(len(self.counts_by(method)) for method in self.by)
        costs = len(self.by) * len(self.machines) * len(self.costs)
        return len(self.designs) * (counts + costs)

    def counts_by(self, method: str) -> tuple[str, ...]:
        """Counts that the method can know."""
        unknown = SIMULATED_ONLY if method == "algebra" else ()
        return tuple(name for name in self.counts if name not in unknown)

    def as_dict(self) -> dict[str, Any]:
        """Everything that decides the answers, as JSON can hold it."""
        return {
            "designs": {one.name: _digest(one) for one in self.designs},
            "by": self.by,
            "hardware": {one.name: _digest(one) for one in self.machines},
            "counts": self.counts,
            "costs": self.costs,
            "simulation": {name: getattr(self, name) for name in _SIMULATION},
            "cost_points": self.cost_points,
        }


def _digest(value: object) -> str:
    """Tells two designs or price lists of the same name apart."""
    return sha256(repr(value).encode()).hexdigest()[:16]


def parse_asked(document: Mapping[str, Any], folder: Path) -> Asked:
    """Reads the keys of :data:`ASKED_KEYS`; price lists are relative to ``folder``.

    Raises:
        ValueError: an unknown word or a value of the wrong kind, with its key.
        OSError: a price list cannot be read.
    """
    machines = tuple(_machine(name, folder) for name in words(document, "hardware", ()))
    costs = words(document, "costs", ("initiator", "total") if machines else ())
    if costs and not machines:
        raise GridError("costs: they need hardware, name at least one price list")
    if costs:
        _check_costs(costs)
    return Asked(
        designs=tuple(dict.fromkeys(_designs(document))),
        by=_chosen(document, "by", ("algebra",), METHODS),
        machines=machines,
        counts=_chosen(document, "counts", COUNT_NAMES, COUNT_NAMES),
        costs=costs,
        cost_points=_points(document.get("cost_points", 1024)),
        **_simulation(document.get("simulation", {})),
    )


def _check_costs(costs: tuple[str, ...]) -> None:
    from mcost.algebra.components import COMPONENTS  # noqa: PLC0415 - heavy

    for name in costs:
        find("cost", name, COMPONENTS)


def words(document: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """A word or a list of words, each once.

    Raises:
        ValueError: something else.
    """
    given = document.get(name, list(default))
    values = given if isinstance(given, list) else [given]
    for value in values:
        if not isinstance(value, str) or not value:
            raise GridError(f"{name}: {value!r} must be a word")
    return tuple(dict.fromkeys(values))


def _chosen(
    document: Mapping[str, Any], name: str, default: tuple[str, ...], allowed: tuple[str, ...]
) -> tuple[str, ...]:
    """Words of a fixed vocabulary, in its order."""
    chosen = words(document, name, default)
    for word in chosen:
        find(name, word, dict.fromkeys(allowed))
    if not chosen:
        raise GridError(f"{name}: the list is empty, give at least one of {', '.join(allowed)}")
    return tuple(word for word in allowed if word in chosen)


def _designs(document: Mapping[str, Any]) -> Iterator[Design]:
    for word in words(document, "designs", ("all",)) or ("all",):
        if word == "all":
            yield from DESIGNS
        elif word == "variants":
            yield from VARIANTS
        else:
            yield find_design(word)


def _machine(name: str, folder: Path) -> Hardware:
    return hardware(str(folder / name) if name.endswith(".toml") else name)


def _points(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0 or given & (given - 1):
        raise GridError(f"cost_points: {given!r} must be 0 or a power of two")
    return given


def _simulation(given: object) -> dict[str, int]:
    if not isinstance(given, dict):
        raise GridError("simulation: must be a table")
    for key, value in given.items():
        find("key of simulation", key, _SIMULATION)
        low = 1 if key in ("trials", "ways") else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise GridError(f"simulation.{key}: {value!r} must be a whole number, at least {low}")
    return _SIMULATION | given
