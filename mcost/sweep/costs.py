"""Costs of a chunk: the counts of many scenarios put to price lists at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mcost.algebra.components import components
from mcost.algebra.cost import SEED, constants
from mcost.algebra.shape import USUAL, Shape, shape_of
from mcost.algebra.splits import filled
from mcost.algebra.spread import TAIL, halves
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.hardware import Hardware
from mcost.spec.prices import PRICE_NAMES
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.sweep.asked import Asked
from mcost.sweep.rows import Rows

__all__ = ["add_costs"]

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Given = dict[str, Floats]

_SWITCHES = "switches_known"
_AT_ONCE = 1 << 15
"""Values in one array of draws: scenarios times points."""


def add_costs(
    rows: Rows,
    places: Ints,
    scenarios: Sequence[Scenario],
    means: Floats,
    asked: Asked,
    by: str,
) -> None:
    """Adds a row for each scenario, design, machine and cost; null without a price, and why.

    Args:
        rows: what to add to.
        places: of the scenarios in the chunk.
        scenarios: that many.
        means: [designs, counts, scenarios], NaN where not known.
        asked: designs, machines, costs, draws.
        by: the method that counted.
    """
    for design, counted in zip(asked.designs, means, strict=True):
        for machine in asked.machines:
            words = {"design": design.name, "by": by, "hardware": machine.name}
            _add(rows, places, _given(scenarios, design, counted, machine), machine, asked, words)


def _add(
    rows: Rows,
    places: Ints,
    given: Given,
    machine: Hardware,
    asked: Asked,
    words: Mapping[str, str],
) -> None:
    lacking = _lacking(given, machine)
    for at in np.flatnonzero(lacking >= 0):
        missing = PRICE_NAMES[lacking[at]]
        why = f"hardware {machine.name} has no price {missing!r}, the design needs it"
        for name in asked.costs:
            rows.add(places[at], quantity=name, error=why, **words)
    priced = np.flatnonzero(lacking < 0)
    if not len(priced):
        return
    found = _estimates({name: column[priced] for name, column in given.items()}, machine, asked)
    for name in asked.costs:
        value, low, high = found[name]
        rows.add(places[priced], quantity=name, value_ns=value, low_ns=low, high_ns=high, **words)


def _given(
    scenarios: Sequence[Scenario], design: Design, means: Floats, machine: Hardware
) -> Given:
    """What ``cost.inputs`` gives for each scenario, as arrays; ``switches_known`` 1 or NaN."""
    found: dict[str, list[float]] = {}
    for at, scenario in enumerate(scenarios):
        known = dict(zip(COUNT_NAMES, means[:, at].tolist(), strict=True))
        counts = Counts(**{n: None if v != v else v for n, v in known.items()})  # noqa: PLR0124
        number, _ = filled(counts, scenario, design)
        shape = shape_of(number, scenario, design, machine.sockets, USUAL)
        drops = shape.drops if counts.lost_entries is None else 0.0
        values = number | {name: getattr(shape, name) for name in Shape.names()}
        seen = np.nan if counts.switch_tax is None or counts.switch_flushes is None else 1.0
        for name, value in (values | {"open_drops": drops, _SWITCHES: seen}).items():
            found.setdefault(name, []).append(value)
    return {name: np.array(values, np.float64) for name, values in found.items()}


def _lacking(given: Given, machine: Hardware) -> npt.NDArray[np.intp]:
    """For each scenario the place of a price that it needs and the machine lacks, or -1."""
    unused = () if machine.pti else ("invlpg_user", "full_user")
    size = len(next(iter(given.values())))
    lacking = np.full(size, -1)
    for at, name in enumerate(PRICE_NAMES):
        if name not in machine.prices and name not in unused:
            # with every other price 0 the total is this price's coefficient
            needed = components(given, {name: 1.0})["total"]
            lacking[(np.broadcast_to(needed, size) != 0) & (lacking < 0)] = at
    return lacking


def _estimates(
    given: Given, machine: Hardware, asked: Asked
) -> Mapping[str, tuple[Floats, Floats, Floats]]:
    """(value, low, high) of each cost; low and high are NaN without draws."""
    spreads = constants(machine)
    size = len(next(iter(given.values())))
    central = components(given, {name: item.value for name, item in spreads.items()})
    values = {name: np.broadcast_to(central[name], size) for name in asked.costs}
    ends = {name: np.full((2, size), np.nan) for name in asked.costs}
    if asked.cost_points:
        drawn = halves(spreads, asked.cost_points, SEED)
        step = max(1, _AT_ONCE // asked.cost_points)
        for start in range(0, size, step):
            part = slice(start, start + step)
            columns = {name: column[part, np.newaxis] for name, column in given.items()}
            for end, prices in enumerate(drawn):
                draws = components(columns, prices)
                for name in asked.costs:
                    shape = (len(values[name][part]), asked.cost_points)
                    found = np.broadcast_to(draws[name], shape)
                    ends[name][end, part] = np.quantile(found, (TAIL, 1 - TAIL)[end], axis=1)
    if "switches" in values:
        values["switches"] = values["switches"] * given[_SWITCHES]
    return {
        name: (values[name], np.minimum(ends[name][0], values[name]),
               np.maximum(ends[name][1], values[name]))
        for name in asked.costs
    }  # fmt: skip
