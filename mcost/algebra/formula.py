"""One count of one design as an expression for people: text, LaTeX or Python."""

from __future__ import annotations

from sympy import Expr, Mod, Piecewise, Sum, ceiling, factor_terms, latex, powsimp, simplify
from sympy.printing.pycode import pycode

from mcost.algebra.counts import derive
from mcost.algebra.moments import Moment
from mcost.spec.designs import Design
from mcost.spec.lookup import find
from mcost.spec.placements import placement as find_placement
from mcost.spec.vocabulary import COUNTS

__all__ = ["FORMATS", "formula", "tidy"]

FORMATS = {"text": str, "latex": latex, "python": pycode}
"""How an expression is written."""


def formula(
    design: Design,
    count: str,
    placement: str = "snapshot",
    initiator: str = "outside",
    operation: str = "zap",
    kernel: str = "",
    *,
    apic: str = "cluster",
    variance: bool = False,
    **fixed: int,
) -> Expr:
    """The expected value (or variance) of one count.

    Args:
        design, count: which cell.
        placement, initiator, operation, kernel, apic: the setting; an empty kernel is the
            placement's usual one.
        variance: the variance instead of the mean.
        **fixed: symbols with a value, such as ``offset=0`` (the default) or ``held=1``.

    Raises:
        ValueError: unknown name, an initiator or kernel the placement has no law for, or a
            cell without a closed form ("simulation only" with the reason).
    """
    law = find_placement(placement)
    find("count", count, {entry.name: entry for entry in COUNTS})
    find("initiator", initiator, dict.fromkeys(law.initiators))
    values = {"offset": 0, **fixed}
    name = kernel or law.kernel
    cell = getattr(derive(design, placement, initiator, operation, name, apic, **values), count)
    where = f"{design.name} {count} in placement {placement}, initiator {initiator}"
    if not isinstance(cell, Moment):
        raise ValueError(f"{where}: simulation only ({cell})")  # noqa: TRY004
    if variance and cell.variance is None:
        raise ValueError(f"{where}: the variance is simulation only")
    return tidy(cell.variance if variance and cell.variance is not None else cell.mean)


def tidy(expression: Expr) -> Expr:
    """The shortest of a few cheap equivalent forms; long or piecewise ones stay as derived."""
    forms = [expression, factor_terms(expression)]
    if expression.count_ops() <= 60 and not expression.has(Piecewise, Sum, Mod, ceiling):
        forms.append(powsimp(simplify(expression)))
    return min(forms, key=lambda form: (form.count_ops(), str(form)))
