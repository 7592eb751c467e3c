"""``mcost explore``: every safe combination of the four columns, and the Pareto front."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.cli.scenario_options import with_scenario
from mcost.spec.scenario import Scenario

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``explore``."""
    app.command("explore")(_explore)


@with_scenario
def _explore(
    scenario: Scenario,
    everything: Annotated[
        bool, typer.Option("--all", help="Also points that others dominate.")
    ] = False,
    live: Annotated[float, typer.Option(help="Live translations of one ASID.")] = 100.0,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the combinations that no other one of the same delivery beats."""
    from mcost.checks.explore import combinations, explore, front

    points = explore(scenario, live)
    best = front(points)
    rows = [
        {
            "how often": point.design.hook,
            "tracks": point.design.tracks,
            "delivery": point.design.delivery,
            "scope": point.design.scope,
            "known as": point.known,
            **({"front": "yes" if point in best else "no"} if everything else {}),
            **point.values,
        }
        for point in (points if everything else best)
    ]
    total = len(combinations())
    notes = [
        "",
        f"{total} meaningful combinations, {len(points)} safe for {scenario.operation},"
        f" {len(best)} on the Pareto front of their delivery (lower is better in every column)",
        f"lost_entries: at {live:g} live translations an ASID, 6 ASIDs a global flush;"
        " switch_tax: mask updates",
        "per context switch of a sharer; one range for all sharers (pages-or-asid of a mask, or a",
        "broadcast by address) needs the region at the same address in all of them",
    ]
    document = {"scenario": scenario.as_dict(), "combinations": total, "points": rows}
    show(rows, as_json, as_csv, document=document, notes=notes)
