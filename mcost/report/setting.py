"""What every figure and table is asked about: one value, changed in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mcost.spec.hardware import hardware as find_hardware
from mcost.spec.lookup import find
from mcost.spec.scenario import Scenario

__all__ = ["PARAMETERS", "Setting", "parsed"]


@dataclass(frozen=True)
class Setting:
    """The parameters of the suite.

    Attributes:
        cpus: online CPUs, N.
        sharers: processes attached to the region, S.
        share: probability that a CPU runs a sharer.
        idle: probability that a CPU is lazy on a sharer.
        held: probability that a running CPU holds a given page.
        pages: pages that one operation changes.
        operation: see ``mcost.spec.operations``.
        kernel: kernel variant.
        hardware: price list.
        seed: of every simulated point.

    Raises:
        ValueError: an impossible scenario or an unknown name.
    """

    cpus: int = 128
    sharers: int = 1500
    share: float = 0.6
    idle: float = 0.1
    held: float = 0.2
    pages: int = 62
    operation: str = "reclaim"
    kernel: str = "6.12"
    hardware: str = "skylake-2s"
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be, before anything is worked out."""
        find_hardware(self.hardware)
        self.scenario()

    def scenario(self, **changed: Any) -> Scenario:
        """The scenario, with some of its fields changed."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("hardware", "seed"):
            own.pop(name)
        return Scenario(**{"placement": "snapshot", **own, **changed})

    def words(self, without: Sequence[str] = (), **changed: object) -> str:
        """The setting in one line.

        Args:
            without: parameters that do not matter, or that vary in what is shown.
            **changed: parameters that what is shown sets itself.
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)} | changed
        return ", ".join(f"{name} {value}" for name, value in values.items() if name not in without)

    def counted(self) -> str:
        """As `words`, for what has no prices in it."""
        return self.words(["hardware"])


PARAMETERS: dict[str, type] = {item.name: type(item.default) for item in fields(Setting)}
"""Names that ``--set`` takes, with the type of each."""


def parsed(changes: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` texts as typed values.

    Raises:
        ValueError: no ``=``, an unknown name, or a value of the wrong type.
    """
    values: dict[str, Any] = {}
    for item in changes:
        name, equals, text = item.partition("=")
        if not equals:
            raise ValueError(f"--set {item}: must be NAME=VALUE, such as cpus=256")
        kind = find("parameter", name, PARAMETERS)
        try:
            values[name] = kind(text)
        except ValueError:
            raise ValueError(f"--set {item}: must be {_ARTICLE[kind]}") from None
    return values


_ARTICLE = {int: "a whole number", float: "a number", str: "a word"}
