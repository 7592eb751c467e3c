"""Arithmetic on prices with their spread: what predictions of published rows are made of.

Every quantity is an array: entry 0 is worked with the machine's values, the others with one
draw each, all on the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mcost.algebra.components import components
from mcost.algebra.cost import SEED, NotPriced, constants, inputs
from mcost.algebra.shape import USUAL, Conditions
from mcost.algebra.spread import Estimate, draw, estimate
from mcost.spec.counts import Counts
from mcost.spec.designs import design
from mcost.spec.hardware import Constant, Hardware, hardware
from mcost.spec.operations import CEILING
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["POINTS", "Floats", "Terms", "as_estimate", "one_mm", "spread", "terms"]

Floats = npt.NDArray[np.float64]
POINTS = 1024


@dataclass(frozen=True)
class Terms:
    """One machine's prices as arrays.

    Attributes:
        machine: the price list.
    """

    machine: Hardware

    def __getitem__(self, name: str) -> Floats:
        """A price in ns, or ``clock`` in GHz; the user halves are 0 without PTI.

        Raises:
            NotPriced: the machine has no such price.
        """
        if name == "clock":
            return spread(name, self.machine.clock)
        if name in ("invlpg_user", "full_user") and not self.machine.pti:
            return np.zeros(POINTS + 1)
        if name not in self.machine.prices:
            raise NotPriced(f"hardware {self.machine.name} has no price {name!r}")
        return spread(name, self.machine.prices[name])

    def component(
        self,
        name: str,
        remotes: int,
        pages: int,
        conditions: Conditions = USUAL,
    ) -> Floats:
        """A component of the price of :func:`one_mm`, in ns."""
        counts, scenario = one_mm(remotes, pages)
        given = inputs(counts, self.machine, scenario, design("per-mm"), conditions)
        prices = {name: spread(name, item) for name, item in constants(self.machine).items()}
        return np.broadcast_to(components(given, prices)[name], (POINTS + 1,))

    def reach(self, sockets: int | None) -> Floats:
        """What a round waits longer for another socket; 0 where there is only one."""
        if (sockets or 1) == 1 or self.machine.sockets == 1:
            return np.zeros(POINTS + 1)
        return self["first_far"]

    def in_unit(self, ns: Floats, unit: str) -> Floats:
        """Nanoseconds in a published unit; raises KeyError for a unit that is no time."""
        if unit == "cycles":
            return ns * self["clock"]
        return ns / {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}[unit]


def spread(name: str, constant: Constant) -> Floats:
    """Value and draws of a constant."""
    return np.concatenate([[constant.value], draw({name: constant}, POINTS, SEED)[name]])


def as_estimate(values: Floats) -> Estimate:
    """The estimate that an array of value and draws stands for."""
    return estimate(float(values[0]), values[1:])


@lru_cache(maxsize=16)
def terms(name: str) -> Terms:
    """The terms of a bundled machine."""
    return Terms(hardware(name))


def one_mm(remotes: int, pages: int) -> tuple[Counts[float | None], Scenario]:
    """Counts of one flush of one process, all of whose threads run (kernel-counts W1).

    One round to ``remotes`` CPUs if there are any; every CPU flushes page by page up to the
    ceiling, else drops its ASID. ICR writes: one cluster.
    """
    scenario = Scenario(
        cpus=remotes + 1,
        sharers=1,
        threads=remotes + 1,
        pages=pages,
        operation="protect",
        placement="pinned",
        initiator="sharer",
    )
    page_wise = pages <= CEILING
    some = float(remotes > 0)
    known = {
        "flush_events": 1.0,
        "rounds": some,
        "ipis": float(remotes),
        "useful_ipis": float(remotes),
        "sharer_ipis": float(remotes),
        "csds": float(remotes),
        "icr_writes": some,
        "page_flushes": float(page_wise * pages * (remotes + 1)),
        "full_flushes": float((not page_wise) * (remotes + 1)),
        "generation_bumps": 1.0,
        "lost_entries": 0.0,
    }
    return Counts(**{name: known.get(name, 0.0) for name in COUNT_NAMES}), scenario
