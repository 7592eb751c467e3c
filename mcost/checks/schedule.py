"""Where the sharers of a trace run, over time and at the moments of its operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.traces.schema import IDLE, INVALIDATE, SWITCH, Trace

__all__ = ["Schedule", "operations", "schedule"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_OTHER, _RUNNING, _LAZY = range(3)


@dataclass(frozen=True)
class Schedule:
    """State of every CPU between its switches.

    Attributes:
        cpus: size of the machine.
        start, end: span of the trace, ns.
        time: per CPU, times at which its state may change, ns, ascending.
        state: per CPU, what it does from each of those times on: 0 no sharer loaded, 1 runs
            one, 2 lazy on one.
        mm: per CPU, the mm loaded from each of those times on, -1 for none.
    """

    cpus: int
    start: int
    end: int
    time: tuple[Ints, ...]
    state: tuple[Ints, ...]
    mm: tuple[Ints, ...]

    def share(self, edges: Ints, lazy: bool = False, without: int | None = None) -> Floats:
        """Fraction of CPU time with a sharer running (or lazily loaded) between edges.

        Args:
            edges: ns, ascending, [n + 1].
            lazy: lazily loaded instead of running.
            without: a CPU to leave out.

        Returns:
            [n]; 0 for an empty window or no CPU.
        """
        used = [cpu for cpu in range(self.cpus) if cpu != without]
        total = np.zeros(len(edges) - 1)
        for cpu in used:
            inside = self.state[cpu] == (_LAZY if lazy else _RUNNING)
            lasts = np.diff(np.append(self.time[cpu], self.end))
            sums = np.concatenate([[0.0], np.cumsum(lasts * inside)])
            total += np.diff(np.interp(edges, np.append(self.time[cpu], self.end), sums))
        span = np.diff(edges) * len(used)
        return np.asarray(np.divide(total, span, out=np.zeros_like(total), where=span > 0))

    def running(self, moments: Ints, but: Ints) -> Ints:
        """At each moment, CPUs other than ``but`` that run a sharer. [n]."""
        found = np.zeros(len(moments), dtype=np.int64)
        for cpu in range(self.cpus):
            at = np.searchsorted(self.time[cpu], moments, side="right") - 1
            found += (self.state[cpu][at] == _RUNNING) & (but != cpu)
        return found

    def sharers_seen(self, moments: Ints, but: Ints) -> Ints:
        """At each moment, sharers that run on a CPU other than ``but``. [n]."""
        found: list[set[int]] = [set() for _ in moments]
        for cpu in range(self.cpus):
            at = np.searchsorted(self.time[cpu], moments, side="right") - 1
            runs = (self.state[cpu][at] == _RUNNING) & (but != cpu)
            for i in np.flatnonzero(runs):
                found[i].add(int(self.mm[cpu][at[i]]))
        return np.array([len(one) for one in found], dtype=np.int64)


def schedule(trace: Trace, cpus: int | None = None) -> Schedule:
    """The schedule that a trace's switches and idles tell.

    Args:
        trace: a checked trace.
        cpus: online CPUs, None for the highest of the trace + 1.
    """
    size = trace.cpus if cpus is None else cpus
    start = int(trace.time[0]) if len(trace) else 0
    end = int(trace.time[-1]) if len(trace) else 0
    sharers = trace.sharers
    times, states, mms = [], [], []
    for cpu in range(size):
        rows = np.flatnonzero(
            (trace.cpu == cpu) & ((trace.event == SWITCH) | (trace.event == IDLE))
        )
        loaded, lazy = _loaded(trace, rows)
        ours = np.isin(loaded, sharers)
        state = np.where(ours, np.where(lazy, _LAZY, _RUNNING), _OTHER)
        times.append(np.concatenate([[start], trace.time[rows]]))
        states.append(np.concatenate([[_OTHER], state]))
        mms.append(np.concatenate([[-1], loaded]))
    return Schedule(size, start, end, tuple(times), tuple(states), tuple(mms))


def _loaded(trace: Trace, rows: Ints) -> tuple[Ints, Bools]:
    """The mm loaded after each row of one CPU, and whether lazily."""
    lazy = trace.event[rows] == IDLE
    last = np.maximum.accumulate(np.where(lazy, -1, np.arange(len(rows))))
    mm = np.where(last >= 0, trace.mm[rows][np.maximum(last, 0)], -1)
    return mm, np.asarray(lazy & (mm >= 0))


def operations(trace: Trace) -> Ints:
    """Rows of the trace's invalidates."""
    return np.flatnonzero(trace.event == INVALIDATE)
