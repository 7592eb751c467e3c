"""At what price: expressions of counts and prices, and their values with a spread.

Every component is linear in the prices, but for one term: a local flush that runs while
IPIs are under way hides the shorter of the two, ``Min(local, wait)``, which is piecewise
linear and still scales with the prices (KF 9.2; model.md section 7). Its spread comes from
evaluating it at every draw, never from linearising it.

With r remote CPUs in k rounds the initiator waits
``k first + far_rounds first_far + (r - k) (near next + (1 - near) next_far)``, and for the
responders' flush where one really flushes. ``near`` is the share of the others on its socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from mcost.algebra.shape import USUAL, Conditions, Shape, shape_of
from mcost.algebra.spread import Draws, Estimate, draw, estimate
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.hardware import Constant, Hardware
from mcost.spec.prices import PRICE_NAMES
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = [
    "COMPONENTS",
    "SEED",
    "Cost",
    "NotPriced",
    "Priced",
    "default_live",
    "evaluate",
    "expressions",
    "price",
]

SEED = 1
POINTS = 1024

COMPONENTS: Mapping[str, str] = {
    "initiator": "time of the CPU that asks, from the call to the last acknowledgement",
    "lock_hold": "mean time the page-table lock is held for one flush, 0 when not under it",
    "responders": "time of CPUs that run a sharer: interrupts, flushes, stalls",
    "bystanders": "time of CPUs that run something else: interrupts, flushes, stalls",
    "idle": "time of CPUs woken from idle",
    "refills": "page walks of all CPUs for live entries that were lost",
    "switches": "tax and drops at context switches; only a simulation knows them",
    "faults": "page faults that relink a shared table; without a simulation one a denied CPU",
    "collateral": "bystanders and their refills: taken from work unrelated to the region",
    "total": "all CPU time of one operation",
    "per_page": "total over the pages of the operation",
}
"""Components of a cost in ns per operation (``per_page`` per page, ``lock_hold`` per hold)."""


class NotPriced(ValueError):
    """A design needs a price that the machine does not have."""


@dataclass(frozen=True)
class Priced:
    """One component with all its draws.

    Attributes:
        value: ns, with every constant at its value.
        draws: ns [points].
    """

    value: float
    draws: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Cost:
    """Costs of one operation.

    Attributes:
        components: by name, in the order of :data:`COMPONENTS`; None where the counts it needs
            are missing. ``total`` then leaves it out.
        unpublished: by component, the constants it depends on that nobody published.
        unit: of every component.
    """

    components: Mapping[str, Estimate | None]
    unpublished: Mapping[str, tuple[str, ...]]
    unit: str = "ns"

    def __getitem__(self, name: str) -> Estimate | None:
        """One component."""
        return self.components[name]


def _symbols(names: tuple[str, ...]) -> dict[str, sp.Symbol]:
    return {name: sp.Symbol(name, nonnegative=True) for name in names}


@lru_cache(maxsize=1)
def expressions() -> Mapping[str, sp.Expr]:
    """Every component as an expression in counts, prices, ``lost`` and the shape's fields."""
    s = _symbols((*COUNT_NAMES, *PRICE_NAMES, *Shape.names()))
    work = (
        s["page_flushes"] * (s["invlpg"] + s["invlpg_user"])
        + s["full_flushes"] * (s["full_flush"] + s["full_user"])
        + s["global_flushes"] * s["global_flush"]
    )
    each = work * s["per_exec"]
    line = s["near"] * s["line"] + (1 - s["near"]) * s["line_far"]
    stall = s["others"] * s["broadcasts"] * s["broadcast_tax"]
    books = (
        s["generation_bumps"] * (s["atomic"] + s["moved"] * line)
        + s["mask_words"] * s["mask_word"]
        + s["mask_lines"] * s["moved"] * line
    )
    flushing = each * s["remote"]
    parts = {
        "initiator": books + _initiator(s, each),
        "responders": s["sharer_ipis"] * s["responder"]
        + s["sharer_part"] * flushing
        + s["sweeps"] * s["sweep"]
        + s["running"] * stall,
        "bystanders": s["bystander_ipis"] * s["responder"]
        + s["bystander_part"] * flushing
        + (1 - s["running"]) * stall,
        "idle": s["idle_ipis"] * s["wake"] + s["idle_part"] * flushing,
        "refills": s["lost_entries"] * s["refill"],
        "switches": s["switch_tax"] * s["switch_mask"]
        + s["switch_flushes"] * (s["full_flush"] + s["full_user"]),
        "faults": s["faults"] * s["fault"],
    }
    total = sum(parts.values(), sp.Integer(0))
    lock = (s["lock_all"] * parts["initiator"] + s["lock_add"] * books) * s["per_lock"]
    collateral = parts["bystanders"] + s["bystander_part"] * parts["refills"]
    made = {**parts, "lock_hold": lock, "collateral": collateral, "total": total,
            "per_page": total * s["per_page"]}  # fmt: skip
    return {name: made[name] for name in COMPONENTS}


def _initiator(s: Mapping[str, sp.Symbol], each: sp.Expr) -> sp.Expr:
    """Local flush, remote wait less what overlaps, extra ICR writes, broadcasts, records."""
    slope = s["near"] * s["next"] + (1 - s["near"]) * s["next_far"]
    wait = (
        s["rounds"] * s["first"]
        + s["far_rounds"] * s["first_far"]
        + (s["ipis"] - s["rounds"]) * slope
        + s["rounds"] * s["flushing"] * s["ack"] * each
    )
    local = s["flush_call"] + each
    return (
        s["local"] * local
        + wait
        - s["hidden"] * sp.Min(local, wait * s["per_round"])
        + (s["icr_writes"] - s["rounds"]) * s["icr"]
        + s["broadcasts"] * (s["broadcast"] + s["rivals"] * s["broadcast_wait"])
        + s["syncs"] * s["broadcast_sync"]
        + s["records"] * s["record"]
    )


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., list[Any]]:
    names = (*COUNT_NAMES, *Shape.names(), *PRICE_NAMES)
    symbols = _symbols(names)
    ordered = [symbols[name] for name in names]
    made: Callable[..., list[Any]] = sp.lambdify(
        ordered, list(expressions().values()), modules="numpy", cse=True
    )
    return made


def default_live(machine: Hardware) -> Constant:
    """Live entries lost by one full flush when nobody says: anything up to the whole TLB."""
    entries = machine.tlb_entries
    note = "the working set is not known"
    return Constant(
        "entries", entries.value / 2, 0.0, entries.high, "range", shape="linear", note=note
    )


def evaluate(
    counts: Counts[float | None],
    machine: Hardware,
    scenario: Scenario,
    design: Design,
    conditions: Conditions = USUAL,
    live: Constant | None = None,
    points: int = POINTS,
    seed: int = SEED,
) -> Mapping[str, Priced]:
    """Every component at the machine's values and at every draw.

    Arguments and errors as :func:`price`.
    """
    lives = {"live": live or default_live(machine)}
    shape = shape_of(counts, scenario, design, machine.sockets, conditions)
    _refuse_missing(counts, shape, machine, design)
    drawn = draw({**machine.prices, **lives}, points, seed)
    centre = {name: item.value for name, item in {**machine.prices, **lives}.items()}
    values, draws = (_components(counts, shape, prices) for prices in (centre, drawn))
    return {
        name: Priced(float(values[name]), np.broadcast_to(draws[name], (points,)))
        for name in COMPONENTS
    }


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
    priced = evaluate(counts, machine, scenario, design, conditions, live, points, seed)
    unknown = {"switches"} if counts.switch_tax is None or counts.switch_flushes is None else set()
    shape = shape_of(counts, scenario, design, machine.sockets, conditions)
    return Cost(
        {
            name: None if name in unknown else estimate(item.value, item.draws)
            for name, item in priced.items()
        },
        _unpublished(counts, shape, machine, live or default_live(machine)),
    )


def _components(
    counts: Counts[float | None], shape: Shape, prices: Draws | Mapping[str, float]
) -> dict[str, Any]:
    number: dict[str, Any] = {name: value or 0.0 for name, value in counts.items()}
    if counts.lost_entries is None:
        number["lost_entries"] = prices.get("live", 0.0) * shape.drops
    if counts.faults is None:
        number["faults"] = number["denied_cpus"]
    ordered = [prices.get(name, 0.0) for name in PRICE_NAMES]
    values = _compiled()(*number.values(), *astuple(shape), *ordered)
    return dict(zip(COMPONENTS, values, strict=True))


def _unpublished(
    counts: Counts[float | None], shape: Shape, machine: Hardware, live: Constant
) -> dict[str, tuple[str, ...]]:
    """By component, the ``range`` constants that change it when they are doubled."""
    constants = {**machine.prices, "live": live}
    centre = {name: item.value for name, item in constants.items()}
    base = _components(counts, shape, centre)
    found: dict[str, list[str]] = {name: [] for name in COMPONENTS}
    for name, item in constants.items():
        if item.basis != "range":
            continue
        moved = _components(counts, shape, {**centre, name: 2 * item.value})
        for component in COMPONENTS:
            if moved[component] != base[component]:
                found[component].append(name)
    return {name: tuple(names) for name, names in found.items()}


def _refuse_missing(
    counts: Counts[float | None], shape: Shape, machine: Hardware, design: Design
) -> None:
    unused = set() if machine.pti else {"invlpg_user", "full_user"}
    for name in PRICE_NAMES:
        if name in machine.prices or name in unused:
            continue
        # Unit counts of everything else are irrelevant: a price alone shows its coefficient.
        if _components(counts, shape, {name: 1.0, "live": 1.0})["total"]:
            raise NotPriced(f"hardware {machine.name} has no price {name!r}, design {design.name}"
                            " needs it")  # fmt: skip
