"""A file of scenarios: one row each, columns named as the parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcost.spec.lookup import find
from mcost.sweep.axes import KINDS, Axis, GridError, linked_axis

__all__ = ["read_scenarios"]


def read_scenarios(path: Path) -> Axis:
    """The scenarios of a ``.csv`` or ``.parquet`` file as one axis.

    Raises:
        ValueError: unreadable, unknown or repeated column, no row, an empty cell, a value of
            the wrong kind; the message names the file and the column.
        OSError: the file cannot be opened.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    try:
        table = _read(path)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise GridError(f"{path}: not a readable table ({str(error).splitlines()[0]})") from None
    for name in table.column_names:
        find(f"column of {path.name}", name, KINDS)
        if table.column_names.count(name) > 1:
            raise GridError(f"{path}: column {name} is there more than once")
        if table.column(name).null_count:
            raise GridError(f"{path}: column {name} has empty cells, every row needs a value")
    if table.num_rows == 0 or not table.column_names:
        raise GridError(f"{path}: no scenarios, give a header and at least one row")
    try:
        return linked_axis({name: table.column(name).to_pylist() for name in table.column_names}, 0)
    except ValueError as error:
        raise GridError(f"{path}: {str(error).removeprefix('linked[0].')}") from None


def _read(path: Path) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.csv  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    words = {name: pa.string() for name, kind in KINDS.items() if kind is str}
    return pyarrow.csv.read_csv(
        path, convert_options=pyarrow.csv.ConvertOptions(column_types=words)
    )
