"""Sweeps: many scenarios by formulas, by simulation or both, never losing work.

A sweep is a :class:`Grid`. It is worked on in chunks that depend on nothing but the
question, each one Parquet file; whoever works on them, in what order and with how many
interruptions, the files are the same bytes. ``mcost.sweep(...)`` calls :func:`sweep`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mcost.sweep.grid import Grid, load_grid, parse_grid
from mcost.sweep.run import MAX_ROWS, run_sweep
from mcost.sweep.store import Totals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_ROWS", "Grid", "Totals", "load_grid", "parse_grid", "run_sweep", "sweep"]


def sweep(
    grid: Grid | Mapping[str, Any] | str | Path, folder: str | Path | None = None, **options: Any
) -> pd.DataFrame:
    """Runs a sweep and returns its rows.

    Args:
        grid: a grid, the keys of a TOML document, or the path of one.
        folder: where the files stay; None for a temporary one.
        options: of :func:`run_sweep`.

    Returns:
        One row a (scenario, design, method, quantity); see ``mcost.sweep.rows.COLUMNS``. All
        rows are in memory: for large sweeps call :func:`run_sweep` and read the folder in parts.

    Raises:
        ValueError, OSError: as :func:`load_grid` and :func:`run_sweep`.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if not isinstance(grid, Grid):
        grid = parse_grid(grid) if isinstance(grid, Mapping) else load_grid(grid)
    if folder is not None:
        run_sweep(grid, folder, **options)
        return pd.read_parquet(folder)
    with TemporaryDirectory(prefix="mcost-sweep-") as aside:
        run_sweep(grid, aside, **options)
        return pd.read_parquet(aside)


class _Callable(ModuleType):
    """Lets ``mcost.sweep(...)`` work although ``mcost.sweep`` is also this package."""

    def __call__(self, *args: Any, **options: Any) -> pd.DataFrame:
        return sweep(*args, **options)


sys.modules[__name__].__class__ = _Callable
