"""W6: page tables really shared, a host mm that nobody runs, and a notifier on it.

The test module's modes are designs (lab_mn.c): what it does in the secondary-TLB callback,
and, for 4 and 5, in the batch of reclaim and migration. All other flushes of 4 and 5 go as in
mode 3. The host's mask is empty, so nothing of its own is ever deferred (KF 6.3).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mcost.checks.kernel.callbacks import OLD_PAIRS
from mcost.checks.kernel.lists import most_lists, usual_lists
from mcost.checks.kernel.reclaim import Reclaimed, deferred
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import (
    Prediction,
    Step,
    Value,
    count_steps,
    exactly,
    own_alone,
    walk,
)
from mcost.simulator import simulate
from mcost.spec.designs import design
from mcost.spec.kernels import Kernel
from mcost.traces.schema import ATTACH, INVALIDATE, KINDS, SWITCH, TOUCH, Trace

__all__ = ["MODES", "predict_w6"]

MODES: dict[int, tuple[str, str]] = {
    0: ("host-mm", "host-mm"),
    1: ("notifier", "notifier"),
    3: ("notifier-union", "notifier-union"),
    4: ("notifier-union", "batched-unbumped"),
    5: ("notifier-union", "batched"),
}
"""Mode -> design for flushes at once, design for reclaim and migration."""

_AT_ONCE = {
    # op -> (operation, key of OLD_PAIRS, the host itself calls)
    "punch_hole": ("zap", "punch_hole", False),
    "h_dontneed": ("zap", "dontneed_shm", True),
    "h_mprotect_ro": ("protect", "mprotect_ro", True),
}
_RECLAIM = {
    "reclaim_dirty": True,
    "reclaim_clean_pte": False,
    "reclaim64_dirty": True,
    "reclaim64_clean": False,
}
"""Op -> whether the PTEs are dirty."""

_WAITING = {"reclaim_dirty": 512, "reclaim_clean_pte": 512}
"""Pages that can be reclaimed (w6.c, AP) where that is not what is asked for."""


def predict_w6(row: Row) -> Prediction:
    """Counters of one operation on the host's pages, or the stale reads after it."""
    mode = row.flag("mode")
    if mode not in MODES:
        raise row.error(f"extra: mode is {mode}, must be one of {', '.join(map(str, MODES))}")
    if row.busy > row.cpus - 1:
        raise row.error(f"sharers need {row.busy} CPUs, must be at most cpus - 1")
    if row.op.startswith("stale_"):
        return _stale(row, MODES[mode])
    if row.op in _AT_ONCE:
        return _at_once(row, MODES[mode][0])
    if row.op == "migrate" or row.op in _RECLAIM:
        return _held_back(row, MODES[mode][1])
    known = ", ".join([*_AT_ONCE, *_RECLAIM, "migrate"])
    raise row.error(f"op {row.op!r} is not known in w6, must be one of {known}")


def _at_once(row: Row, name: str) -> Prediction:
    operation, pairs, by_host = _AT_ONCE[row.op]
    told = walk(row, operation, row.pages, name)
    steps = [told]
    if row.variant.migrate_batch == 1:  # 6.1: the gather's flush, and range_end
        steps.append(walk(row, "protect", 1, name, times=OLD_PAIRS[pairs]))
    if by_host:
        steps.append(own_alone(row, operation, row.pages))
    return _prediction(row, steps, ("cut",))


def _held_back(row: Row, name: str) -> Prediction:
    """Reclaim and migration: page by page, unless the design may hold back.

    Pages taken are those whose range the host's notifier was told of (column ``start``: one
    pair a page, KF 5.1); migration moves all.
    """
    pages = row.flag("start") if row.op in _RECLAIM else row.pages
    if not pages:
        return Prediction(exactly(dict.fromkeys(row.counted, 0)), ("group",))
    if design(name).hook != "batch":
        return _prediction(row, [walk(row, "pte", pages, name)], ("group",))
    if row.op == "migrate":
        return _prediction(row, [walk(row, "migrate", pages, name)], ())
    if _RECLAIM[row.op]:
        return _prediction(row, [walk(row, "reclaim_dirty", pages, name)], ("group",))
    waiting = _WAITING.get(row.op, row.pages)
    lists = usual_lists(waiting, row.pages, row.variant)
    most = most_lists(pages, row.pages, row.variant)
    rounds = Reclaimed(0, pages, lists, most).rounds(row.variant.migrate_batch > 1)
    values = deferred(row, rounds, row.busy)
    values["ipi"] = Value(0, 0, 0)
    return Prediction(_of(row, values), ("group",))


def _prediction(row: Row, steps: list[Step], allows: tuple[str, ...]) -> Prediction:
    everybody = steps[0].design.name == "notifier"
    return Prediction(
        _of(row, exactly(count_steps(steps, row.ceiling))),
        allows,
        pages=row.pages,
        calls=int(everybody),
        told=row.cpus if everybody else 0,
    )


def _of(row: Row, values: dict[str, Value]) -> dict[str, Value]:
    """The values that the row counts; ``ipi`` where the module's handler counts itself."""
    return {name: value for name, value in values.items() if name in row.counted}


def _stale(row: Row, names: tuple[str, str]) -> Prediction:
    """Reads of an old frame: what the machine counts as stale hits, S x P at most.

    A design that tells nobody leaves it to the size of the real TLB how many entries live
    until the second read: anything up to the machine's count.
    """
    reclaimed = row.op == "stale_after_reclaim"
    name = names[1] if reclaimed else names[0]
    kind = "zap" if not reclaimed else ("reclaim_dirty" if row.flag("dirty") else "reclaim")
    most = _stale_hits(row.cpus, row.sharers, row.cpus_per_sharer, row.pages, kind, name,
                       row.variant)  # fmt: skip
    low = 0 if design(name).delivery == "none" else most
    return Prediction({"stale_reads": Value(most, low, most)})


@lru_cache(maxsize=1024)
def _stale_hits(
    cpus: int, sharers: int, size: int, pages: int, kind: str, name: str, variant: Kernel
) -> int:
    """Sharers read the pages on their last CPU, the pages change, they read again."""
    events = [(ATTACH, 0, s, 0) for s in range(sharers)]
    events += [(SWITCH, 1 + s * size + t, s, 0) for s in range(sharers) for t in range(size)]
    reads = [(TOUCH, 1 + s * size, 0, p) for s in range(sharers) for p in range(pages)]
    events += [*reads, (INVALIDATE, 0, 0, 0), *reads]
    rows = np.array(events, dtype=np.int64)
    changes = rows[:, 0] == INVALIDATE
    trace = Trace.build(
        time=np.zeros(len(rows), np.int64), event=rows[:, 0], cpu=rows[:, 1], mm=rows[:, 2],
        page=rows[:, 3], pages=np.where(changes, pages, 0),
        kind=np.full(len(rows), KINDS.index(kind)),
    )  # fmt: skip
    return simulate(trace, design(name), variant, cpus=cpus).stale_hits
