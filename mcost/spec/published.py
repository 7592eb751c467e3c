"""Published measurements: the rows of ``data/published.csv`` and of files shaped like it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

from mcost.spec.files import data_path

__all__ = ["COLUMNS", "Row", "is_source", "published", "read_rows", "short_ids"]

COLUMNS: tuple[str, ...] = (
    "id", "source", "year", "platform", "cpus", "sockets", "pages", "operation", "metric",
    "value", "unit", "where_in_source", "confidence",
)  # fmt: skip
"""Columns of such a file; the order does not matter."""

_CONFIDENCE = ("read", "abstract-only", "secondary", "recalled")


@dataclass(frozen=True)
class Row:
    """One published number.

    Attributes:
        id: unique key; the part before the last dash names the series.
        source: mail, commit or paper.
        platform: machine, in words.
        cpus: CPUs or threads taking part, None when not said or not a number.
        sockets: sockets, None when not said.
        pages: pages of one operation, None when not said or ``all``.
        operation: what was timed, in words.
        metric: what the value is, in words.
        value: the number.
        unit: its unit.
        confidence: ``read``, ``abstract-only``, ``secondary`` or ``recalled``.
    """

    id: str
    source: str
    platform: str
    cpus: int | None
    sockets: int | None
    pages: int | None
    operation: str
    metric: str
    value: float
    unit: str
    confidence: str


def read_rows(path: str | Path) -> tuple[Row, ...]:
    """Reads a file of published measurements.

    Raises:
        ValueError: a missing column, a repeated id, a value that is no finite number, an
            unknown confidence; the message names file and line.
        OSError: the file cannot be read.
    """
    path = Path(path)
    rows: dict[str, Row] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(f"{path.name}: column {missing[0]!r} is missing")
            for fields in reader:
                where = f"{path.name}: line {reader.line_num}"
                row = _row(fields, where)
                if row.id in rows:
                    raise ValueError(f"{where}: id {row.id!r} is there twice")
                rows[row.id] = row
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not a readable CSV file ({error})") from None
    if not rows:
        raise ValueError(f"{path.name}: no rows below the header")
    return tuple(rows.values())


@lru_cache(maxsize=1)
def published() -> Mapping[str, Row]:
    """The bundled rows by id."""
    return {row.id: row for row in read_rows(data_path("published.csv"))}


def short_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids with runs of numbered ones written ``first..last``, in the order given."""
    runs: list[list[str]] = []
    for name in dict.fromkeys(ids):
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    short: list[str] = []
    for run in runs:
        short += [f"{run[0]}..{run[-1]}"] if len(run) > 2 else run
    return tuple(short)


def is_source(text: str) -> bool:
    """Whether ``text`` is a bundled row id, or a run ``first..last`` of them."""
    first, run, last = text.partition("..")
    return first in published() and (not run or last in published())


def _follows(one: str, two: str) -> bool:
    (head, _, tail), (other, _, number) = one.rpartition("-"), two.rpartition("-")
    return head == other and tail.isdigit() and number.isdigit() and int(number) == int(tail) + 1


def _row(fields: Mapping[str, str | None], where: str) -> Row:
    text = {name: (fields[name] or "").strip() for name in COLUMNS}
    if not text["id"]:
        raise ValueError(f"{where}: id is empty")
    try:
        value = float(text["value"])
    except ValueError:
        raise ValueError(f"{where}: value {text['value']!r} is not a number") from None
    if not isfinite(value):
        raise ValueError(f"{where}: value {text['value']!r} is not finite")
    if text["confidence"] not in _CONFIDENCE:
        raise ValueError(
            f"{where}: confidence {text['confidence']!r} must be one of {', '.join(_CONFIDENCE)}"
        )
    return Row(
        id=text["id"],
        source=text["source"],
        platform=text["platform"],
        cpus=_whole(text["cpus"]),
        sockets=_whole(text["sockets"]),
        pages=_whole(text["pages"]),
        operation=text["operation"],
        metric=text["metric"],
        value=value,
        unit=text["unit"],
        confidence=text["confidence"],
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
