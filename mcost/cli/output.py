"""One way to print a table: aligned text, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from mcost.spec.text import text_table

__all__ = ["AsCsv", "AsJson", "show"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]

Row = Mapping[str, object]


def show(
    rows: Sequence[Row],
    as_json: bool,
    as_csv: bool,
    document: object | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Prints rows once, in the format asked for.

    Args:
        rows: table rows with the same keys.
        as_json: print ``document`` (or the rows) as JSON.
        as_csv: print the rows as CSV.
        document: what JSON shows when it is more than the rows.
        notes: lines below the text table; JSON and CSV leave them out.

    Raises:
        ValueError: both formats at once.
    """
    if as_json and as_csv:
        raise ValueError("--json and --csv exclude each other: give one")
    if as_json:
        print(json.dumps(rows if document is None else document, indent=1, allow_nan=False))
        return
    if as_csv:
        if rows:
            writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return
    print(text_table(rows))
    for note in notes:
        print(note)
