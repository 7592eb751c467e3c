"""What each CPU had loaded, as arrays, from the switches of a scan.

One mm a CPU: the process last switched in, kept loaded (lazily) under kernel threads and the
idle task. That is the kernel's own mask with eager upkeep (6.12 and before, KF 2.1); on
kernels with lazy masks more bits are set than this shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mcost.traces.importers.found import Scan

__all__ = ["NONE", "Timeline", "timeline"]

NONE = -1
"""No mm."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Timeline:
    """Switches in order, begun by one for each CPU whose first task is known.

    Attributes:
        time: ns, never decreasing.
        cpu: CPU of each switch.
        mm: process switched in; NONE for a kernel thread.
        opening: how many of the first rows say what ran when the record begins.
        start, end: span of the recording, ns.
        cpus: size of the machine.
    """

    time: Ints
    cpu: Ints
    mm: Ints
    opening: int
    start: int
    end: int
    cpus: int

    @cached_property
    def _rows(self) -> list[Ints]:
        """Rows of each CPU, in order."""
        order = np.argsort(self.cpu, kind="stable")
        bounds = np.searchsorted(self.cpu[order], np.arange(self.cpus + 1))
        return [order[low:high] for low, high in pairwise(bounds.tolist())]

    def on(self, cpu: int) -> tuple[Ints, Ints, Bools]:
        """Rows of one CPU, the mm loaded after each (NONE: none known), and whether lazily."""
        rows = self._rows[cpu]
        lazy = self.mm[rows] == NONE
        last = np.maximum.accumulate(np.where(lazy, -1, np.arange(len(rows))))
        loaded = np.where(last >= 0, self.mm[rows][last], NONE)
        return rows, loaded, lazy & (loaded != NONE)

    def at(self, cpu: int, before: Ints) -> tuple[Ints, Bools]:
        """The mm loaded on one CPU just before each row of ``before``, and whether lazily."""
        rows, loaded, lazy = self.on(cpu)
        if not len(rows):
            return np.full(len(before), NONE), np.zeros(len(before), dtype=bool)
        at = np.searchsorted(rows, before, side="left") - 1
        known = at >= 0
        return np.where(known, loaded[at], NONE), known & lazy[at]

    def shares(self, mms: Ints) -> tuple[dict[int, float], float, float]:
        """Fractions of the CPUs' time: by running mm, with one of ``mms`` running, and lazy.

        Returns:
            Fraction of all CPU time each of ``mms`` runs; their sum; the fraction in which
            one of them is loaded under a kernel thread or the idle task.
        """
        total = float((self.end - self.start) * self.cpus)
        running = dict.fromkeys((int(mm) for mm in mms), 0.0)
        lazily = 0.0
        for cpu in range(self.cpus):
            rows, loaded, lazy = self.on(cpu)
            spans = np.diff(np.append(self.time[rows], self.end))
            ours = np.isin(loaded, mms)
            lazily += float(spans[ours & lazy].sum())
            used, inverse = np.unique(loaded[ours & ~lazy], return_inverse=True)
            sums = np.bincount(inverse, weights=spans[ours & ~lazy], minlength=len(used))
            for mm, value in zip(used.tolist(), sums.tolist(), strict=True):
                running[mm] += value
        if total <= 0:
            return running, 0.0, 0.0
        parts = {mm: value / total for mm, value in running.items()}
        return parts, sum(parts.values()), lazily / total


def timeline(done: Scan) -> Timeline:
    """The schedule of a scan, threads replaced by their processes."""
    columns = done.switches.columns()
    opening = sorted(set(done.first) - done.late)
    tids = np.concatenate([np.array([done.first[cpu] for cpu in opening], int), columns["tid"]])
    used, inverse = np.unique(tids, return_inverse=True)
    tasks = done.tasks
    mms = [NONE if tasks.is_kernel(tid) else tasks.of(tid) for tid in used.tolist()]
    return Timeline(
        time=np.concatenate([np.full(len(opening), done.start), columns["time"]]),
        cpu=np.concatenate([np.array(opening, dtype=np.int64), columns["cpu"]]),
        mm=np.array(mms, dtype=np.int64)[inverse],
        opening=len(opening),
        start=done.start,
        end=done.end,
        cpus=done.processors,
    )
