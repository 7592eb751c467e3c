"""Every plain-text table of the suite, by name, and how a wide one is made to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from textwrap import wrap
from typing import Any

import pandas as pd

from mcost.report.columns import fixed
from mcost.report.provenance import line
from mcost.report.questions import (
    PER_SECOND,
    agreement_rows,
    cost_table,
    crossover_rows,
    designs_table,
    kernel_table,
    per_operation,
    rates_table,
    workload_table,
)
from mcost.report.setting import Setting
from mcost.report.workload import told_of
from mcost.spec.lookup import find

__all__ = ["TABLES", "Table", "fitted", "records", "table"]


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: as in options and file names.
        title: what it shows, with units.
        rows: the numbers.
        held: what holds for the whole table, in one line, as of a figure.
    """

    name: str
    title: str
    rows: Callable[[Setting], pd.DataFrame]
    held: Callable[[Setting], str] = Setting.words

    def provenance(self, setting: Setting) -> str:
        """Which table of which parameters, and who made it."""
        return line(f"table {self.name}; {self.held(setting)}".rstrip("; "))


def _nothing(_: Setting) -> str:
    return ""


TABLES: tuple[Table, ...] = (
    Table("designs", "What each design tracks, how it delivers, what it drops", designs_table,
          _nothing),
    Table("counts", "Mean counts of one operation, by algebra", per_operation,
          Setting.counted),
    Table("costs", "Time of one operation in us, with 90 % interval", cost_table),
    Table("rates", f"Operations/s at most, with 90 % interval, and what {PER_SECOND}/s take",
          rates_table),
    Table("crossovers", "First number of sharers at which two designs change places",
          crossover_rows, lambda setting: setting.words(["hardware", "sharers"])),
    Table("agreement", "Simulated and expected counts of one operation", agreement_rows,
          Setting.counted),
    Table("kernels", "Counters of real kernels against the model", kernel_table, _nothing),
    Table("workload", "A recorded trace under every design, totals", workload_table,
          lambda _: told_of()),
)  # fmt: skip


def table(name: str) -> Table:
    """The table called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("table", name, {entry.name: entry for entry in TABLES})


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain Python values, None where something is missing."""
    return [
        {str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    item = value.item() if hasattr(value, "item") else value
    return None if isinstance(item, float) and isnan(item) else item


def fitted(title: str, rows: Sequence[dict[str, Any]], provenance: str, width: int) -> list[str]:
    """Title, table and provenance in lines of at most ``width`` columns.

    A table that is wider is cut between columns into parts; each repeats the first column.
    Words that do not fit into one part are cut short with ``..``.
    """
    columns = {name: _texts(name, [row[name] for row in rows], width) for name in rows[0]}
    first, *rest = columns
    lines = wrap(title, width)
    part: list[str] = []
    for name in rest:
        if part and _wide(columns, [first, *part, name]) > width:
            lines += [*_part(columns, [first, *part]), ""]
            part = []
        part.append(name)
    lines += [*_part(columns, [first, *part]), "", *wrap(provenance, width)]
    return lines


def _texts(name: str, values: list[Any], width: int) -> list[str]:
    """Head and cells of one column, padded: numbers to the right, words to the left."""
    numbers = all(isinstance(v, int | float) or v is None for v in values)
    cells = fixed(values) if numbers else ["-" if v is None else str(v) for v in values]
    limit = width // 2
    cells = [text if len(text) <= limit else text[: limit - 2] + ".." for text in cells]
    size = max(map(len, [name, *cells]))
    return [text.rjust(size) if numbers else text.ljust(size) for text in [name, *cells]]


def _wide(columns: dict[str, list[str]], names: list[str]) -> int:
    return sum(len(columns[name][0]) + 2 for name in names) - 2


def _part(columns: dict[str, list[str]], names: list[str]) -> list[str]:
    return ["  ".join(cells).rstrip() for cells in zip(*(columns[n] for n in names), strict=True)]
