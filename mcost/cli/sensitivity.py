"""``mcost sensitivity``: which constants and parameters an answer's spread comes from."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.cli.scenario_options import with_scenario
from mcost.spec.scenario import Scenario

__all__ = ["register"]

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_RANGE = re.compile(rf"(?P<name>\w+)=(?P<low>{_NUMBER}):(?P<high>{_NUMBER})", re.ASCII)


def register(app: typer.Typer) -> None:
    """Adds ``sensitivity``."""
    app.command("sensitivity")(_sensitivity)


@with_scenario
def _sensitivity(
    scenario: Scenario,
    design: Annotated[str, typer.Argument(help="The design.")],
    cost: Annotated[str, typer.Option(help="A component of the cost.")] = "total",
    hardware: Annotated[str, typer.Option(help="Price list, or a .toml file.")] = "skylake-2s",
    vary: Annotated[
        list[str] | None, typer.Option(help="NAME=LOW:HIGH of the scenario; may be repeated.")
    ] = None,
    points: Annotated[int, typer.Option(help="Base points, a power of two.")] = 1024,
    seed: Annotated[int, typer.Option(help="Seed of the points.")] = 1,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Rank prices and scenario parameters by the share of the spread they explain (Sobol)."""
    ranges = dict(_range(text) for text in vary or [])
    from mcost.checks.sensitivity import sensitivity
    from mcost.spec.designs import design as find_design
    from mcost.spec.hardware import hardware as find_hardware

    machine = find_hardware(hardware)
    shares = sensitivity(
        scenario, find_design(design), cost, machine, ranges, points=points, seed=seed
    )
    rows: list[dict[str, object]] = [asdict(share) for share in shares]
    seen = [row for row, share in zip(rows, shares, strict=True) if share.total >= 0.001]
    notes = [
        "",
        f"{cost} of {design} on {machine.name}: {machine.title}",
        "first: removed by fixing it; total: left if all others were fixed; of the variance of",
        f"the cost's logarithm; {len(rows) - len(seen)} inputs below 0.001 left out",
    ]
    show(rows if as_json or as_csv else seen, as_json, as_csv, notes=notes)


def _range(text: str) -> tuple[str, tuple[float, float]]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"--vary: {text!r} must be NAME=LOW:HIGH, as sharers=1:1000")
    return found["name"], (float(found["low"]), float(found["high"]))
