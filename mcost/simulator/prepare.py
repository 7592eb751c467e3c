"""A trace made ready once, for any number of designs: dense mm and page numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.simulator.machine import Events
from mcost.simulator.state import Pages
from mcost.traces.schema import INVALIDATE, TOUCH, Trace

__all__ = ["Prepared", "prepare"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Prepared:
    """A trace with dense numbers.

    Attributes:
        events: what the loop reads.
        number: the touched page numbers, ascending; a touch holds the index.
        mms: how many different mms there are.
        cpus: smallest machine the trace fits on.
    """

    events: Events
    number: Ints
    mms: int
    cpus: int

    def pages(self, sets: int, unit: int) -> Pages:
        """Where the pages lie in a TLB of ``sets`` sets and in share units of ``unit``."""
        region = self.number >= 0
        units = np.unique(self.number[region] // unit)
        place = np.where(region, np.searchsorted(units, self.number // unit), -1)
        return Pages(
            number=self.number,
            place=self.number % sets,
            unit=place,
            units=units,
        )


def prepare(trace: Trace, starts: Ints | None = None) -> Prepared:
    """Numbers mms and touched pages densely.

    Args:
        trace: a checked trace.
        starts: first event of each independent run; None for one run.
    """
    touches = trace.event == TOUCH
    number, ids = np.unique(trace.page[touches], return_inverse=True)
    page = np.where(trace.event == INVALIDATE, trace.page, 0)
    page[touches] = ids
    names = np.unique(trace.mm[trace.mm >= 0])
    mm = np.where(trace.mm >= 0, np.searchsorted(names, trace.mm), -1)
    bounds = np.zeros(1, np.int64) if starts is None else np.asarray(starts, np.int64)
    events = Events(
        time=trace.time,
        cpu=trace.cpu,
        event=trace.event,
        mm=mm.astype(np.int32),
        kind=trace.kind,
        page=page,
        pages=trace.pages,
        starts=np.append(bounds, len(trace)),
    )
    return Prepared(events, number, len(names), trace.cpus)
