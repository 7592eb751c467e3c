"""The values a parameter takes in a sweep: one, a list, a range, or bound to another.

In TOML: ``cpus = 64``; ``cpus = [64, 128]``; ``share = { from = 0.1, to = 0.9, points = 9 }``
(ends included); ``sharers = { from = 1, to = 4096, points = 13, log = true }``;
``threads = { of = "cpus", times = 0.25 }``. Integer parameters are rounded, doubles drop out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcost.spec.lookup import find

__all__ = ["Axis", "Bound", "GridError", "Value", "axis", "linked_axis"]

Value = int | float | str


class GridError(ValueError):
    """A grid that cannot be swept: one sentence with the field, its value, and what is right."""


KINDS: dict[str, type] = {
    "cpus": int,
    "sharers": int,
    "threads": int,
    "pages": int,
    "offset": int,
    "batch": int,
    "invlpgb_max": int,
    "share": float,
    "idle": float,
    "held": float,
    "rate": float,
    "age": float,
    "operation": str,
    "placement": str,
    "initiator": str,
    "kernel": str,
    "apic": str,
}
"""Parameters of a scenario, in the order of the columns, and the kind of their values."""

_RANGE = {"from", "to", "points", "log"}
_BOUND = {"of", "times"}
_MOST_POINTS = 10_000_000


@dataclass(frozen=True)
class Axis:
    """Parameters that move together, and their values step by step.

    Attributes:
        names: the parameters.
        steps: for each step a value of each parameter.
    """

    names: tuple[str, ...]
    steps: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Bound:
    """A parameter that is another one times a number, at least 1 when it is an integer."""

    name: str
    of: str
    times: float

    def value(self, other: Value) -> Value:
        """The value that goes with one of the other parameter."""
        product = float(other) * self.times
        return max(1, round(product)) if KINDS[self.name] is int else product


def axis(name: str, given: object) -> Axis | Bound:
    """What one key of the ``[scenario]`` table says.

    Raises:
        GridError: an unknown parameter, no value, or one of the wrong kind.
    """
    find("parameter", name, KINDS)
    if isinstance(given, dict):
        return _bound(name, given) if "of" in given else _range(name, given)
    values = given if isinstance(given, list) else [given]
    if not values:
        raise GridError(f"{name}: the list is empty, give at least one value")
    return Axis((name,), tuple((_checked(name, value),) for value in values))


def linked_axis(given: object, at: int) -> Axis:
    """Lists of equal length that move together: one ``[[linked]]`` table.

    Raises:
        ValueError: as :func:`axis`, or lists of different lengths.
    """
    if not isinstance(given, dict) or not given:
        raise GridError(f"linked[{at}]: {given!r} must be a table of lists")
    for name, values in given.items():
        find("parameter", name, KINDS)
        if not isinstance(values, list) or not values:
            raise GridError(f"linked[{at}].{name}: {values!r} must be a list with values")
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise GridError(f"linked[{at}]: lists must be equally long, {said}")
    columns = [[_checked(name, value) for value in values] for name, values in given.items()]
    return Axis(tuple(given), tuple(zip(*columns, strict=True)))


def _checked(name: str, value: object) -> Value:
    kind = KINDS[name]
    if kind is str and isinstance(value, str):
        return value
    if kind is not str and isinstance(value, int | float) and not isinstance(value, bool):
        if kind is float:
            return float(value)
        if float(value).is_integer():
            return int(value)
    words = {int: "a whole number", float: "a number", str: "a word"}
    raise GridError(f"{name}: {value!r} must be {words[kind]}")


def _range(name: str, given: dict[str, Any]) -> Axis:
    if KINDS[name] is str:
        raise GridError(f"{name}: a range needs numbers, give a list of words")
    for key in given:
        find(f"key of {name}", key, dict.fromkeys((*sorted(_RANGE), *sorted(_BOUND))))
    for key in ("from", "to"):
        if key not in given:
            raise GridError(f"{name}: the range needs {key!r}")
    low, high = (_number(name, key, given[key]) for key in ("from", "to"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise GridError(f"{name}.log: {log!r} must be true or false")
    if high < low or (log and low <= 0):
        raise GridError(f"{name}: the range {low:g} to {high:g} is empty or has no logarithm")
    every = high - low + 1 if KINDS[name] is int and not log else 0
    points = _number(name, "points", given.get("points", every))
    if points != int(points) or not 1 <= points <= _MOST_POINTS:
        raise GridError(f"{name}.points: {points:g} must be 1 to {_MOST_POINTS}, a whole number")
    made = (np.geomspace if log else np.linspace)(low, high, int(points))
    values = np.round(made).astype(int) if KINDS[name] is int else made
    return Axis((name,), tuple((value,) for value in dict.fromkeys(values.tolist())))


def _number(name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise GridError(f"{name}.{key}: {value!r} must be a number")
    return float(value)


def _bound(name: str, given: dict[str, Any]) -> Bound:
    if KINDS[name] is str or set(given) - _BOUND:
        raise GridError(f"{name}: {given!r} must be {{ of = PARAMETER, times = NUMBER }}")
    of = given["of"]
    find("parameter", str(of), {key: kind for key, kind in KINDS.items() if kind is not str})
    return Bound(name, str(of), _number(name, "times", given.get("times", 1)))
