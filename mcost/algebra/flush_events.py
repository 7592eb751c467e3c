"""How often: (operation, pages, kernel, design) -> flush events, and their hulls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Integer, Min, Mod, Piecewise, ceiling, floor, sign, sympify

from mcost.algebra.symbols import Values
from mcost.spec.designs import Design
from mcost.spec.kernels import Kernel
from mcost.spec.operations import CEILING, Operation, cut

__all__ = ["Plan", "Run", "fresh_pages", "if_page_wise", "plan"]


@dataclass(frozen=True)
class Run:
    """``count`` flush events in a row whose hull is ``size`` pages each.

    An event of 0 pages has count 0.
    """

    count: Expr
    size: Expr


@dataclass(frozen=True)
class Plan:
    """The flush events of one operation, in order.

    Attributes:
        runs: events that name pages.
        named: how many those are.
        freed: 1 when one more event frees page tables, else 0.
        bumps: generation increments of each sharer.
    """

    runs: tuple[Run, ...]
    named: Expr
    freed: int
    bumps: Expr

    @property
    def total(self) -> Expr:
        """All flush events."""
        return self.named + self.freed

    def sum(self, value: Callable[[Expr], Expr]) -> Expr:
        """Sum of ``value(hull)`` over the events that name pages."""
        return sum((run.count * value(run.size) for run in self.runs), Integer(0))


def if_page_wise(size: Expr, then: Expr, otherwise: Expr, limit: int = CEILING) -> Expr:
    """``then`` when the hull is within the ceiling (33 pages: strictly greater is full)."""
    return Piecewise((then, size <= limit), (otherwise, True))


def plan(op: Operation, kernel: Kernel, design: Design, v: Values) -> Plan:
    """The flush events of one operation under one design (model.md section 3).

    Args:
        op: cut as ``mcost.spec.operations.cut`` says, with the source given there.
        kernel: gather capacity, migration batch.
        design: its ``hook`` decides what may be held back.
        v: pages, offset, batch as symbols or numbers.
    """
    shape = cut(op, kernel, design.hook)
    if shape.size == 0:
        return Plan((), Integer(0), 0, Integer(0))
    held_back = design.hook == "batch" and op.held_back in ("list", "migration")
    size = v.batch if held_back and op.held_back == "list" else shape.size
    runs: tuple[Run, ...]
    if size is None:
        runs, named = (Run(Integer(1), v.pages),), Integer(1)
    elif shape.aligned:
        runs, named = _cut_at_tables(Integer(size), v), ceiling((v.pages + v.offset) / size)
    else:
        runs, named = _cut_every(sympify(size), v.pages), ceiling(v.pages / size)
    bumps = (v.pages if held_back else named) + shape.tables
    return Plan(runs, named, shape.tables, bumps)


def _cut_every(size: Expr, pages: Expr) -> tuple[Run, ...]:
    """Cuts counted from the first page; the rest is an event of its own."""
    if size == 1:
        return (Run(pages, Integer(1)),)
    rest = Mod(pages, size)
    return (Run(floor(pages / size), size), Run(sign(rest), rest))


def _cut_at_tables(size: Expr, v: Values) -> tuple[Run, ...]:
    """Cuts on multiples of ``size``: what is left of the first table, whole ones, the rest."""
    if v.offset == 0:
        return _cut_every(size, v.pages)
    first = Min(v.pages, size - v.offset)
    after = v.pages - first
    rest = Mod(after, size)
    return (Run(Integer(1), first), Run(floor(after / size), size), Run(sign(rest), rest))


def fresh_pages(steps: Plan, pages: Expr, page_wise: bool, ceiling_applies: bool) -> list[Run]:
    """Pages that each event is the first to drop from a CPU that holds them.

    A full flush drops all pages of the operation at once, so later events find nothing; a
    page-wise one drops its own.

    Returns:
        Runs whose sizes add up to at most ``pages``; only events that drop something new.
    """
    if not page_wise:
        return [Run(Integer(1), pages)]
    if not ceiling_applies:
        return list(steps.runs)
    if len(steps.runs) == 1:
        return list(steps.runs)
    first, *_others = steps.runs
    if len(steps.runs) == 2 and first.size.is_number and first.size <= CEILING:
        return list(steps.runs)
    if len(steps.runs) == 2:
        return [Run(Integer(1), pages)]
    rest = pages - first.size
    small = first.size <= CEILING
    return [
        Run(Integer(1), Piecewise((first.size, small), (pages, True))),
        Run(sign(rest), Piecewise((rest, small), (Integer(0), True))),
    ]
