"""Plain ASCII tables for terminals and mail: spaces, no tabs, right-aligned numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["number", "text_table"]


def number(value: object, digits: int = 4) -> str:
    """A value as people write it: integers whole, others with ``digits`` significant digits."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.{digits}g}"
    return text if "e" not in text or abs(value) < 1e-3 else f"{value:.0f}"


def text_table(rows: Sequence[Mapping[str, object]], gap: int = 2) -> str:
    """Rows under a header line; columns of numbers to the right, words to the left.

    Args:
        rows: mappings with the same keys, in column order; none gives an empty string.
        gap: spaces between columns.
    """
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[number(row[name]) for name in names] for row in rows]
    right = [
        all(isinstance(row[name], int | float) or row[name] is None for row in rows)
        for name in names
    ]
    widths = [max(len(names[k]), *(len(line[k]) for line in cells)) for k in range(len(names))]
    lines = [
        (" " * gap)
        .join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        .rstrip()
        for line in [names, *cells]
    ]
    return "\n".join(lines)
