"""Costs of designs side by side, as rows for tables."""

from __future__ import annotations

from collections.abc import Sequence

from mcost.algebra.cost import Cost, NotPriced, price
from mcost.checks.question import means
from mcost.spec.designs import design
from mcost.spec.hardware import Hardware
from mcost.spec.scenario import Scenario

__all__ = ["cost_rows", "flagged"]

Row = dict[str, object]


def cost_rows(scenario: Scenario, names: Sequence[str], machine: Hardware) -> list[Row]:
    """One row per (design, component): value and 90 % interval in ns per operation.

    A design that the machine cannot run (no price, another architecture) has the reason in
    ``note`` and no values.

    Args:
        scenario: the question.
        names: designs, in the order wanted.
        machine: the price list.
    """
    rows: list[Row] = []
    for name in names:
        try:
            cost = price(means(scenario, design(name)), machine, scenario, design(name))
        except NotPriced as error:
            rows.append(_row(name, "initiator", None, str(error)))
            continue
        rows += _priced(name, cost)
    return rows


def _priced(name: str, cost: Cost) -> list[Row]:
    return [
        _row(name, component, estimate, ", ".join(cost.unpublished[component]))
        for component, estimate in cost.components.items()
    ]


def _row(name: str, component: str, estimate: object, note: str) -> Row:
    return {
        "design": name,
        "component": component,
        "mean_ns": getattr(estimate, "value", None),
        "low_ns": getattr(estimate, "low", None),
        "high_ns": getattr(estimate, "high", None),
        "note": note,
    }


def flagged(rows: Sequence[Row], machine: Hardware) -> list[str]:
    """Lines below a cost table: the unit, and the constants that nobody published."""
    unknown = sorted({part for row in rows for part in str(row["note"]).split(", ") if part})
    notes = [f"{machine.name}: microseconds per operation, [90 % interval]"]
    refused = sorted({str(row["note"]) for row in rows if row["mean_ns"] is None and row["note"]})
    names = [name for name in unknown if name in machine.prices or name == "live"]
    if names:
        notes.append("nobody published: " + ", ".join(names) + " (wide ranges)")
    return notes + [reason for reason in refused if "hardware" in reason]
