"""``mcost validate``: does one judge agree with the model? Exit 1 when it does not."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.spec.lookup import find

__all__ = ["register"]


_MOST_WORKERS = 8
"""More of them, of 0.8 GB each, would take more memory than many machines have."""


def register(app: typer.Typer) -> None:
    """Adds ``validate``."""
    app.command("validate")(_validate)


def _validate(
    against: Annotated[
        str, typer.Option(help="simulator, safety, kernel or published.")
    ] = "simulator",
    quick: Annotated[bool, typer.Option("--quick", help="A stated subset, under 20 s.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated trials.")] = 1,
    data: Annotated[
        Path | None, typer.Option(help="Rows to judge instead of the bundled ones.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Hold the model against a judge and print how many cells hold and the worst ones."""
    judge = find("judge", against, JUDGES)
    asked = Asked(quick, seed, data, as_json, as_csv)
    if data is not None and against not in ("kernel", "published"):
        raise ValueError(f"--data: judge {against} has no rows; only kernel and published have")
    return judge(asked)


@dataclass(frozen=True)
class Asked:
    """How a judge is called: its subset, seed and rows, and the output wanted."""

    quick: bool
    seed: int
    data: Path | None
    as_json: bool
    as_csv: bool


def _published(asked: Asked) -> int:
    """Held-out measurements; misses are findings about prices, so they do not fail."""
    from mcost.checks.published import judge_file, judge_short_list
    from mcost.checks.published_text import by_check, case_rows, document, lines

    verdict = judge_short_list() if asked.data is None else judge_file(asked.data)
    if asked.as_json or asked.as_csv:
        show(case_rows(verdict), asked.as_json, asked.as_csv, document=document(verdict))
    else:
        show(by_check(verdict), False, False, notes=["", *lines(verdict)])
    return 0


def _simulator(asked: Asked) -> int:
    """Closed forms against the simulated machine, on the agreement grid."""
    from tqdm import tqdm

    from mcost.checks.agreement import RISK, as_row, judge, summary
    from mcost.checks.grid import grid
    from mcost.spec.workers import default_workers

    quick, seed = asked.quick, asked.seed
    total = len(grid(quick))
    found = judge(quick, seed, workers=1 if quick else min(_MOST_WORKERS, default_workers()))
    parts = tqdm(found, total=total, unit="scenario", disable=not sys.stderr.isatty())
    cells = [cell for part in parts for cell in part]
    holds = sum(cell.holds for cell in cells)
    rows = [as_row(cell) for cell in cells]
    if asked.as_json or asked.as_csv:
        document = {"judge": "simulator", "cells": rows}
        show(rows, asked.as_json, asked.as_csv, document=document)
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


def _kernel(asked: Asked) -> int:
    """Counters of running kernels, row by row."""
    from mcost.checks.kernel import bundled, judge, read_rows, summary
    from mcost.checks.kernel.text import lines

    files = bundled() if asked.data is None else [asked.data]
    verdicts = judge([row for path in files for row in read_rows(path)])
    if asked.as_json or asked.as_csv:
        rows = [one.as_dict() for one in verdicts]
        document = {"judge": "kernel", "rows": rows}
        show(rows, asked.as_json, asked.as_csv, document=document)
    else:
        show(summary(verdicts), False, False, notes=["", *lines(verdicts)])
    return int(any(one.verdict == "unexplained" for one in verdicts))


def _safety(asked: Asked) -> int:
    """Exhaustive small worlds for every design, and seeded bugs that must be caught."""
    from tqdm import tqdm

    from mcost.checks.safety import run_safety

    with tqdm(unit="search", disable=not sys.stderr.isatty()) as bar:
        report = run_safety(quick=asked.quick, say=lambda _: bar.update())
    document = report.document()
    if asked.as_json or asked.as_csv:
        show(report.rows(), asked.as_json, asked.as_csv, document=document)
    else:
        caught = sum(one.caught for one in report.mutants)
        notes = [
            "",
            f"{sum(one.as_expected for one in report.designs)} of {len(report.designs)} designs are"
            f" as they say, {caught} of {len(report.mutants)} seeded bugs caught",
            "shortest counterexamples, replayed on a second machine:",
            *report.traces(),
        ]
        show(report.rows(), False, False, notes=notes)
    return 0 if report.ok else 1


JUDGES: dict[str, Callable[[Asked], int]] = {
    "simulator": _simulator,
    "safety": _safety,
    "published": _published,
    "kernel": _kernel,
}
"""What the model can be held against; each prints its table and returns the exit code."""
