"""Fitted values put into price lists: one command makes every bundled one again."""

from __future__ import annotations

from dataclasses import replace

from mcost.calibrate.fits import Parameter
from mcost.calibrate.published import parameters
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.lookup import find
from mcost.spec.published import short_ids

__all__ = ["from_parameter", "refreshed"]


def from_parameter(parameter: Parameter, old: Constant, clock: Constant) -> Constant:
    """``old`` with value, spread and source of a fitted parameter.

    Cycles become ns by the machine's clock, and the clock's own spread is added to the
    interval (slow clock with the high end, fast clock with the low one). ``old.widen``
    stretches the interval on both sides, as a factor: the fit is another machine's.

    Raises:
        ValueError: the units do not go together.
    """
    value, low, high = parameter.value, parameter.low, parameter.high
    if parameter.unit == "cycles" and old.unit == "ns":
        value, low, high = value / clock.value, low / clock.high, high / clock.low
    elif parameter.unit != old.unit:
        raise ValueError(f"fit {parameter.name}: {parameter.unit} cannot become {old.unit}")
    return replace(
        old,
        value=value,
        low=low / old.widen,
        high=high * old.widen,
        source=short_ids(parameter.source),
    )


def refreshed(machine: Hardware) -> Hardware:
    """The price list with every constant that names a fit made again from published rows.

    Raises:
        ValueError: a constant names a fit that does not exist.
    """
    clock = _again(machine.clock, machine.clock)
    prices = {name: _again(price, clock) for name, price in machine.prices.items()}
    entries = _again(machine.tlb_entries, clock)
    return replace(machine, clock=clock, tlb_entries=entries, prices=prices)


def _again(constant: Constant, clock: Constant) -> Constant:
    if not constant.fit:
        return constant
    return from_parameter(find("fit", constant.fit, parameters()), constant, clock)
