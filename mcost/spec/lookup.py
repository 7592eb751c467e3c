"""One way to find a value by name, with one way to say that it is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

__all__ = ["find", "nearest"]

V = TypeVar("V")


def nearest(name: str, names: Mapping[str, object]) -> str:
    """Words for the names closest to ``name``, or for all of them when nothing is close."""
    close = get_close_matches(name, list(names), n=3, cutoff=0.5)
    return f"nearest valid {', '.join(close)}" if close else f"valid are {', '.join(names)}"


def find(what: str, name: str, table: Mapping[str, V]) -> V:
    """``table[name]``.

    Args:
        what: what the table holds, for the message ("design", "kernel", ...).
        name: the key asked for.
        table: all valid entries.

    Raises:
        ValueError: ``name`` is not in the table; the message gives the nearest.
    """
    if name not in table:
        raise ValueError(f"unknown {what} {name!r}: {nearest(name, table)}")
    return table[name]
