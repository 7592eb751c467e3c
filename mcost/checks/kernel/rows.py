"""Rows of counter files: read, checked, each with its place."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mcost.checks.kernel.release import variant_of
from mcost.spec.files import data_path
from mcost.spec.kernels import Kernel

__all__ = ["COUNTERS", "Row", "RowError", "bundled", "read_rows"]

COUNTERS: tuple[str, ...] = (
    "remote_flush",
    "remote_received",
    "local_all",
    "local_one",
    "tlb_interrupts",
)
"""nr_tlb_remote_flush, ..._received, nr_tlb_local_flush_all, ..._one and the TLB line."""

_WORDS = ("workload", "kernel", "op")
_NUMBERS = ("cpus", "sharers", "cpus_per_sharer", "pages", "run", "reps")
_LEAST = {"cpus": 1, "sharers": 1, "cpus_per_sharer": 1, "pages": 1, "reps": 1}
_STALE = re.compile(r"# (?P<what>stale|stale_after_reclaim) (?P<fields>.*)")
_CEILING = re.compile(r"_ceiling(\d+)")


class RowError(ValueError):
    """A counter file that cannot be used: one sentence with file and row."""


@dataclass(frozen=True)
class Row:
    """One measured point of one run.

    Attributes:
        workload, kernel, cpus, sharers, cpus_per_sharer, pages, op, run, reps: the columns.
        counted: counters that the row holds, totals over ``reps``; in W6 also ``ipi``, the
            handlers of the test module, which no counter of the kernel sees.
        extra: the JSON of column ``extra``: settings and other counters.
        ceiling: tlb_single_page_flush_ceiling of the run: column or ``extra`` key
            ``ceiling``, else ``_ceilingN`` in the file's name, else 33.
        variant: the kernel as mcost knows it.
        file, line: where it stands.
    """

    workload: str
    kernel: str
    cpus: int
    sharers: int
    cpus_per_sharer: int
    pages: int
    op: str
    run: int
    reps: int
    counted: Mapping[str, int]
    extra: Mapping[str, Any]
    ceiling: int
    variant: Kernel = field(compare=False)
    file: str = ""
    line: int = 0

    @property
    def point(self) -> tuple[object, ...]:
        """What the runs of one point have in common: all settings but ``run``."""
        setting = [self.extra.get(name) for name in SETTINGS]
        return (
            self.file, self.workload, self.kernel, self.cpus, self.sharers,
            self.cpus_per_sharer, self.pages, self.op, self.reps, self.ceiling, *setting,
        )  # fmt: skip

    @property
    def busy(self) -> int:
        """CPUs that all sharers together would use if their sets are disjoint."""
        return self.sharers * self.cpus_per_sharer

    def flag(self, name: str) -> int:
        """A whole number of ``extra``, 0 when it is not there.

        Raises:
            RowError: it is there and not a whole number.
        """
        value = self.extra.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"extra: {name} is {value!r}, must be a whole number")
        return value

    def error(self, text: str) -> RowError:
        """The error ``text`` with the row's place."""
        return RowError(f"{self.file}: row {self.line}: {text}")


SETTINGS = (
    "layout", "seed", "main_maps", "straddle", "read", "mode", "threads", "sleepers", "kind",
    "private", "dirty",
)  # fmt: skip
"""Keys of ``extra`` that say how a row was run; the others are what else was counted."""


def bundled() -> list[Path]:
    """The files of ``data/kernel-counts/rows``, sorted."""
    return sorted(data_path("kernel-counts", "rows").glob("*.csv.gz"))


def read_rows(path: Path) -> list[Row]:
    """Every row of a CSV file (gzip or plain), ``# stale`` comments of W6 included.

    Args:
        path: columns as in ``data/kernel-counts/README.md``; counters that are missing are
            not compared, the settings must all be there. An optional column ``ceiling``.

    Raises:
        RowError: no rows, a missing column, or a cell that is not what it should be.
        OSError: unreadable.
    """
    with _open(path) as text:
        rows = list(_rows(path.name, text))
    if not rows:
        raise RowError(f"{path.name}: no rows; must be a CSV with a header and counted rows")
    return rows


def _open(path: Path) -> IO[str]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _rows(name: str, text: IO[str]) -> Iterator[Row]:
    header: list[str] | None = None
    try:
        for number, line in enumerate(text, 1):
            if line.startswith("#"):
                found = _STALE.match(line)
                if found:
                    yield _stale(name, number, found)
                continue
            cells = next(csv.reader([line]), [])
            if not cells:
                continue
            if header is None or cells == header:  # appended runs repeat the header
                header = header or _header(name, cells)
            else:
                yield _row(name, number, header, cells)
    except (UnicodeDecodeError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise RowError(f"{name}: not a readable CSV or gzip file ({error})") from error


def _header(name: str, cells: list[str]) -> list[str]:
    for wanted in (*_WORDS, *_NUMBERS):
        if wanted not in cells:
            raise RowError(
                f"{name}: row 1: no column {wanted!r}; must have {', '.join(_WORDS + _NUMBERS)}"
            )
    if not set(COUNTERS) & set(cells):
        raise RowError(f"{name}: row 1: no counter; must have one of {', '.join(COUNTERS)}")
    return cells


def _row(name: str, number: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise RowError(
            f"{name}: row {number}: {len(cells)} cells, must be {len(header)} as in the header"
        )
    table = dict(zip(header, cells, strict=True))
    whole = {one: _whole(name, number, one, table[one]) for one in _NUMBERS}
    counted = {one: _whole(name, number, one, table[one]) for one in COUNTERS if one in table}
    extra = _extra(name, number, table.get("extra", ""))
    if table["workload"] == "w6" and "ipi" in extra:
        counted["ipi"] = _whole(name, number, "extra: ipi", str(extra["ipi"]))
    return _make(
        name, number, table["workload"], table["kernel"], table["op"], whole, counted, extra,
        table.get("ceiling"),
    )  # fmt: skip


def _make(
    name: str,
    number: int,
    workload: str,
    release: str,
    op: str,
    whole: Mapping[str, int],
    counted: Mapping[str, int],
    extra: Mapping[str, Any],
    ceiling: object,
) -> Row:
    in_name = _CEILING.search(name)
    given = ceiling or extra.get("ceiling") or (in_name.group(1) if in_name else 33)
    return Row(
        workload=workload, kernel=release, op=op, **whole, counted=counted, extra=extra,
        ceiling=_whole(name, number, "ceiling", str(given)),
        variant=_variant(name, number, release), file=name, line=number,
    )  # fmt: skip


def _whole(name: str, number: int, column: str, cell: str) -> int:
    least = _LEAST.get(column, 0)
    if not cell.isascii() or not cell.isdigit() or int(cell) < least:
        raise RowError(
            f"{name}: row {number}: {column} is {cell!r}, must be a whole number of at least"
            f" {least}"
        )
    return int(cell)


def _extra(name: str, number: int, cell: str) -> dict[str, Any]:
    if not cell:
        return {}
    try:
        made = json.loads(cell)
    except json.JSONDecodeError as error:
        raise RowError(f"{name}: row {number}: extra is not JSON ({error.msg})") from error
    if not isinstance(made, dict):
        raise RowError(f"{name}: row {number}: extra is {type(made).__name__}, must be an object")
    return made


def _variant(name: str, number: int, release: str) -> Kernel:
    try:
        return variant_of(release)
    except ValueError as error:
        raise RowError(f"{name}: row {number}: {error}") from error


def _stale(name: str, number: int, found: re.Match[str]) -> Row:
    """A ``# stale`` comment as a row with the counter ``stale_reads`` (w6.c, point())."""
    cells = dict(re.findall(r"(\w+)=(\S+)", found["fields"]))
    reclaim = found["what"] != "stale"
    need = ("kernel", "cpus", "mode", "S", "c", "run", "stale_page_reads", "of")
    for one in (*need, "dirty" if reclaim else "pages"):
        if one not in cells:
            raise RowError(f"{name}: row {number}: the stale line has no {one}=")
    number_of = {
        one: _whole(name, number, one, cell) for one, cell in cells.items() if one != "kernel"
    }
    pages = number_of["of"] // number_of["S"] if reclaim else number_of["pages"]
    whole = {
        "cpus": number_of["cpus"], "sharers": number_of["S"], "cpus_per_sharer": number_of["c"],
        "pages": pages, "run": number_of["run"], "reps": 1,
    }  # fmt: skip
    op = "stale_after_reclaim" if reclaim else "stale_after_punch"
    return _make(
        name, number, "w6", cells["kernel"], op, whole,
        {"stale_reads": number_of["stale_page_reads"]},
        {"mode": number_of["mode"], "dirty": number_of.get("dirty", 1)}, None,
    )  # fmt: skip
