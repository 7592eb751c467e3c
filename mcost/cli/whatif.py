"""``mcost whatif``: a recorded workload under every design."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``whatif``."""
    app.command("whatif")(_whatif)


def _whatif(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Recorded text, also gzip.")],
    sharers: Annotated[
        str, typer.Option(help="Who shares: comms (wildcards too), ids or ranges, by commas.")
    ],
    kernel: Annotated[
        str | None, typer.Option(help="Kernel to answer for; the recording's by default.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Operation that each flush stands for.")] = "zap",
    region: Annotated[
        str | None, typer.Option(help="Only flushes of these addresses: START-END, hexadecimal.")
    ] = None,
    walks: Annotated[
        bool, typer.Option(help="A walk over several mms is one operation of the region.")
    ] = True,
    merge_gap: Annotated[float, typer.Option(help="Longest pause inside one walk, in ms.")] = 1.0,
    count: Annotated[str, typer.Option(help="Counts to show, by commas, or all.")] = "rounds,ipis",
    windows: Annotated[int, typer.Option(help="Windows to look for change in.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """What if these processes shared a region: closed form, simulation, the kernel's own counts.

    Per operation. Then which assumption of the closed form the recording breaks.
    """
    from mcost.checks.whatif import COUNTED, WhatIf, compare_designs, findings
    from mcost.checks.whatif import windows as cut
    from mcost.spec.lookup import find
    from mcost.traces.importers import ImportOptions, import_trace, parse_region

    wanted = COUNTED if count == "all" else tuple(part.strip() for part in count.split(","))
    for name in wanted:
        find("count", name, dict.fromkeys(COUNTED))
    options = ImportOptions(
        kind=kind,
        merge_walks=walks,
        merge_gap=round(merge_gap * 1e6),
        region=None if region is None else parse_region(region),
    )
    done = import_trace(file, sharers, options, progress=sys.stderr.isatty())
    asked = WhatIf.of(done, kernel)
    table = compare_designs(asked)
    table = table[table["count"].isin(wanted)]
    if as_json or as_csv:
        document = {
            "designs": _rows(table),
            "windows": _rows(cut(asked, windows)),
            "findings": _rows(findings(asked, windows)),
        }
        show(_rows(table), as_json, as_csv, document=document)
        return
    summary = done.summary
    notes = [
        "",
        f"{summary.file}: kernel {asked.variant.name}, {asked.cpus} CPUs,"
        f" {len(summary.sharers)} sharers, {len(asked.rows)} operations in"
        f" {summary.seconds:.3f} s; per operation",
        "recorded: calls that told somebody and CPUs told on private tables, a lower bound",
        "",
    ]
    show(_rows(table), False, False, notes=notes)
    show(_rows(findings(asked, windows)), False, False)


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Plain rows; what is not known is None, numbers have four digits after the point."""
    shown = table.round(4).astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in shown.to_dict("records")]
