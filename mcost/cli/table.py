"""``mcost table``: any single table as plain text for mail."""

# ruff: noqa: PLC0415 - the verb loads what it needs only when it runs

from __future__ import annotations

from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``table``."""
    app.command("table")(_table)


def _table(
    name: Annotated[str | None, typer.Argument(help="Table; see --list.")] = None,
    width: Annotated[int, typer.Option(help="Most columns of a line.")] = 72,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, such as cpus=256; repeatable.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the tables.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print one table with its provenance; wide ones are split into parts that fit."""
    from mcost.report.setting import Setting, parsed
    from mcost.report.tables import TABLES, fitted, records, table

    if listed:
        show([{"table": one.name, "shows": one.title} for one in TABLES], as_json, as_csv)
        return
    if name is None:
        raise ValueError("which table? give its name, or --list")
    if not 40 <= width <= 400:
        raise ValueError(f"--width: {width} is out of range, must be 40 to 400 columns")
    one = table(name)
    setting = Setting(**parsed(changes or []))
    rows = records(one.rows(setting))
    if as_json or as_csv:
        show(rows, as_json, as_csv)
        return
    print(*fitted(one.title, rows, one.provenance(setting), width), sep="\n")
