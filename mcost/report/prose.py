"""Sentences and tables of notebooks, made out of computed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from textwrap import wrap
from typing import Any

import pandas as pd
from sympy import Expr, latex

from mcost.checks.question import SWEPT
from mcost.spec.designs import DESIGNS
from mcost.spec.text import number, text_table

__all__ = [
    "Shown",
    "Text",
    "changes",
    "equation",
    "fmt",
    "kernel_steps",
    "say",
    "table",
    "text_of",
]


_WIDTH = 112
"""Columns of a page of a notebook."""


class Text(str):
    """Text that a notebook shows as it is, in columns."""

    def __repr__(self) -> str:
        """The text itself."""
        return str(self)


class Shown:
    """Text of one media type, for a notebook's output."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {self.kind: self.text}


def say(*sentences: str) -> Shown:
    """A paragraph whose numbers come from the code beside it."""
    return Shown("text/markdown", " ".join(sentences))


def equation(left: str, right: Expr) -> Shown:
    """``left = right`` as displayed mathematics."""
    return Shown("text/latex", f"$$ {left} = {latex(right)} $$")


def table(rows: Sequence[Mapping[str, object]] | pd.DataFrame) -> Text:
    """A table in aligned text, as in mail."""
    records = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
    text = text_table([{str(k): _plain(v) for k, v in row.items()} for row in records])
    last = str(list(records[0])[-1]) if len(records) else ""
    if not (last and isinstance(records[0][last], str)):
        return Text(text)
    indent = len(text.partition("\n")[0]) - len(last)
    return text_of([_folded(line, indent) for line in text.splitlines()])


def _folded(line: str, indent: int) -> str:
    """A line of at most ``_WIDTH`` columns; what is longer goes on below its last column."""
    if len(line) <= _WIDTH:
        return line
    rest = wrap(line[indent:], _WIDTH - indent)
    return "\n".join([line[:indent] + rest[0], *(" " * indent + more for more in rest[1:])])


def _plain(value: object) -> object:
    """NumPy scalars as Python's, and what is missing as None."""
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    return None if isinstance(value, float) and isnan(value) else value


def fmt(value: float, digits: int = 3) -> str:
    """A number as people write it."""
    return number(value, digits)


def changes(at: float, above: str) -> str:
    """From how many sharers on another design is cheaper, as the end of a sentence."""
    if at is None or isnan(at):
        return f"that does not change up to {fmt(SWEPT['sharers'][1])} of them"
    return f"under `{above}` from {fmt(at)} sharers on"


def text_of(lines: Sequence[str]) -> Text:
    """Lines as they are."""
    return Text("\n".join(lines))


def kernel_steps() -> Text:
    """What the kernel does in each design, and where that is written down."""
    lines: list[str] = []
    for one in DESIGNS:
        lines += [*(_folded(line, 10) for line in one.in_words()), ""]
    return text_of(lines[:-1])
