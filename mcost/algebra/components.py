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
from functools import lru_cache
from typing import Any

import sympy as sp

from mcost.algebra.shape import Shape
from mcost.spec.prices import PRICE_NAMES
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["COMPONENTS", "components", "expressions"]

_ORDER = (*COUNT_NAMES, *Shape.names(), *PRICE_NAMES)

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
        s["generation_bumps"] * s["atomic"]
        + s["mask_words"] * s["mask_word"]
        + (s["moved_bumps"] + s["moved_lines"]) * line
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
    symbols = _symbols(_ORDER)
    ordered = [symbols[name] for name in _ORDER]
    made: Callable[..., list[Any]] = sp.lambdify(
        ordered, list(expressions().values()), modules="numpy", cse=True
    )
    return made


def components(given: Mapping[str, Any], prices: Mapping[str, Any]) -> dict[str, Any]:
    """Every component in ns.

    Args:
        given: :func:`inputs`, numbers or arrays.
        prices: by name, and ``live``; those missing are 0. Numbers or arrays that broadcast
            against ``given``.
    """
    lost = given["lost_entries"] + given["open_drops"] * prices.get("live", 0.0)
    values = {**given, "lost_entries": lost, **{n: prices.get(n, 0.0) for n in PRICE_NAMES}}
    made = _compiled()(*(values[name] for name in _ORDER))
    return dict(zip(COMPONENTS, made, strict=True))
