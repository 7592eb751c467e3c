"""``mcost validate``: does one judge agree with the model? Exit 1 when it does not."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.spec.lookup import find

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``validate``."""
    app.command("validate")(_validate)


def _validate(
    against: Annotated[
        str, typer.Option(help="simulator, safety, kernel or published.")
    ] = "simulator",
    quick: Annotated[bool, typer.Option("--quick", help="A stated subset, under 20 s.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated trials.")] = 1,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Hold the model against a judge and print how many cells hold and the worst ones."""
    judges = {"simulator": _simulator}
    return find("judge", against, judges)(quick, seed, as_json, as_csv)


def _simulator(quick: bool, seed: int, as_json: bool, as_csv: bool) -> int:
    """Closed forms against the simulated machine, on the agreement grid."""
    from tqdm import tqdm

    from mcost.checks.agreement import RISK, as_row, judge, summary
    from mcost.checks.grid import grid

    total = len(grid(quick))
    parts = tqdm(judge(quick, seed), total=total, unit="scenario", disable=not sys.stderr.isatty())
    cells = [cell for part in parts for cell in part]
    holds = sum(cell.holds for cell in cells)
    rows = [as_row(cell) for cell in cells]
    if as_json or as_csv:
        show(rows, as_json, as_csv, document={"judge": "simulator", "cells": rows})
    else:
        worst = sorted(cells, key=lambda cell: (cell.holds, -cell.strain))[:10]
        notes = [
            "",
            f"{holds} of {len(cells)} cells hold in {total} scenarios, seed {seed}; all"
            f" intervals together miss with probability {RISK} if the model is right",
            "worst cells:",
            *(_line(as_row(cell)) for cell in worst),
        ]
        show(summary(cells), False, False, notes=notes)
    return 0 if holds == len(cells) else 1


def _line(row: dict[str, object]) -> str:
    setting = " ".join(str(row[name]) for name in ("placement", "initiator", "operation", "kernel"))
    size = f"N={row['cpus']} S={row['sharers']} P={row['pages']}"
    return (
        f"  {row['design']} {row['count']} ({setting}, {size}): expected {row['expected']:.6g},"
        f" simulated {row['simulated']:.6g} +/- {row['half_width']:.2g}, n={row['trials']}"
    )
