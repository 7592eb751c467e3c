"""The scenarios of the agreement grid: a full cross where it is cheap, corners where not."""

from __future__ import annotations

from itertools import product

from mcost.spec.kernels import KERNELS
from mcost.spec.operations import OPERATIONS
from mcost.spec.placements import PLACEMENTS
from mcost.spec.scenario import Scenario

__all__ = ["grid"]

_SETTINGS: dict[str, tuple[dict[str, float | int], ...]] = {
    "pinned": ({"threads": 2, "held": 0.9}, {"threads": 1}),
    "snapshot": ({"share": 0.85, "idle": 0.08, "held": 0.9}, {"share": 0.7}),
    "uniform": ({"threads": 2, "share": 0.9, "held": 0.9}, {"threads": 1}),
    "roaming": ({"rate": 8.0, "age": 0.4, "held": 0.9}, {"rate": 4.0, "age": 1.5}),
}
"""Two settings of each placement: one with everything in it, one plain (or trimming)."""

_SIZES: tuple[tuple[int, int], ...] = ((1, 1), (2, 1), (3, 5), (17, 4), (32, 12), (64, 30))
"""(cpus, sharers) beyond the cross's own (8, 3): edges, word and cluster boundaries."""


def grid(quick: bool = False) -> list[Scenario]:
    """All scenarios, without doubles, in a fixed order.

    The cross: placements x initiators x operations x kernels at 8 CPUs, 3 sharers and
    pages that straddle a page table. Then (cpus, sharers) and hulls around the ceiling for
    ``zap``, and no sharers at all. ``quick`` keeps one scenario in fourteen, small ones.
    """
    found = [*_cross(), *_sizes(), *_hulls(), *_nobody()]
    if quick:
        found = [one for one in found[::14] if one.cpus <= 8 and one.cpus != 3 and one.pages <= 8]
    return list(dict.fromkeys(found))


def _cross() -> list[Scenario]:
    made = []
    for law, op, kernel in product(PLACEMENTS, OPERATIONS, KERNELS):
        if law.lazy_only and not kernel.lazy_masks:
            continue
        made += [
            _scenario(law.name, op.name, kernel.name, initiator, 8, 3, 3, 511, 0)
            for initiator in law.initiators
        ]
    return made


def _sizes() -> list[Scenario]:
    made = []
    for law, (cpus, sharers), which in product(PLACEMENTS, _SIZES, (0, 1)):
        for initiator in law.initiators:
            busy = sharers * int(_SETTINGS[law.name][which].get("threads", 1))
            if initiator == "apart" and law.name == "pinned" and busy >= cpus:
                continue
            if cpus == 1 and law.threads and which == 0:
                continue
            made.append(
                _scenario(law.name, "zap", law.kernel, initiator, cpus, sharers, 1, 0, which)
            )
    return made


def _hulls() -> list[Scenario]:
    return [
        _scenario("snapshot", "zap", "6.12", "outside", 8, 3, pages, offset, 0)
        for pages, offset in ((33, 0), (34, 0), (40, 500), (70, 500), (600, 480), (1030, 511))
    ] + [
        _scenario("snapshot", "reclaim", "6.12", "outside", 8, 3, 70, 0, 0),
        _scenario("snapshot", "pte", "6.12", "sharer", 8, 3, 40, 0, 0),
    ]


def _nobody() -> list[Scenario]:
    return [_scenario(law.name, "zap", law.kernel, "outside", 4, 0, 2, 0, 0) for law in PLACEMENTS]


def _scenario(
    placement: str,
    op: str,
    kernel: str,
    initiator: str,
    cpus: int,
    sharers: int,
    pages: int,
    offset: int,
    which: int,
) -> Scenario:
    return Scenario(
        cpus=cpus,
        sharers=sharers,
        pages=pages,
        offset=offset,
        operation=op,
        placement=placement,
        initiator=initiator,
        kernel=kernel,
        **_SETTINGS[placement][which],  # type: ignore[arg-type]
    )
