"""One table of all measurements: medians, quartiles, and their ratios to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Result", "table"]

_HEAD = ("what", "median", "quartiles", "unit", "ratio", "range", "to", "aim")


@dataclass(frozen=True)
class Result:
    """One measurement.

    Attributes:
        name: what, unique.
        unit: of the values.
        low, median, high: quartiles.
        against: (name of another result of the same unit, aim of the ratio or "") pairs.
        aim: of the median, such as "<= 1.0"; empty for none.
    """

    name: str
    unit: str
    low: float
    median: float
    high: float
    against: tuple[tuple[str, str], ...] = ()
    aim: str = ""


def _judged(value: float, aim: str) -> str:
    if not aim:
        return ""
    sign, limit = aim.split()
    reached = value >= float(limit) if sign == ">=" else value <= float(limit)
    return f"{aim}: {'reached' if reached else 'missed'}"


def _rows(one: Result, known: dict[str, Result]) -> Iterator[tuple[str, ...]]:
    """A row a ratio; the range is the widest that the quartiles allow."""
    spread = f"{one.low:.3g} to {one.high:.3g}"
    first = (one.name, f"{one.median:.3g}", spread, one.unit)
    pairs = [(known[name], aim) for name, aim in one.against if name in known]
    if not pairs or one.aim:
        yield *first, "", "", "", _judged(one.median, one.aim)
        first = ("", "", "", "")
    for other, aim in pairs:
        ratio = one.median / other.median
        reach = f"{one.low / other.high:.2f} to {one.high / other.low:.2f}"
        yield *first, f"{ratio:.2f}", reach, other.name, _judged(ratio, aim)
        first = ("", "", "", "")


def table(results: Sequence[Result]) -> list[str]:
    """Lines of a Markdown table, results in the order given."""
    known = {one.name: one for one in results}
    rows = [_HEAD, *(row for one in results for row in _rows(one, known))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines
