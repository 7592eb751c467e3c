"""Traces on disk: CSV (also .gz) and Parquet, read whole and checked row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from mcost.traces.checks import check_trace
from mcost.traces.schema import COLUMNS, Trace, TraceError
from mcost.traces.tables import from_table, to_table

__all__ = ["read_trace", "write_trace"]

_WORDS = ("event", "kind")
_BLOCK = 1 << 18
"""Rows turned into arrays at a time."""
_GROUP = 1 << 20
"""Rows written at a time."""
_FORMATS = (".parquet", ".csv", ".csv.gz")


def read_trace(path: str | Path, cpus: int | None = None) -> Trace:
    """Reads and checks a trace.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``. Row 1 of a Parquet file is its first
            event; row 1 of a CSV file is its header.
        cpus: size of the machine; CPU numbers must lie below it. None for no limit.

    Raises:
        TraceError: damaged file, missing column, wrong type, unknown word, or any rule of
            :func:`mcost.traces.checks.check_trace`; names the file and the row.
        OSError: the file cannot be opened.
    """
    path = Path(path)
    first_row = 1 if path.suffix == ".parquet" else 2
    try:
        trace = _read(path, first_row)
        check_trace(trace, cpus, first_row)
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None
    return trace


def write_trace(trace: Trace, path: str | Path) -> None:
    """Writes a trace beside ``path`` and renames it there; the same trace, the same bytes.

    Args:
        trace: any trace.
        path: its suffix decides the format: ``.parquet`` (zstd), ``.csv`` or ``.csv.gz``.

    Raises:
        TraceError: another suffix.
        OSError: the folder is missing or cannot be written to.
    """
    path = Path(path)
    _check_format(path)
    tables = (to_table(part) for part in _parts(trace))
    first = next(tables)
    aside = path.with_name(path.name + ".tmp")
    try:
        with _writer(aside, path, first.schema) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _parts(trace: Trace) -> Iterator[Trace]:
    """The trace in row groups; one without rows when it has none."""
    for at in range(0, max(1, len(trace)), _GROUP):
        yield Trace(**{name: getattr(trace, name)[at : at + _GROUP] for name in COLUMNS})


@contextmanager
def _writer(aside: Path, path: Path, schema: pa.Schema) -> Iterator[Any]:
    """What takes tables one after another, in the format that ``path`` ends in."""
    if path.suffix == ".parquet":
        with pyarrow.parquet.ParquetWriter(aside, schema, compression="zstd") as writer:
            yield writer
        return
    gz = "gzip" if path.suffix == ".gz" else None
    with (
        pa.output_stream(aside, compression=gz) as sink,
        pyarrow.csv.CSVWriter(sink, schema) as writer,
    ):
        yield writer


def _check_format(path: Path) -> None:
    if not path.name.endswith(_FORMATS):
        raise TraceError(f"{path}: unknown format; must end in {', '.join(_FORMATS)}")


def _read(path: Path, first_row: int) -> Trace:
    """The trace, block by block, so that no second copy of it is needed."""
    done, columns = 0, _room(0)
    for rows, table in _tables(path):
        part = from_table(table, first_row + done)
        if len(columns["time"]) < rows:
            columns = _room(rows)
        for name, column in columns.items():
            column[done : done + len(part)] = getattr(part, name)
        done += len(part)
    if done != len(columns["time"]):
        raise TraceError(f"ends after {done} of {len(columns['time'])} events")
    return Trace(**columns)


def _room(rows: int) -> dict[str, Any]:
    """Columns of a trace, not yet filled."""
    try:
        return {name: np.empty(rows, kind) for name, kind in COLUMNS.items()}
    except (MemoryError, ValueError):
        raise TraceError(f"{rows} events do not fit into memory; cut the trace") from None


def _tables(path: Path) -> Iterator[tuple[int, pa.Table]]:
    """Rows of the file and, block by block, their columns with the types a trace needs.

    Whatever stops Arrow becomes one sentence.
    """
    with path.open("rb") as file:  # names the file when it cannot be opened at all
        empty = not file.read(1)
    if empty:
        raise TraceError(f"the file is empty; a trace needs the columns {','.join(COLUMNS)}")
    if not path.name.endswith(_FORMATS):
        raise TraceError(f"unknown format; must end in {', '.join(_FORMATS)}")
    try:
        if path.suffix == ".parquet":
            file = pyarrow.parquet.ParquetFile(path)
            rows = file.metadata.num_rows
            yield rows, file.schema_arrow.empty_table()  # types are judged without rows, too
            for batch in file.iter_batches(_BLOCK):
                yield rows, pa.Table.from_batches([batch])
        else:
            table = _read_csv(path)
            for at in range(0, max(1, len(table)), _BLOCK):
                yield len(table), table.slice(at, _BLOCK)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0].replace(str(path), path.name)[:200]
        reason = "".join(letter if letter.isprintable() else "?" for letter in said)
        raise TraceError(f"not a readable trace ({reason})") from None


def _read_csv(path: Path) -> pa.Table:
    types = {name: pa.string() if name in _WORDS else pa.int64() for name in COLUMNS}
    try:
        return _typed_csv(path, types, threads=True)
    except pa.ArrowInvalid:
        # Slower, but in order: Arrow's complaint about the shape names the row, and a cell
        # that is no number can be looked for.
        table = _typed_csv(path, dict.fromkeys(COLUMNS, pa.string()), threads=False)
        _find_non_number(table)
        raise


def _typed_csv(path: Path, types: dict[str, pa.DataType], threads: bool) -> pa.Table:
    return pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(use_threads=threads),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, null_values=[""]),
    )


def _find_non_number(table: pa.Table) -> None:
    """Raises on the first cell of a number column that does not hold an int64."""
    for name in COLUMNS:
        if name in _WORDS or table.column_names.count(name) != 1:
            continue
        text = pyarrow.compute.utf8_trim_whitespace(table.column(name))
        nothing = pa.scalar(None, pa.string())
        cells = pyarrow.compute.if_else(pyarrow.compute.equal(text, ""), nothing, text)
        good, bad = 0, len(cells) + 1  # lengths of prefixes that are, and are not, numbers
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if _whole(cells.slice(0, middle)) else (good, middle)
        if good < len(cells):
            shown = table.column(name)[good].as_py()[:40]
            raise TraceError(f"row {good + 2}: {name} {shown!r} is not a whole number of 64 bits")


def _whole(cells: pa.ChunkedArray) -> bool:
    try:
        cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    return True
