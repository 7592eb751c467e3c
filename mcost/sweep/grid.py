"""What a sweep asks: scenarios, and what is asked of each.

The TOML form is described in ``data/grids/README.md``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

from mcost.spec.lookup import find
from mcost.sweep.asked import ASKED_KEYS, Asked, parse_asked
from mcost.sweep.axes import KINDS, Axis, Bound, GridError, Value, axis, linked_axis
from mcost.sweep.listed import read_scenarios

__all__ = ["Grid", "load_grid", "parse_grid"]

_KEYS = ("title", "scenario", "linked", "scenarios", *ASKED_KEYS)
_MANY_STEPS = 1000


@dataclass(frozen=True)
class Grid:
    """A sweep, checked.

    Attributes:
        axes: scenario parameters; the last axis moves fastest.
        bounds: parameters computed from others.
        asked: who answers each scenario, and how.
        title: for people.
    """

    axes: tuple[Axis, ...]
    bounds: tuple[Bound, ...]
    asked: Asked
    title: str = ""

    @property
    def cells(self) -> int:
        """Number of scenarios."""
        return prod(len(one.steps) for one in self.axes)

    @property
    def rows(self) -> int:
        """Rows of the result when every scenario is valid."""
        return self.cells * self.asked.rows_per_cell

    def fields(self, cell: int) -> dict[str, Value]:
        """Parameters of one scenario, by its number."""
        found: dict[str, Value] = {}
        for one in reversed(self.axes):
            cell, step = divmod(cell, len(one.steps))
            found |= dict(zip(one.names, one.steps[step], strict=True))
        for bound in self.bounds:
            found[bound.name] = bound.value(found[bound.of])
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON can hold it; long lists as digests."""
        return {
            "axes": [{"names": one.names, "steps": _short(one)} for one in self.axes],
            "bounds": [[one.name, one.of, one.times] for one in self.bounds],
            **self.asked.as_dict(),
        }


def _short(one: Axis) -> object:
    if len(one.steps) <= _MANY_STEPS:
        return one.steps
    return {"number": len(one.steps), "sha256": sha256(json.dumps(one.steps).encode()).hexdigest()}


def load_grid(path: str | Path) -> Grid:
    """Reads a grid from TOML.

    Raises:
        ValueError: not TOML, an unknown key, a value of the wrong kind, an empty grid; the
            message names the file and the field.
        OSError: a file cannot be read.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GridError(f"{path}: not a readable grid ({error})") from None
    try:
        return parse_grid(document, path.parent)
    except ValueError as error:
        raise GridError(f"{path}: {error}") from None


def parse_grid(document: Mapping[str, Any], folder: Path = Path()) -> Grid:
    """A grid from the keys of a TOML document; paths in it are relative to ``folder``.

    Raises:
        ValueError: as :func:`load_grid`.
        OSError: a file it names cannot be read.
    """
    for key in document:
        find("key", key, dict.fromkeys(_KEYS))
    made = _made(document, folder)
    axes = tuple(one for one in made if isinstance(one, Axis))
    bounds = tuple(one for one in made if isinstance(one, Bound))
    _check_names(axes, bounds)
    asked = parse_asked(document, folder)
    return Grid(axes, bounds, asked, str(document.get("title", "")))


def _made(document: Mapping[str, Any], folder: Path) -> list[Axis | Bound]:
    made: list[Axis | Bound] = []
    if "scenarios" in document:
        if not isinstance(document["scenarios"], str):
            raise GridError(f"scenarios: {document['scenarios']!r} must name a file")
        made.append(read_scenarios(folder / document["scenarios"]))
    table, linked = document.get("scenario", {}), document.get("linked", [])
    if not isinstance(table, dict):
        raise GridError("scenario: must be a table of parameters")
    if not isinstance(linked, list):
        raise GridError("linked: must be [[linked]] tables")
    made += [linked_axis(given, at) for at, given in enumerate(linked)]
    return made + [axis(name, given) for name, given in table.items()]


def _check_names(axes: tuple[Axis, ...], bounds: tuple[Bound, ...]) -> None:
    own = [name for one in axes for name in one.names]
    named = own + [one.name for one in bounds]
    for name in KINDS:
        if named.count(name) > 1:
            raise GridError(f"{name}: given more than once")
    for one in bounds:
        if one.of not in own:
            raise GridError(f"{one.name}: it follows {one.of}, which has no values of its own")
    for name in ("cpus", "sharers"):
        if name not in named:
            raise GridError(f"{name}: missing, a scenario needs at least cpus and sharers")
