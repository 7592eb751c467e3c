"""``mcost designs``: what each design tracks, how it delivers, and its kernel steps."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``designs``."""
    app.command("designs")(_designs)


def _designs(
    name: Annotated[str | None, typer.Argument(help="One design in full.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the designs, or show one with its steps and source."""
    from mcost.spec.designs import DESIGNS, VARIANTS, design

    chosen = [design(name)] if name else list(DESIGNS + VARIANTS)
    rows = [one.columns() for one in chosen]
    full = [
        {**row, "unsafe_because": one.unsafe, "steps": list(one.steps), "source": one.source}
        for row, one in zip(rows, chosen, strict=True)
    ]
    if as_csv:
        show([{**row, "steps": "; ".join(row["steps"])} for row in full], as_json, as_csv)
        return
    notes = [""] + [line for one in chosen for line in one.in_words()]
    show(rows, as_json, as_csv, document=full, notes=notes)
