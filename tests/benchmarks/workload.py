"""The trace that all loops run: accesses, context switches and unmaps of one shared region."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mcost.simulator import Prepared, prepare
from mcost.traces.schema import ATTACH, INVALIDATE, KINDS, SWITCH, TOUCH, Trace

__all__ = ["EVENTS", "PAGES", "SETS", "WAYS", "only_touches", "prepared", "region_trace", "touched"]

EVENTS = 10_000_000
PAGES = 4096
SETS, WAYS = 16, 4
_MIX = ((TOUCH, 0.96), (SWITCH, 0.03), (INVALIDATE, 0.01))
_SEED = 1


def _zipf(rng: np.random.Generator, size: int) -> npt.NDArray[np.int64]:
    """Page numbers with frequency 1 / rank; ranks are scattered over the region."""
    weights = np.cumsum(1 / np.arange(1, PAGES + 1))
    ranks = np.searchsorted(weights, rng.random(size) * weights[-1])
    return rng.permutation(PAGES)[ranks]


def region_trace(cpus: int, sharers: int, events: int = EVENTS) -> Trace:
    """S sharers attach, every CPU loads one, then ``events`` events on random CPUs.

    96 % touch a Zipf page, 3 % switch to a uniform sharer, 1 % unmap one Zipf page.
    """
    rng = np.random.default_rng(_SEED)
    kinds, shares = zip(*_MIX, strict=True)
    first = np.arange(cpus)
    event = rng.choice(np.array(kinds, np.uint8), size=events, p=shares)
    columns = {
        "event": (np.full(sharers, ATTACH), np.full(cpus, SWITCH), event),
        "cpu": (np.zeros(sharers), first, rng.integers(cpus, size=events, dtype=np.int32)),
        "mm": (np.arange(sharers), first % sharers, rng.integers(sharers, size=events)),
        "page": (np.zeros(sharers), np.zeros(cpus), _zipf(rng, events)),
    }
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    size = events + sharers + cpus
    ones, zap = np.ones(size, np.int64), np.full(size, KINDS.index("zap"), np.uint8)
    return Trace.build(time=np.arange(size) * 100, pages=ones, kind=zap, **whole)


@lru_cache(maxsize=1)
def prepared(cpus: int, sharers: int, events: int = EVENTS) -> Prepared:
    """The trace made ready for the loops; only the last one is kept."""
    return prepare(region_trace(cpus, sharers, events))


def touched(trace: Prepared) -> npt.NDArray[np.int64]:
    """The pages of the trace's touches, in order."""
    events = trace.events
    return trace.number[events.what[events.event == TOUCH]]


def only_touches(pages: npt.NDArray[np.int64], cpus: int) -> Trace:
    """Every CPU loads one mm, which is no sharer; then CPUs take turns to touch the pages."""
    cpu = np.append(np.arange(cpus), np.arange(len(pages)) % cpus)
    event = np.full(len(cpu), TOUCH, np.uint8)
    event[:cpus] = SWITCH
    page = np.append(np.zeros(cpus, np.int64), pages)
    return Trace.build(time=np.arange(len(cpu)), cpu=cpu, event=event, page=page)
