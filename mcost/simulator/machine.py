"""The loop: events applied one after another, in trace order.

The rules are those of model.md section 5 and of this package's docstring. Compiled by
Numba; with NUMBA_DISABLE_JIT=1 it is plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcost.simulator.compiled import bare, entry, inner, int64, sources
from mcost.simulator.events import attach, detach, forget_cpu, forget_mm, start
from mcost.simulator.invalidate import invalidate
from mcost.simulator.runs import leave
from mcost.simulator.state import LAZY, LOADED, TRACKS, Memory, cpu_at
from mcost.simulator.switch import switch
from mcost.simulator.tlb import touch
from mcost.simulator.unsent import sweep
from mcost.traces.schema import ATTACH, DETACH, IDLE, INVALIDATE, SWITCH, TOUCH

__all__ = ["Events", "run"]

Ints = npt.NDArray[np.int64]


class Events(NamedTuple):
    """A trace as the loop reads it.

    Attributes:
        time: ns.
        cpu: CPU.
        event: code.
        what: page id of a touch, row of ``changes`` of an invalidate; for events that name an
            mm its dense number from 1 on, 0 for none; 0 for the others.
        changes: [invalidates, 5]: page number, pages, kind, first page id, end page id.
        starts: first event of each independent run, and the number of events.
    """

    time: Ints
    cpu: npt.NDArray[np.int32]
    event: npt.NDArray[np.uint8]
    what: npt.NDArray[np.int32]
    changes: Ints
    starts: Ints


def _entry_of(digest: int) -> Callable[[Memory, Ints, Events, Ints], int]:
    @entry
    def run(memory: Memory, cuts: Ints, events: Events, out: Ints) -> int:
        m = bare(memory)
        for part in range(len(out)):
            start(m)
            first, end = events.starts[part], events.starts[part + 1]
            for at in range(first, end):
                cpu = int64(events.cpu[at])
                row = cpu_at(m, cpu)
                if events.event[at] != TOUCH:
                    _apply(m, cuts, events, at)
                elif m[row + LOADED] and not m[row + LAZY]:
                    touch(m, cpu, int64(events.what[at]))
            for count in range(TRACKS):
                out[part, count] = m[count]
            if part + 1 < len(out):
                for at in range(first, end):
                    forget_cpu(m, int64(events.cpu[at]))
                    if events.event[at] != TOUCH and events.event[at] != INVALIDATE:
                        forget_mm(m, int64(events.what[at]))
        return digest

    return run


run = _entry_of(sources())
"""Runs each part of a trace on a fresh machine and writes its counts.

Args:
    m: memory from ``layout.allocate``.
    cuts: [kinds, 5] from ``codes.cuts``.
    events: the trace.
    out: [parts, counts].

Returns:
    The digest of the sources, which is part of the cache key that way.
"""


@inner
def _apply(m: Memory, cuts: Ints, events: Events, at: int) -> None:
    """Any event but a touch."""
    event, now = events.event[at], events.time[at]
    cpu, what = int64(events.cpu[at]), int64(events.what[at])
    if event == INVALIDATE:
        invalidate(m, cuts, events.changes, what, cpu, now)
    elif event == ATTACH:
        attach(m, what, now)
    elif event == DETACH:
        detach(m, cpu, what, now)
    else:
        sweep(m, cpu)
        if event == SWITCH:
            switch(m, cpu, what)
        elif event == IDLE:
            leave(m, cpu)
            m[cpu_at(m, cpu) + LAZY] = m[cpu_at(m, cpu) + LOADED] != 0
