"""``mcost sweep``: a grid of scenarios, resumable, on one machine or a cluster."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

if TYPE_CHECKING:
    from mcost.sweep.run import Progress

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``sweep``."""
    app.command("sweep")(_sweep)


def _sweep(
    grid: Annotated[Path, typer.Argument(metavar="GRID.toml", help="What to sweep.")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    workers: Annotated[int | None, typer.Option(help="Processes; one a CPU if not given.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port.")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(help="Refuse a grid with more rows; 500 million if not given.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Answer every scenario of a grid; the same command goes on where it was stopped."""
    from mcost.sweep import MAX_ROWS, load_grid, run_sweep

    asked = load_grid(grid)
    try:
        with _progress() as progress:
            totals = run_sweep(
                asked,
                folder,
                workers=workers,
                scheduler=scheduler,
                max_rows=MAX_ROWS if max_rows is None else max_rows,
                progress=progress,
            )
    except KeyboardInterrupt:
        print("mcost: stopped, the same command goes on from here", file=sys.stderr)
        raise typer.Abort from None
    row = {
        "scenarios": asked.cells,
        "rows": totals.rows,
        "failed": totals.failed,
        "files": totals.files,
        "size_bytes": totals.size,
    }
    notes = [f"read with pandas.read_parquet({str(folder)!r})"]
    if totals.failed:
        notes.append("failed: scenarios that are one row, its column error says why")
    show([row], as_json, as_csv, notes=["", *notes])
    return 1 if totals.failed else 0


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal."""
    from tqdm import tqdm

    bars: list[tqdm[None]] = []

    def progress(done: int, cells: int) -> None:
        if not bars:
            start = {"total": cells, "initial": done, "unit": " scenarios", "unit_scale": True}
            bars.append(tqdm(disable=None, **start))
        bars[0].update(done - bars[0].n)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()
