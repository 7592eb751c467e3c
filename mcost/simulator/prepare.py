"""A trace made ready once, for any number of designs: dense mm and page numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.simulator.layout import Pages
from mcost.simulator.machine import Events
from mcost.simulator.state import MOST_PAGES
from mcost.traces.schema import ATTACH, DETACH, INVALIDATE, SWITCH, TOUCH, Trace

__all__ = ["Prepared", "prepare"]

Ints = npt.NDArray[np.int64]

_BLOCK = 1 << 18
"""Rows numbered at a time."""


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
    what = np.zeros(len(trace), np.int32)
    number = _number(trace, trace.page, (TOUCH,), what, first=0)
    if len(number) > MOST_PAGES:
        raise ValueError(f"page: the trace touches {len(number)} pages, at most {MOST_PAGES}")
    names = _number(trace, trace.mm, (SWITCH, ATTACH, DETACH), what, first=1)
    rows = np.flatnonzero(trace.event == INVALIDATE)
    what[rows] = np.arange(len(rows))
    bounds = np.zeros(1, np.int64) if starts is None else np.asarray(starts, np.int64)
    bounds = np.append(bounds, len(trace))
    attaches = np.searchsorted(np.flatnonzero(trace.event == ATTACH), bounds)
    events = Events(
        time=trace.time,
        cpu=trace.cpu,
        event=trace.event,
        what=what,
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


def _number(
    trace: Trace, column: Ints, codes: tuple[int, ...], what: npt.NDArray[np.int32], first: int
) -> Ints:
    """Numbers the values of a column that events of some codes have, in ascending order.

    Works on blocks of rows, so that no second column is needed.

    Args:
        trace: whose events.
        column: pages, where negative ones count too, or mms, where -1 is none.
        codes: of the events.
        what: takes the numbers.
        first: number of the lowest value; with 1, negative values keep 0.

    Returns:
        The different values, ascending.
    """
    wanted = np.isin(np.arange(256), codes)
    blocks = [slice(at, at + _BLOCK) for at in range(0, len(trace), _BLOCK)]

    def used(block: slice) -> npt.NDArray[np.bool_]:
        chosen = wanted[trace.event[block]]
        return chosen & (column[block] >= 0) if first else chosen

    number, place = _different(lambda: (column[block][used(block)] for block in blocks))
    for block in blocks:
        chosen = used(block)
        what[block][chosen] = place(column[block][chosen]) + first
    return number


def _different(parts: Callable[[], Iterable[Ints]]) -> tuple[Ints, Callable[[Ints], Ints]]:
    """The different values of all parts, ascending, and what finds their places among them.

    By a table where the values span little more than there are of them, else by searching.
    """
    ends = [(part.min(), part.max(), len(part)) for part in parts() if len(part)]
    if not ends:
        return np.empty(0, np.int64), lambda values: values
    low, span = min(end[0] for end in ends), 1 + max(end[1] for end in ends)
    span -= low
    if span > 4 * sum(end[2] for end in ends) + 1000:
        number = np.unique(np.concatenate([np.unique(part) for part in parts()]))
        return number, lambda values: np.searchsorted(number, values)
    seen = np.zeros(span, np.bool_)
    for part in parts():
        seen[part - low] = True
    table = np.cumsum(seen) - 1
    return np.flatnonzero(seen) + low, lambda values: table[values - low]
