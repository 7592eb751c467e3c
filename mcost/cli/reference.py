"""``mcost reference``: the API reference as offline pages."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``reference``."""
    app.command("reference")(_reference)


def _reference(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pages.")] = Path(
        "mcost-reference"
    ),
) -> None:
    """Write one page per module, from the docstrings (needs the extra docs)."""
    from mcost.report.reference import write_reference

    print(f"written: {write_reference(output)}")
