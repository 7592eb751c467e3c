"""``mcost crossover``: where the order of two designs flips."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.cli.scenario_options import with_scenario
from mcost.spec.scenario import Scenario

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``crossover``."""
    app.command("crossover")(_crossover)


@with_scenario
def _crossover(
    scenario: Scenario,
    a: Annotated[str, typer.Argument(metavar="A", help="A design.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    over: Annotated[str, typer.Option(help="The parameter that grows.")] = "sharers",
    cost: Annotated[str, typer.Option(help="A component of the cost, or a count.")] = "initiator",
    hardware: Annotated[
        list[str] | None, typer.Option(help="Price list or .toml file; may be repeated.")
    ] = None,
    low: Annotated[float | None, typer.Option("--from", help="First value searched.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="Last value searched.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the first value of a parameter at which A and B change places, with its interval."""
    from mcost.checks.crossover import crossover
    from mcost.spec.designs import design
    from mcost.spec.hardware import hardware as find_hardware

    pair = design(a), design(b)
    rows: list[dict[str, object]] = []
    notes: list[str] = []
    for name in hardware or ["haswell-1s", "skylake-2s", "skylake-4s", "kvm-guest"]:
        machine = find_hardware(name)
        found = crossover(scenario, pair, over, cost, machine, (low, high))
        fields = asdict(found)
        first, last = fields.pop("searched")
        rows.append({"hardware": machine.name, "cost": cost, "from": first, "to": last, **fields})
        notes += [f"{machine.name}: {over} = {found.formula}"] if found.formula else []
    shown = [{k: v for k, v in row.items() if k != "formula"} for row in rows]
    asked = ", ".join(f"{k} {v}" for k, v in scenario.as_dict().items() if k != over)
    below = [
        "",
        asked,
        f"at: first {over} at which the order flips; low to high: 90 % over the spread of the",
        "prices, - beyond the range; never: share of the spread without a flip in it",
        *notes,
    ]
    show(rows if as_csv else shown, as_json, as_csv, {"scenario": scenario.as_dict(),
                                                      "crossovers": rows}, below)  # fmt: skip
