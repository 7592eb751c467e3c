"""A trace made ready once, for any number of designs: dense mm and page numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.simulator.layout import Pages
from mcost.simulator.machine import Events
from mcost.simulator.state import MOST_PAGES
from mcost.traces.schema import ATTACH, DETACH, INVALIDATE, SWITCH, TOUCH, Trace

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
        attaches: most attach events of one part.
    """

    events: Events
    number: Ints
    mms: int
    cpus: int
    attaches: int

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

    Raises:
        ValueError: more than 2^28 different pages are touched.
    """
    touches = trace.event == TOUCH
    number, ids = _dense(trace.page[touches])
    if len(number) > MOST_PAGES:
        raise ValueError(f"page: the trace touches {len(number)} pages, at most {MOST_PAGES}")
    rows = np.flatnonzero(trace.event == INVALIDATE)
    page = np.zeros(len(trace), np.int32)
    page[touches] = ids
    page[rows] = np.arange(len(rows))
    named = np.isin(trace.event, (SWITCH, ATTACH, DETACH)) & (trace.mm >= 0)
    names, ids = _dense(trace.mm[named])
    mm = np.zeros(len(trace), np.int32)
    mm[named] = ids + 1
    bounds = np.zeros(1, np.int64) if starts is None else np.asarray(starts, np.int64)
    bounds = np.append(bounds, len(trace))
    attaches = np.searchsorted(np.flatnonzero(trace.event == ATTACH), bounds)
    events = Events(
        time=trace.time,
        cpu=trace.cpu,
        event=trace.event,
        mm=mm,
        page=page,
        changes=_changes(trace, rows, number),
        starts=bounds,
    )
    most = int(np.diff(attaches).max(initial=0))
    return Prepared(events, number, len(names), trace.cpus, most)


def _changes(trace: Trace, rows: Ints, number: Ints) -> Ints:
    """What the invalidates change; see ``Events.changes``."""
    first, pages = trace.page[rows], trace.pages[rows]
    low, high = np.searchsorted(number, first), np.searchsorted(number, first + pages)
    return np.column_stack((first, pages, trace.kind[rows], low, high)).astype(np.int64)


def _dense(values: Ints) -> tuple[Ints, npt.NDArray[np.int32]]:
    """The different values, ascending, and for each value its index among them.

    By a table where the values span little more than there are of them, else by sorting.
    """
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    if high - low > 4 * len(values) + 1000:
        number, ids = np.unique(values, return_inverse=True)
        return number, ids.astype(np.int32)
    seen = np.zeros(high - low + 1, np.bool_)
    seen[values - low] = True
    table = np.cumsum(seen, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(seen) + low, table[values - low]
