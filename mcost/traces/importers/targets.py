"""Whose mm a flush call was for, and which calls count as operations on the region.

tlb_flush names no mm (KF 8.2). In this order a call's mm is: the pointer that a probe
recorded, when some task is known to have it; the initiator's own, when its own part traced
reason 3; the one process that all told CPUs ran (a handler traces reason 1 only when the
flushed mm is loaded there). A batched flush (pointer 0, reason 2, or a full one answered by
several processes) has no mm. What is left is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.traces.importers.flushes import EVERYTHING, NO_POINTER, REMOTE, signed
from mcost.traces.importers.found import Scan
from mcost.traces.importers.timeline import NONE

__all__ = ["HOW", "Targets", "find_targets"]

HOW: tuple[str, ...] = ("unknown", "probe", "own part", "receivers", "batch")
"""How a call's mm was found."""

UNKNOWN, PROBE, OWN, RECEIVERS, BATCH = range(len(HOW))

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Targets:
    """What is known of each call's mm.

    Attributes:
        process: process that asked.
        mm: process whose mm was flushed, NONE when batched or unknown.
        how: index into :data:`HOW`.
    """

    process: Ints
    mm: Ints
    how: Ints
    _answers: tuple[Ints, Ints]

    def concern(self, sharers: Ints) -> Bools:
        """Calls on a sharer's mm; batched and unknown ones if a sharer asked or was told."""
        named = np.isin(self.mm, sharers)
        involved = np.isin(self.process, sharers)
        calls, processes = self._answers
        involved[calls[np.isin(processes, sharers)]] = True
        return np.where(self.mm != NONE, named, involved)


def find_targets(done: Scan) -> Targets:
    """Resolves the mm of every call of a scan."""
    calls = done.calls.table.columns()
    answers = done.calls.answers.columns()
    tasks = done.tasks
    process = _each(calls["tid"], tasks.of)
    receivers = _each(answers["tid"], tasks.of)
    one, several = _receivers(len(process), answers["call"], receivers)
    sure = _each(answers["tid"], lambda tid: int(tid in tasks.process)).astype(bool)
    several[answers["call"][~sure]] = False
    own = calls["own"] == 1
    batch = (calls["pointer"] == 0) | (calls["own"] == 2)
    batch |= several & (calls["pages"] == -1) & (calls["pointer"] == NO_POINTER) & ~own
    probed = _pointers(done, calls["pointer"], np.where(own, process, one))
    batch |= calls["kind"] == EVERYTHING
    rules = [batch, probed != NONE, own, (one != NONE) & (calls["kind"] == REMOTE)]
    values = [np.full_like(process, NONE), probed, process, one]
    return Targets(
        process=process,
        mm=np.select(rules, values, NONE),
        how=np.select(rules, [BATCH, PROBE, OWN, RECEIVERS], UNKNOWN),
        _answers=(answers["call"], receivers),
    )


def _each(tids: Ints, function: object) -> Ints:
    """A function of a tid, called once for each different one."""
    assert callable(function)
    used, inverse = np.unique(tids, return_inverse=True)
    return np.array([function(tid) for tid in used.tolist()], dtype=np.int64)[inverse]


def _receivers(size: int, calls: Ints, processes: Ints) -> tuple[Ints, Bools]:
    """The process of all receivers of each call, NONE when there is not just one."""
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.full(size, NONE)
    np.minimum.at(low, calls, processes)
    np.maximum.at(high, calls, processes)
    return np.where(low == high, high, NONE), low < high


def _pointers(done: Scan, pointers: Ints, seen: Ints) -> Ints:
    """The process of each mm pointer: as the file says, else as all its calls agree."""
    known = {signed(pointer): tid for pointer, tid in done.tasks.pointers.items()}
    found: dict[int, set[int]] = {}
    for pointer, process in zip(pointers.tolist(), seen.tolist(), strict=True):
        if pointer not in known and process != NONE:
            found.setdefault(pointer, set()).add(process)
    known |= {pointer: found[pointer].pop() for pointer in found if len(found[pointer]) == 1}
    of = {p: done.tasks.of(known[p]) if p in known else NONE for p in np.unique(pointers).tolist()}
    of[NO_POINTER] = of[0] = NONE
    return np.array([of[pointer] for pointer in pointers.tolist()], dtype=np.int64)
