"""Schedule and operations into one trace.

Rows in order: an ``attach`` for each sharer at the time of the first event; what ran on each
CPU then; and, as recorded, a ``switch`` for each user task switched in (the same mm again for
another thread of it), an ``idle`` for each kernel thread, and the invalidates, each behind
the touches put in for it. The trace has 38 bytes a row in memory, about 120 while it is put
together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.traces.importers.found import Scan
from mcost.traces.importers.operations import Operations
from mcost.traces.importers.options import ImportOptions
from mcost.traces.importers.timeline import NONE, Timeline
from mcost.traces.schema import ATTACH, COLUMNS, IDLE, INVALIDATE, KINDS, SWITCH, TOUCH, Trace

__all__ = ["assemble"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Rows:
    """Rows of one sort, ordered by place (before switch ``place`` / 2), time, then turn."""

    place: Ints
    turn: Ints
    columns: dict[str, Ints]


def assemble(
    done: Scan, line: Timeline, made: Operations, sharers: Ints, options: ImportOptions
) -> tuple[Trace, Ints]:
    """The trace, and the row of each invalidate in it."""
    calls = done.calls.table.columns()
    before = calls["row"][made.call] + line.opening
    turn = 2 * np.arange(len(made.call), dtype=np.int64)
    zeros = np.zeros(len(sharers), dtype=np.int64)
    parts = [
        _rows(zeros - 1, np.arange(len(sharers)), time=zeros + done.start, event=zeros + ATTACH,
              mm=sharers),
        _switches(line),
        _touches(line, made, before, turn, calls["time"][made.call], sharers, options),
        _rows(2 * before, turn + 1, time=calls["time"][made.call], cpu=calls["cpu"][made.call],
              event=np.full(len(turn), INVALIDATE), mm=np.full(len(turn), NONE),
              page=made.page, pages=made.pages,
              kind=np.full(len(turn), KINDS.index(options.kind))),
    ]  # fmt: skip
    order = _order(parts)
    columns = {
        name: np.concatenate([part.columns[name].astype(kind) for part in parts])[order]
        for name, kind in COLUMNS.items()
    }
    where = np.empty(len(order), dtype=np.int64)
    where[order] = np.arange(len(order))
    return Trace.build(**columns), where[len(order) - len(turn) :]


def _order(parts: list[_Rows]) -> Ints:
    return np.lexsort(
        [
            np.concatenate([part.turn for part in parts]),
            np.concatenate([part.columns["time"] for part in parts]),
            np.concatenate([part.place for part in parts]),
        ]
    )


def _rows(place: Ints, turn: Ints, **columns: Ints) -> _Rows:
    zeros = np.broadcast_to(np.int64(0), len(place))
    return _Rows(place, turn, {name: columns.get(name, zeros) for name in COLUMNS})


def _switches(line: Timeline) -> _Rows:
    place = 2 * np.arange(len(line.time), dtype=np.int64) + 1
    event = np.where(line.mm == NONE, IDLE, SWITCH)
    return _rows(place, np.zeros_like(place), time=line.time, cpu=line.cpu, event=event, mm=line.mm)


def _touches(
    line: Timeline, made: Operations, before: Ints, turn: Ints, time: Ints, sharers: Ints,
    options: ImportOptions,
) -> _Rows:  # fmt: skip
    """Touches by every CPU that runs a sharer just before each invalidate."""
    which, cpus = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for cpu in range(line.cpus if options.touch != "none" else 0):
        loaded, lazy = line.at(cpu, before)
        running = np.flatnonzero(np.isin(loaded, sharers) & ~lazy)
        which.append(running)
        cpus.append(np.full(len(running), cpu))
    at, cpu_of = np.concatenate(which), np.concatenate(cpus)
    pages = made.pages[at] if options.touch == "held" else np.ones(len(at), dtype=np.int64)
    each = np.repeat(np.arange(len(at)), pages)
    offset = np.arange(len(each)) - np.repeat(np.cumsum(pages) - pages, pages)
    at, cpu_of = at[each], cpu_of[each]
    return _rows(2 * before[at], turn[at], time=time[at], cpu=cpu_of,
                 event=np.full(len(at), TOUCH), mm=np.full(len(at), NONE),
                 page=made.page[at] + offset)  # fmt: skip
