"""A trace as an Arrow table and back; a cell that cannot be believed is named by its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mcost.traces.schema import COLUMNS, EVENTS, INVALIDATE, KINDS, USES, Trace, TraceError

__all__ = ["from_table", "to_table"]

Bools = npt.NDArray[np.bool_]

_NUMBERS = ("time", "cpu", "mm", "page", "pages")
_NO_EVENT = len(EVENTS)
_NO_KIND = len(KINDS)


def from_table(table: pa.Table, first_row: int) -> Trace:
    """The trace in a table; columns it does not know are left out.

    Args:
        table: the seven columns, numbers of any integer type, words as strings or
            dictionaries. Cells that an event does not use may be null or anything.
        first_row: number that the caller's file gives to the first row.

    Raises:
        TraceError: a column missing or standing twice, a type that is not whole numbers or
            words, an empty or unknown cell that its event uses, a CPU number that no
            machine has.
    """
    for name in COLUMNS:
        found = table.column_names.count(name)
        if found != 1:
            what = "is missing" if found == 0 else f"stands there {found} times"
            raise TraceError(f"column {name!r} {what}; needed are {','.join(COLUMNS)}")
    event = _codes(table, "event", EVENTS, _NO_EVENT)
    _refuse(event == _NO_EVENT, table, "event", EVENTS, first_row)
    kind = _codes(table, "kind", KINDS, _NO_KIND)
    _refuse((kind == _NO_KIND) & (event == INVALIDATE), table, "kind", KINDS, first_row)
    columns: dict[str, npt.NDArray[np.generic]] = {
        "event": event,
        "kind": np.where(event == INVALIDATE, kind, 0),
    }
    for name in _NUMBERS:
        columns[name] = _numbers(table, name, event, first_row)
    return Trace.build(**columns)


def _numbers(
    table: pa.Table, name: str, event: npt.NDArray[np.int64], first_row: int
) -> npt.NDArray[np.int64]:
    column = table.column(name)
    used = np.isin(event, USES[name])
    if pa.types.is_null(column.type):
        missing: Bools = np.ones(len(column), dtype=bool)
        values = np.zeros(len(column), dtype=np.int64)
    elif pa.types.is_integer(column.type):
        missing = np.asarray(column.is_null().to_numpy(), dtype=bool)
        whole = column.to_numpy() if column.null_count == 0 else column.fill_null(0).to_numpy()
        values = whole.astype(np.int64)
        lowest, highest = np.iinfo(COLUMNS[name]).min, np.iinfo(COLUMNS[name]).max
        _stop_at(
            used & ((whole < lowest) | (whole > highest)),
            first_row,
            lambda at: f"{name} {whole[at]} is out of range, must be {lowest} to {highest}",
        )
    else:
        raise TraceError(f"column {name!r} holds {column.type}, must be whole numbers")
    _stop_at(
        used & missing,
        first_row,
        lambda at: f"{EVENTS[event[at]]} without {name}, must be a whole number",
    )
    return np.where(used, values, -1 if name == "mm" else 0)


def _codes(table: pa.Table, name: str, words: Sequence[str], unknown: int) -> npt.NDArray[np.int64]:
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), unknown, dtype=np.int64)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise TraceError(f"column {name!r} holds {column.type}, must be words")
    coded = column.fill_null("").combine_chunks().dictionary_encode()
    places = {word: place for place, word in enumerate(words)}
    found = [places.get(word, unknown) for word in coded.dictionary.to_pylist()]
    lookup = np.array([*found, unknown], dtype=np.int64)
    return lookup[np.asarray(coded.indices.to_numpy(), dtype=np.int64)]


def _refuse(bad: Bools, table: pa.Table, name: str, words: Sequence[str], first_row: int) -> None:
    def say(at: int) -> str:
        word = table.column(name)[at].as_py() or ""
        shown = word if len(word) <= 40 else word[:37] + "..."
        return f"{name} {shown!r} is unknown; must be one of {', '.join(words)}"

    _stop_at(bad, first_row, say)


def _stop_at(bad: Bools, first_row: int, say: Callable[[int], str]) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise TraceError(f"row {at + first_row}: {say(at)}")


def to_table(trace: Trace) -> pa.Table:
    """The trace as a table: numbers as they are, events and kinds as words."""
    columns: dict[str, pa.Array] = {}
    for name in COLUMNS:
        values = getattr(trace, name)
        if name == "event":
            columns[name] = _words(values, EVENTS)
        elif name == "kind":
            used = np.where(trace.event == INVALIDATE, values, _NO_KIND)
            columns[name] = _words(used, (*KINDS, ""))
        else:
            columns[name] = pa.array(values)
    return pa.table(columns)


def _words(codes: npt.NDArray[np.generic], words: Sequence[str]) -> pa.Array:
    coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), list(words))
    return coded.cast(pa.string())
