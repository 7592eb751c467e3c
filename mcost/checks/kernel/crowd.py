"""W4: processes left to the scheduler, more of them than CPUs.

What is loaded where is the scheduler's choice, so everything is an interval. Centre:
``snapshot`` with every CPU but the operator's running a sharer, which holds as long as every
sharer has touched the pages since the last hole (one that has not is not flushed). Ends: what
can happen at all in a walk during which a CPU changes hands at most once.
"""

from __future__ import annotations

from mcost.algebra.counts import expect, mean_sd
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Value, exactly
from mcost.spec.designs import design
from mcost.spec.scenario import Scenario

__all__ = ["predict_w4"]

_REGION = 64
"""Pages of the shared file (w4.c, AP): the most that reclaim can unmap."""


def predict_w4(row: Row) -> Prediction:
    """Punched holes and reclaim.

    With ``private`` work the sharers also flush their own memory, as often as they like: the
    local counters and flush_tlb_multi calls say nothing then, and with more than one thread
    their targets mix with the walk's. Those cells are left out.
    """
    if row.op not in ("punch", "reclaim"):
        raise row.error(f"op {row.op!r} is not known in w4, must be punch or reclaim")
    others, private = row.cpus - 1, row.flag("private")
    threads = min(row.cpus_per_sharer, others)
    told = _told(row, threads)
    calls = Value(min(told.mean, row.sharers), 0, _rounds(row) * row.sharers)
    values = {"remote_flush": calls, "remote_received": told, "tlb_interrupts": told}
    if private:
        values.pop("remote_flush")
        if row.cpus_per_sharer > 1:
            values.clear()
    else:
        values |= exactly({"local_all": 0, "local_one": 0})
    shown = {name: value for name, value in values.items() if name in row.counted}
    return Prediction(shown)


def _rounds(row: Row) -> int:
    """Flushes of one mm or one batch: a hole one a sharer, reclaim one a page at most."""
    return 1 if row.op == "punch" else _REGION


def _told(row: Row, threads: int) -> Value:
    others = row.cpus - 1
    asked = Scenario(
        cpus=row.cpus, sharers=row.sharers, pages=row.pages, placement="snapshot", share=1.0,
        operation="zap" if row.op == "punch" else "reclaim", kernel=row.variant.name,
    )  # fmt: skip
    found = mean_sd(expect(asked, design("per-mm" if row.op == "punch" else "batched")).ipis)
    mean = float(others) if found is None else found[0]
    if row.op == "reclaim":
        return Value(mean, 0, _REGION * others)
    if row.variant.lazy_masks:  # a trim finds stale bits: up to all CPUs for each mm
        return Value(mean, 0, row.sharers * others)
    return Value(mean, 0, min(2 * others, row.sharers * threads))
