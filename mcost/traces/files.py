"""Traces on disk: CSV (also .gz) and Parquet, read whole and checked row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from mcost.traces.checks import check_trace
from mcost.traces.schema import COLUMNS, EVENTS, KINDS, Trace, TraceError

__all__ = ["read_trace", "write_trace"]

_NUMBERS = ("time", "cpu", "mm", "page", "pages")
_WORDS = {"event": EVENTS, "kind": KINDS}


def read_trace(path: str | Path, cpus: int | None = None) -> Trace:
    """Reads and checks a trace.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``.
        cpus: size of the machine; CPU numbers must lie below it. None for no limit.

    Raises:
        TraceError: missing column, wrong type, unknown word, or any rule of
            :func:`mcost.traces.checks.check_trace`; names the file and the row.
        OSError: the file cannot be opened.
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise TraceError(f"{path}: the file is empty; a trace needs the columns {_header()}")
    try:
        table = _read_table(path)
    except (pa.ArrowException, EOFError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise TraceError(f"{path}: not a readable trace ({reason})") from None
    trace = _from_table(table, path)
    try:
        check_trace(trace, cpus, first_row=2 if path.suffix != ".parquet" else 1)
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None
    return trace


def write_trace(trace: Trace, path: str | Path) -> None:
    """Writes a trace beside ``path`` and renames it there.

    The suffix decides the format: ``.parquet`` (zstd) or ``.csv``, also ``.csv.gz``.
    """
    path = Path(path)
    table = _to_table(trace)
    aside = path.with_name(path.name + ".tmp")
    try:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(table, aside, compression="zstd")
        elif path.name.endswith((".csv", ".csv.gz")):
            gz = "gzip" if path.suffix == ".gz" else None
            with pa.output_stream(aside, compression=gz) as sink:
                pyarrow.csv.write_csv(table, sink)
        else:
            raise TraceError(f"{path}: unknown format; must end in .parquet, .csv or .csv.gz")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _header() -> str:
    return ",".join(COLUMNS)


def _read_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    return pyarrow.csv.read_csv(path)


def _from_table(table: pa.Table, path: Path) -> Trace:
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise TraceError(f"{path}: column {missing[0]!r} is missing; needed are {_header()}")
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for name in _NUMBERS:
        columns[name] = _numbers(table.column(name), name, path)
    for name, words in _WORDS.items():
        columns[name] = _codes(table.column(name), name, words, path)
    return Trace.build(**columns)


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> npt.NDArray[np.int64]:
    if not (pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise TraceError(f"{path}: column {name!r} holds {column.type}, must be whole numbers")
    used = column.fill_null(0) if not pa.types.is_null(column.type) else pa.nulls(len(column))
    if pa.types.is_null(used.type):
        return np.zeros(len(column), dtype=np.int64)
    return np.asarray(used.to_numpy(), dtype=np.int64)


def _codes(
    column: pa.ChunkedArray, name: str, words: tuple[str, ...], path: Path
) -> npt.NDArray[np.uint8]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.zeros(len(column), dtype=np.uint8)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise TraceError(f"{path}: column {name!r} holds {column.type}, must be words")
    coded = column.combine_chunks().fill_null("").dictionary_encode()
    table = {word: code for code, word in enumerate(words)}
    if name == "kind":
        table[""] = 0
    lookup = np.empty(len(coded.dictionary), dtype=np.int64)
    for at, word in enumerate(coded.dictionary.to_pylist()):
        lookup[at] = table.get(word, -1)
    codes = lookup[coded.indices.to_numpy()] if len(column) else np.zeros(0, dtype=np.int64)
    if (codes < 0).any():
        at = int(np.argmax(codes < 0))
        row = at + (1 if path.suffix == ".parquet" else 2)
        raise TraceError(
            f"{path}: row {row}: {name} {column[at].as_py()!r} is unknown; must be one of"
            f" {', '.join(words)}"
        )
    return codes.astype(np.uint8)


def _to_table(trace: Trace) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for name in COLUMNS:
        values = getattr(trace, name)
        words = _WORDS.get(name)
        if words is None:
            columns[name] = pa.array(values)
        else:
            coded = pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int8)), list(words))
            columns[name] = coded.cast(pa.string())
    kinds = columns["kind"].to_numpy(zero_copy_only=False)
    used = trace.event == EVENTS.index("invalidate")
    columns["kind"] = pa.array(np.where(used, kinds, ""))
    return pa.table(columns)
