"""Expressions that the package derives, for notebooks that show the steps beside them."""

from __future__ import annotations

from sympy import Expr, simplify

from mcost.algebra.formula import formula
from mcost.algebra.symbols import SYMBOL
from mcost.report.prose import Text, text_of
from mcost.spec.designs import design

__all__ = ["mean_of", "occupancy", "sums_to"]


def mean_of(name: str, count: str, operation: str = "protect") -> Expr:
    """The expected count of one operation in ``snapshot``, asked for from outside.

    ``protect`` is one flush event, so its counts are those of one event.
    """
    return formula(design(name), count, "snapshot", operation=operation)


def occupancy() -> Expr:
    """E|U without the initiator|: what ``merged`` interrupts in ``uniform`` at one event."""
    return formula(design("merged"), "ipis", "uniform", operation="protect")


def sums_to(by_hand: Expr, name: str, count: str) -> Text:
    """Whether an expression worked out by hand equals the derived one.

    Symbols are matched by their letters, whatever was assumed of them.
    """
    own = {str(symbol): symbol for symbol in SYMBOL.values()}
    asked = by_hand.subs({symbol: own[str(symbol)] for symbol in by_hand.free_symbols})
    difference = simplify(asked - mean_of(name, count))
    return text_of([f"by hand - derived = {difference}"])
