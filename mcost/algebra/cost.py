"""Prices put to counts: the cost of one operation, with its spread and what it leans on.

The expressions and the components they make are in ``mcost.algebra.components``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mcost.algebra.components import COMPONENTS, components
from mcost.algebra.shape import USUAL, Conditions, shape_of
from mcost.algebra.splits import filled
from mcost.algebra.spread import Estimate, halves, one_sided
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.prices import PRICE_NAMES
from mcost.spec.scenario import Scenario

__all__ = [
    "SEED",
    "Cost",
    "Inputs",
    "NotPriced",
    "constants",
    "default_live",
    "inputs",
    "price",
    "unpublished",
]

SEED = 1
POINTS = 1024
Inputs = Mapping[str, float]
"""Counts and shape by name, see :func:`inputs`."""


class NotPriced(ValueError):
    """A design needs a price that the machine does not have."""


@dataclass(frozen=True)
class Cost:
    """Costs of one operation.

    Attributes:
        components: by name, in the order of :data:`COMPONENTS`; None where the counts it needs
            are missing. ``total`` then leaves it out.
        unpublished: by component, the constants it depends on that nobody published.
        assumed: counts without a closed form that a bound stands in for.
        unit: of every component.
    """

    components: Mapping[str, Estimate | None]
    unpublished: Mapping[str, tuple[str, ...]]
    assumed: tuple[str, ...] = ()
    unit: str = "ns"

    def __getitem__(self, name: str) -> Estimate | None:
        """One component."""
        return self.components[name]


def default_live(machine: Hardware) -> Constant:
    """Live entries lost by one full flush when nobody says: anything up to the whole TLB."""
    entries = machine.tlb_entries
    note = "the working set is not known"
    return Constant(
        "entries", entries.value / 2, 0.0, entries.high, "range", shape="linear", note=note
    )


def inputs(
    counts: Counts[float | None],
    machine: Hardware,
    scenario: Scenario,
    design: Design,
    conditions: Conditions = USUAL,
) -> Inputs:
    """Everything the expressions need but prices: counts, shape, and ``open_drops``.

    ``open_drops`` are the flushes that lose ``live`` entries each, 0 where the counts say how
    many entries were lost.

    Raises:
        NotPriced: the design uses something the machine has no price for.
    """
    number, _ = filled(counts, scenario, design)
    shape = shape_of(number, scenario, design, machine.sockets, conditions)
    found = number | asdict(shape)
    found["open_drops"] = shape.drops if counts.lost_entries is None else 0.0
    _refuse_missing(found, machine, design)
    return found


def constants(machine: Hardware, live: Constant | None = None) -> dict[str, Constant]:
    """Prices of a machine, and ``live``."""
    return {**machine.prices, "live": live or default_live(machine)}


def price(
    counts: Counts[float | None],
    machine: Hardware,
    scenario: Scenario,
    design: Design,
    conditions: Conditions = USUAL,
    live: Constant | None = None,
    points: int = POINTS,
    seed: int = SEED,
) -> Cost:
    """The cost of one operation.

    Args:
        counts: means from the algebra or integers from the simulated machine, for one
            operation; None where the answerer does not know.
        machine: the price list.
        scenario: the question that was counted.
        design: the design that was counted.
        conditions: overlap, contention, broadcasters.
        live: live entries that one full flush loses, where ``counts.lost_entries`` is None;
            None for anything up to the whole TLB.
        points: draws for the interval, a power of two.
        seed: of the draws.

    Returns:
        The cost. A component whose counts are None is None.

    Raises:
        NotPriced: the design uses something the machine has no price for.
    """
    given = inputs(counts, machine, scenario, design, conditions)
    spreads = constants(machine, live)
    central = {name: item.value for name, item in spreads.items()}
    values = components(given, central)
    down, up = (components(given, drawn) for drawn in halves(spreads, points, seed))
    unknown = {"switches"} if counts.switch_tax is None or counts.switch_flushes is None else set()
    return Cost(
        {
            name: None if name in unknown else one_sided(values[name], down[name], up[name])
            for name in COMPONENTS
        },
        unpublished(given, spreads),
        filled(counts, scenario, design)[1],
    )


def unpublished(given: Inputs, spreads: Mapping[str, Constant]) -> dict[str, tuple[str, ...]]:
    """By component, the ``range`` constants that change it when they are doubled."""
    central = {name: item.value for name, item in spreads.items()}
    base = components(given, central)
    found: dict[str, list[str]] = {name: [] for name in COMPONENTS}
    for name, item in spreads.items():
        if item.basis != "range":
            continue
        moved = components(given, {**central, name: 2 * item.value})
        for component in COMPONENTS:
            if moved[component] != base[component]:
                found[component].append(name)
    return {name: tuple(names) for name, names in found.items()}


_ARCH = {"invlpgb": "x86", "tlbi": "arm64", "tlbi-range": "arm64", "ipi": "x86", "deferred": "x86"}
"""Where a delivery exists; arm64 kernels flush by TLBI only (KF 7)."""


def _refuse_missing(given: Inputs, machine: Hardware, design: Design) -> None:
    if _ARCH.get(design.delivery, machine.arch) != machine.arch:
        raise NotPriced(
            f"hardware {machine.name} is {machine.arch}, design {design.name} flushes by"
            f" {design.delivery}"
        )
    unused = set() if machine.pti else {"invlpg_user", "full_user"}
    for name in PRICE_NAMES:
        if name in machine.prices or name in unused:
            continue
        # With every other price 0 the total is this price's coefficient.
        if components(given, {name: 1.0})["total"]:
            raise NotPriced(
                f"hardware {machine.name} has no price {name!r}, design {design.name} needs it"
            )
