"""Broadcast instructions of one operation: INVLPGB or TLBI, by hull (KF 1.6, 7)."""

from __future__ import annotations

from sympy import Expr, Integer, Mod, ceiling, floor

from mcost.algebra.flush_events import Plan, if_page_wise
from mcost.algebra.symbols import Values
from mcost.spec.designs import Design
from mcost.spec.operations import CEILING, TABLE_PAGES

__all__ = ["broadcasts"]

_LIMIT = {"invlpgb": CEILING, "tlbi": TABLE_PAGES - 1, "tlbi-range": 1 << 21}
"""Largest hull that each instruction still drops page by page."""


def broadcasts(design: Design, steps: Plan, v: Values) -> Expr:
    """Instructions issued; 0 for designs that do not broadcast, times S by ASID."""
    if design.delivery not in _LIMIT:
        return Integer(0)

    def instructions(size: Expr) -> Expr:
        if design.delivery == "invlpgb":
            return ceiling(size / v.invlpgb_max)
        return size if design.delivery == "tlbi" else _ranges(size)

    limit = _LIMIT[design.delivery]
    named = steps.sum(lambda size: if_page_wise(size, instructions(size), Integer(1), limit))
    return (named + steps.freed) * (v.sharers if design.tracks == "each" else 1)


def _ranges(pages: Expr) -> Expr:
    """TLBI RVAAE1IS of ``pages`` pages: per scale, ranges of up to 32 units of 2^(5 s + 1)."""
    rest = pages - Mod(pages, 2)
    count = Mod(pages, 2)
    for scale in (3, 2, 1, 0):
        unit = Integer(1 << (5 * scale + 1))
        units = floor(rest / unit)
        count += ceiling(units / 32)
        rest -= units * unit
    return count
