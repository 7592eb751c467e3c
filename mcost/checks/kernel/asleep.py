"""W7: one program of k threads, m of them asleep on CPUs that have nothing else to do.

Those CPUs stay lazy on the program's mm: the simulated machine, operation by operation. A
flush that frees page tables reaches them too, and with eager masks they then leave the mask.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, exactly
from mcost.simulator import simulate
from mcost.spec.counts import Counts
from mcost.spec.designs import design
from mcost.spec.kernels import Kernel
from mcost.traces.schema import ATTACH, IDLE, INVALIDATE, KINDS, SWITCH, Trace

__all__ = ["predict_w7"]

_GIB_PAGES = 1 << 18

_OPS: tuple[tuple[str, bool, int], ...] = (
    ("lazy_dontneed_1", False, 0),
    ("lazy_dontneed_2", False, 0),
    ("lazy_munmap_keep_tables", False, 0),
    ("lazy_munmap_freed_tables", True, 0),
    ("lazy_dontneed_3", False, 0),
    # The last mapping of its 512 GiB: the upper table's entry counts from the slot's start,
    # 1 GiB below the pages, which makes the hull (free_pud_range, mm/memory.c; w123.c, w7).
    ("lazy_munmap_freed_tables_2", True, _GIB_PAGES),
)
"""(op, page tables freed, pages of hull before the operation's own), in the order of a run."""


def predict_w7(row: Row) -> Prediction:
    """One operation of the sequence, after those before it."""
    names = [name for name, _, _ in _OPS]
    if row.op not in names:
        raise row.error(f"op {row.op!r} is not known in w7, must be one of {', '.join(names)}")
    threads, asleep = row.flag("threads") or row.cpus_per_sharer, row.flag("sleepers")
    if not 0 <= asleep < threads <= row.cpus:
        raise row.error(
            f"extra: {asleep} sleepers of {threads} threads on {row.cpus} CPUs; must be"
            " sleepers < threads <= cpus"
        )
    at = names.index(row.op)
    _, freed, before = _OPS[at]
    tables = _event(row.cpus, threads, asleep, at, True, row.variant)
    told = tables if freed else _event(row.cpus, threads, asleep, at, False, row.variant)
    # flush_tlb_multi is called when the mask holds another CPU, lazy or not (KF 1.1, 8.1).
    calls = tables.rounds
    hull = before + row.pages
    page_wise = hull <= row.ceiling
    counted = {
        "remote_flush": calls,
        "remote_received": told.ipis,
        "tlb_interrupts": told.ipis,
        "local_all": 0 if page_wise else 1,
        "local_one": hull if page_wise else 0,
    }
    shown = {name: n for name, n in counted.items() if name in row.counted}
    return Prediction(exactly(shown, row.reps), ("lazy",))


@lru_cache(maxsize=1024)
def _event(
    cpus: int, threads: int, asleep: int, at: int, freed: bool, variant: Kernel
) -> Counts[int]:
    """Counts of one flush at place ``at`` of the sequence, with or without freed tables.

    A ``zap_free`` of shared memory flushes its pages first and the tables after; anonymous
    memory has one flush for both, so the first is taken off: it moves no mask.
    """
    kinds = ["zap_free" if tables else "zap" for _, tables, _ in _OPS[:at]]
    plain = _run(cpus, threads, asleep, (*kinds, "zap"), variant)
    before = _run(cpus, threads, asleep, (*kinds, "zap_free"), variant) if freed else plain
    less = plain if freed else _run(cpus, threads, asleep, tuple(kinds), variant)
    pairs = zip(before.items(), less.items(), strict=True)
    return Counts(**{name: int(value) - int(other) for (name, value), (_, other) in pairs})


@lru_cache(maxsize=1024)
def _run(
    cpus: int, threads: int, asleep: int, kinds: tuple[str, ...], variant: Kernel
) -> Counts[int]:
    events = [(ATTACH, 0, 0), *((SWITCH, cpu, 0) for cpu in range(threads))]
    events += [(IDLE, cpu, 0) for cpu in range(1, 1 + asleep)]
    events += [(INVALIDATE, 0, KINDS.index(kind)) for kind in kinds]
    rows = np.array(events, dtype=np.int64)
    changes = rows[:, 0] == INVALIDATE
    trace = Trace.build(
        time=np.zeros(len(rows), np.int64), event=rows[:, 0], cpu=rows[:, 1],
        pages=np.where(changes, 1, 0), kind=np.where(changes, rows[:, 2], 0),
    )  # fmt: skip
    return simulate(trace, design("per-mm"), variant, cpus=cpus)
