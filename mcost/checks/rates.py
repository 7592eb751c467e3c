"""How often an operation can run under each design, and what the machine sees at a given rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isinf
from typing import Any

import numpy as np

from mcost.algebra.components import components
from mcost.algebra.cost import SEED, Inputs, NotPriced, constants
from mcost.algebra.saturation import ipis_per_second, response_time, saturation
from mcost.algebra.spread import halves, one_sided
from mcost.checks.question import given
from mcost.checks.terms import POINTS
from mcost.spec.designs import Design
from mcost.spec.hardware import Hardware
from mcost.spec.scenario import Scenario

__all__ = ["rate_rows"]

_US, _S = 1e3, 1e9
_OTHERS = ("responders", "bystanders", "idle")


def rate_rows(
    scenario: Scenario, designs: Sequence[Design], machine: Hardware, per_second: float
) -> list[dict[str, object]]:
    """One row per design that the machine can run and whose caller does anything.

    ``most_per_s`` with its 90 % interval is the rate at which the caller's side or, where that
    comes sooner, the average of the other CPUs has no time left (see
    ``mcost.algebra.saturation``); ``first`` says which. The rest is at ``per_second`` Poisson
    arrivals: mean ``response_us`` (M/D/1; None at and above saturation), ``ipis_per_s`` and
    the part of the other CPUs' time that is taken, ``taken_percent``, at most 100.

    Args:
        scenario: one operation.
        designs: in the order wanted.
        machine: the price list.
        per_second: operations per second, above 0.

    Raises:
        ValueError: a rate that is not above 0.
    """
    if not per_second > 0:
        raise ValueError(f"per_second: {per_second} must be above 0 operations per second")
    rows = []
    for one in designs:
        try:
            found = _row(scenario, given(scenario, one, machine), machine, per_second)
        except NotPriced:
            continue
        if found:
            rows.append({"design": one.name, **found})
    return rows


def _row(
    scenario: Scenario, counted: Inputs, machine: Hardware, per_second: float
) -> dict[str, object]:
    spreads = constants(machine)
    central = {name: item.value for name, item in spreads.items()}
    initiator, others = _needs(counted, central)
    if not initiator:
        return {}
    drawn = (_longest(counted, half, scenario.cpus) for half in halves(spreads, POINTS, SEED))
    need = one_sided(float(_longest(counted, central, scenario.cpus)), *drawn)
    ends = saturation(float(initiator), float(others), scenario.cpus)
    response = response_time(per_second, float(initiator))
    return {
        "most_per_s": ends.rate,
        "low_per_s": _S / need.high,
        "high_per_s": _S / need.low,
        "first": ends.first,
        "response_us": None if isinf(response) else response / _US,
        "ipis_per_s": ipis_per_second(float(counted["ipis"]), float(initiator), per_second),
        "taken_percent": 100 * min(1.0, ends.stolen(min(per_second, ends.rate))),
    }


def _needs(counted: Inputs, prices: Mapping[str, Any]) -> tuple[Any, Any]:
    """Ns of the initiator, and of all other CPUs together."""
    parts = components(counted, prices)
    return parts["initiator"], sum(parts[name] for name in _OTHERS)


def _longest(counted: Inputs, prices: Mapping[str, Any], cpus: int) -> Any:
    """Ns of whoever is busiest with one operation."""
    initiator, others = _needs(counted, prices)
    return np.maximum(initiator, others / (cpus - 1)) if cpus > 1 else initiator
