"""``mcost figure``: any single figure as SVG, PNG or PDF."""

# ruff: noqa: PLC0415 - the verb loads what it needs only when it runs

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``figure``."""
    app.command("figure")(_figure)


def _figure(
    name: Annotated[str | None, typer.Argument(help="Figure; see --list.")] = None,
    format: Annotated[  # noqa: A002 - the name of the option
        str | None, typer.Option(help="svg, png or pdf; by the file's ending if not given.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Width in px; its own if not given.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, such as cpus=256; repeatable.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the figures.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Draw one figure, or with --csv or --json print the numbers behind it."""
    from mcost.report.export import FORMATS, draw, specification, write
    from mcost.report.figures import FIGURES, figure
    from mcost.report.setting import Setting, parsed
    from mcost.report.tables import records
    from mcost.spec.lookup import find

    if listed:
        show([{"figure": one.name, "shows": one.title} for one in FIGURES], as_json, as_csv)
        return
    if name is None:
        raise ValueError("which figure? give its name, or --list")
    one = figure(name)
    setting = Setting(**parsed(changes or []))
    if as_json or as_csv:
        show(records(one.data(setting)), as_json, as_csv)
        return
    if output is None:
        raise ValueError("-o: give the file to write, such as -o figure.svg")
    form = format or output.suffix.lstrip(".")
    find("format", form, FORMATS)
    provenance = one.provenance(setting)
    write(output, draw(specification(one, one.data(setting), provenance), form, width))
    print(output)
