"""The symbols of the vocabulary, as SymPy symbols or as the numbers of one scenario."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sympy import Expr, Float, Integer, Symbol

from mcost.spec import vocabulary
from mcost.spec.scenario import Scenario

__all__ = ["DIGITS", "SYMBOL", "Values", "numeric", "symbolic"]

DIGITS = 40
"""Decimal digits that numbers are worked with; alternating sums lose some of them."""


def _symbol(entry: vocabulary.Symbol) -> Symbol:
    if entry.kind == "integer":
        return Symbol(entry.letter, integer=True, nonnegative=True)
    return Symbol(entry.letter, nonnegative=True)


SYMBOL: dict[str, Symbol] = {entry.name: _symbol(entry) for entry in vocabulary.SYMBOLS}
"""SymPy symbol of each quantity, by its name in code."""


@dataclass(frozen=True)
class Values:
    """What formulas are made of: symbols for people, numbers for tables.

    Attributes are named as in ``vocabulary.SYMBOLS``.
    """

    cpus: Expr
    sharers: Expr
    threads: Expr
    pages: Expr
    offset: Expr
    batch: Expr
    invlpgb_max: Expr
    share: Expr
    idle: Expr
    held: Expr
    rate: Expr
    age: Expr

    @property
    def per_sharer(self) -> tuple[Expr, Expr]:
        """(share, idle) of one sharer; 0 where there is no sharer."""
        if self.sharers == 0:
            return Integer(0), Integer(0)
        return self.share / self.sharers, self.idle / self.sharers


def symbolic() -> Values:
    """Every quantity as its symbol."""
    return Values(**{item.name: SYMBOL[item.name] for item in fields(Values)})


def numeric(scenario: Scenario) -> Values:
    """Every quantity as the scenario's number; one without a meaning there is 0.

    With no sharers the shares are 0 too, whatever was asked.
    """
    return Values(**{item.name: _number(scenario, item.name) for item in fields(Values)})


def _number(scenario: Scenario, name: str) -> Expr:
    value = getattr(scenario, name)
    if value is None or (scenario.sharers == 0 and name in ("share", "idle")):
        return Integer(0)
    if isinstance(value, int) or float(value).is_integer():
        return Integer(int(value))
    return Float(repr(value), DIGITS)
