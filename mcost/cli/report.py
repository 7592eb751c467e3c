"""``mcost report``: notebooks, figures and tables, executed and written as offline pages."""

# ruff: noqa: PLC0415 - the verb loads what it needs only when it runs

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``report``."""
    app.command("report")(_report)


def _report(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder; made if missing.")] = Path(
        "mcost-report"
    ),
    only: Annotated[
        list[str] | None, typer.Option(help="Only this notebook (1, 01 or its name); repeatable.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, such as cpus=256; repeatable.")
    ] = None,
) -> int:
    """Validate on the bundled cases, run the notebooks, write pages, figures and tables.

    Without --set the executed notebooks beside their sources are renewed too.
    """
    from tqdm import tqdm

    from mcost.report.suite import build, steps

    names = only or []
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: is a file, must be a folder or not exist yet")
    with tqdm(total=steps(names), disable=not sys.stderr.isatty(), unit="step") as bar:

        def done(what: str) -> None:
            bar.set_description(what)
            bar.update()

        holds = build(output, names, changes or [], done)
    print(f"written: {output / 'index.html' if not names else output}")
    if not holds:
        print("some cells of the validation do not hold, see tables/validation.txt")
    return 0 if holds else 1
