"""Every meaningful combination of the four columns, and which of them nobody should choose.

A combination is kept when :class:`~mcost.spec.designs.Design` accepts it, when it is not a
second spelling of another one, and when it is safe by the rules below, each of which the
exhaustive search of ``mcost.checks.safety`` proves or breaks for a named design.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import get_args

from mcost.algebra.counts import expect, mean_sd
from mcost.spec.designs import DESIGNS, VARIANTS, Delivery, Design, Hook, Scope, Tracks
from mcost.spec.operations import operation as find_operation
from mcost.spec.scenario import Scenario

__all__ = ["OBJECTIVES", "Point", "combinations", "explore", "front", "unsafe_because"]

OBJECTIVES = ("rounds", "ipis", "bystander_ipis", "lost_entries", "switch_tax")
"""What a point is judged by, all lower is better: serial rounds of the initiator, IPIs,
bystander IPIs, live translations dropped, mask updates per switch of a sharer."""


ASIDS = 6
"""TLB_NR_DYN_ASIDS: a global flush drops the entries of all slots (KF 2.2)."""


@dataclass(frozen=True)
class Point:
    """One combination and what it costs in one scenario.

    Attributes:
        design: the combination as a value.
        known: name of the design or variant with these columns, "new" when there is none.
        values: by objective; None without closed form.
    """

    design: Design
    known: str
    values: dict[str, float | None]


def combinations() -> list[Design]:
    """All meaningful combinations, in a fixed order; ``bumps`` as safety asks for it."""
    found = []
    for hook, tracks, delivery, scope in product(
        get_args(Hook), get_args(Tracks), get_args(Delivery), get_args(Scope)
    ):
        try:
            one = _combination(hook, tracks, delivery, scope)
        except ValueError:
            continue
        if _meaningful(one):
            found.append(one)
    return found


def _combination(hook: str, tracks: str, delivery: str, scope: str) -> Design:
    """The combination as a value; refused by the design itself when it makes no sense."""
    broadcasts = delivery in ("invlpgb", "tlbi", "tlbi-range")
    moves = not broadcasts and scope != "none" and tracks != "holders"
    everyone = tracks == "nothing" and scope == "everything"
    return Design(
        name=f"{hook}/{tracks}/{delivery}/{scope}",
        hook=hook,  # type: ignore[arg-type]
        tracks=tracks,  # type: ignore[arg-type]
        delivery=delivery,  # type: ignore[arg-type]
        scope=scope,  # type: ignore[arg-type]
        steps=("a combination of columns",),
        source="mcost explore",
        bumps=moves and not everyone,
    )


def _meaningful(one: Design) -> bool:
    """Leaves out second spellings and the oracle, which no kernel can be."""
    if one.tracks == "holders":
        return False
    if one.delivery == "none":
        return one.tracks == "nothing" and one.hook == "event"
    if one.delivery in ("invlpgb", "tlbi", "tlbi-range"):
        return one.scope == ("pages" if one.tracks == "nothing" else "pages-or-asid")
    if one.scope in ("pages", "none"):
        return False
    if one.tracks == "each" and one.hook == "batch":
        return False  # a per-mm flush names its pages; arch_tlbbatch has one mask for all
    return not (one.delivery == "deferred" and one.hook == "batch")


def unsafe_because(one: Design, operation: str) -> str:
    """Why the combination can leave a stale translation; empty when it is safe.

    Args:
        one: any design.
        operation: what is done; deferring is unsafe when the page lives on.
    """
    if one.delivery == "none":
        return "no CPU is told"
    if one.delivery == "deferred" and not find_operation(operation).deferrable:
        return "until the last CPU has flushed, the old translation still works"
    silent = one.delivery == "ipi" and not one.bumps
    if silent and not (one.tracks == "nothing" and one.scope == "everything"):
        return "no generation moves: a CPU that is up to date or not told keeps its entries"
    return ""


def explore(scenario: Scenario, live: float = 100.0) -> list[Point]:
    """All safe combinations in one scenario.

    Args:
        scenario: the question; ``switch_tax`` counts mask updates per context switch into
            or out of a sharer (1 for designs that keep a region mask, else 0).
        live: live translations of one ASID; a full flush loses as many, a global one six
            times that. It scales one column and does not move the front.
    """
    return [
        Point(one, _known(one), _values(scenario, one, live))
        for one in combinations()
        if not unsafe_because(one, scenario.operation)
    ]


def _known(one: Design) -> str:
    columns = (one.hook, one.tracks, one.delivery, one.scope, one.bumps)
    for named in DESIGNS + VARIANTS:
        if columns == (named.hook, named.tracks, named.delivery, named.scope, named.bumps):
            return named.name
    return "new"


def _values(scenario: Scenario, one: Design, live: float) -> dict[str, float | None]:
    cells = expect(scenario, one)

    def mean(name: str) -> float | None:
        pair = mean_sd(getattr(cells, name))
        return None if pair is None else pair[0]

    full, everything = mean("full_flushes"), mean("global_flushes")
    lost = None if full is None or everything is None else live * (full + ASIDS * everything)
    return {
        "rounds": mean("rounds"),
        "ipis": mean("ipis"),
        "bystander_ipis": mean("bystander_ipis"),
        "lost_entries": lost,
        "switch_tax": 1.0 if one.tracks == "region" else 0.0,
    }


def front(points: list[Point]) -> list[Point]:
    """Per delivery, the points that no other one beats (Pareto front).

    What a machine can deliver is not a choice, so INVLPGB does not put IPI designs out of
    the race. Points with the same values all stay; one with an unknown value is left out.
    """
    known = [point for point in points if None not in point.values.values()]
    return [
        one
        for one in known
        if not any(
            other.design.delivery == one.design.delivery and _dominates(other, one)
            for other in known
        )
    ]


def _dominates(a: Point, b: Point) -> bool:
    pairs = [(a.values[name] or 0.0, b.values[name] or 0.0) for name in OBJECTIVES]
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)
