"""Plain-text tables for mail: ASCII, spaces, decimal points under each other, 72 columns."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["WIDTH", "fixed", "mail_table", "places"]

WIDTH = 72
"""Columns of a mail body; leaves room for two levels of quoting inside 76."""


def places(values: Sequence[float | None], digits: int = 3, most: int = 4) -> int:
    """Decimals with which the smallest value other than 0 keeps ``digits`` digits."""
    sizes = [abs(value) for value in values if value]
    found = 0
    if any(size != int(size) for size in sizes):
        while found < most and min(sizes) * 10**found < 10 ** (digits - 1):
            found += 1
    return found


def fixed(values: Sequence[float | None], decimals: int | None = None) -> list[str]:
    """Numbers with one and the same number of decimals, so that points line up.

    Args:
        values: None prints as ``-``.
        decimals: None for as many as :func:`places` finds.
    """
    use = places(values) if decimals is None else decimals
    return ["-" if value is None else f"{value:.{use}f}" for value in values]


def mail_table(heads: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right.

    Raises:
        ValueError: a line would be wider than :data:`WIDTH`.
    """
    widths = [
        max(len(head), *map(len, column)) for head, column in zip(heads, columns, strict=True)
    ]
    lines = []
    for row in [tuple(heads), *zip(*columns, strict=True)]:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    widest = max(map(len, lines))
    if widest > WIDTH:
        raise ValueError(f"a table is {widest} columns wide, must be at most {WIDTH}")
    return lines
