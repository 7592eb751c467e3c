"""Masks of the sharers at each flush call, by one mm a CPU, and how right the recorded say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.traces.importers.found import Scan
from mcost.traces.importers.targets import Targets
from mcost.traces.importers.timeline import NONE, Timeline

__all__ = ["Masks", "Spread", "masks", "spread"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Masks:
    """CPUs at each call, the initiator apart.

    Attributes:
        mm: CPUs that have the flushed mm loaded, lazily or not; NONE when it is not known.
        mm_running: those of them that run it.
        union: CPUs that have some sharer loaded, lazily or not.
        running: those of them that run one.
        recorded: CPUs in the mask that a probe recorded; NONE without one.
        right: the recorded mask is just the CPUs that have the mm loaded, the initiator
            looked at as well.
    """

    mm: Ints
    mm_running: Ints
    union: Ints
    running: Ints
    recorded: Ints
    right: Bools


@dataclass(frozen=True)
class Spread:
    """How numbers spread: mean, median, 90th percentile, largest."""

    mean: float
    median: float
    p90: float
    most: int


def spread(values: Ints) -> Spread | None:
    """The spread of some numbers, None of none."""
    if not len(values):
        return None
    median, p90 = np.percentile(values, [50, 90]).tolist()
    return Spread(float(values.mean()), median, p90, int(values.max()))


def masks(done: Scan, line: Timeline, targets: Targets, sharers: Ints) -> Masks:
    """Counts CPUs at every call of a scan."""
    calls = done.calls.table.columns()
    before = calls["row"] + line.opening
    size = len(before)
    sums = {name: np.zeros(size, dtype=np.int64) for name in ("mm", "ours", "union", "running")}
    recorded, right = np.zeros(size, dtype=np.int64), np.ones(size, dtype=bool)
    bits, known = calls["mask"], targets.mm != NONE
    for cpu in range(line.cpus):
        loaded, lazy = line.at(cpu, before)
        other = calls["cpu"] != cpu
        named = (loaded == targets.mm) & known & other
        ours = np.isin(loaded, sharers) & other
        sums["mm"] += named
        sums["ours"] += named & ~lazy
        sums["union"] += ours
        sums["running"] += ours & ~lazy
        bit = ((bits >> min(cpu, 63)) & 1).astype(bool)
        recorded += bit & other
        right &= bit == ((loaded == targets.mm) & known)
    probed = bits >= 0
    return Masks(
        mm=np.where(known, sums["mm"], NONE),
        mm_running=np.where(known, sums["ours"], NONE),
        union=sums["union"],
        running=sums["running"],
        recorded=np.where(probed, recorded, NONE),
        right=right & probed & known & (line.cpus < 64),
    )
