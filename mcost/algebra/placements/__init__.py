"""To whom: where sharers run -> who is told by each way of tracking, at a frozen moment.

Every law is derived from the definition in ``mcost.spec.placements`` by indicator sums,
occupancy and Poisson sums (``mcost.algebra.lemmas``); nothing is typed in. Freezing stops
being fair when a walk over many sharers takes so long that threads move meanwhile: a real
walk over 32 sharers told 120 CPUs of 64 (kernel-counts, W4).
"""

from __future__ import annotations

from collections.abc import Callable

from mcost.algebra.placements.pinned import pinned
from mcost.algebra.placements.reach import NO_TARGETS, Reach, Targets, Unknown
from mcost.algebra.placements.roaming import roaming
from mcost.algebra.placements.snapshot import snapshot
from mcost.algebra.placements.uniform import uniform
from mcost.algebra.symbols import Values

__all__ = ["LAWS", "NO_TARGETS", "Reach", "Targets", "Unknown"]

LAWS: dict[str, Callable[[Values, str, bool, int], Reach]] = {
    "pinned": pinned,
    "snapshot": snapshot,
    "uniform": uniform,
    "roaming": roaming,
}
"""By placement name: (values, initiator, lazy_masks, CPUs per ICR write) -> reach."""
