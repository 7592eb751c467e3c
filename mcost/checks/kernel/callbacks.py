"""Secondary-TLB callbacks of one operation: how often a notifier is told.

From 6.6 on ``arch_invalidate_secondary_tlbs`` is called by the flush itself: once per
flush_tlb_mm_range and once per page that a batch defers (KF 4.5). Before, 6.1 calls
``invalidate_range`` from tlb_flush_mmu_tlbonly, from range_end, and after a PTE is cleared
(mm/mmu_gather.c, mm/mmu_notifier.c, mm/rmap.c, mm/memory.c; README of kernel-counts, W5).
"""

from __future__ import annotations

from collections.abc import Sequence

from mcost.algebra.flush_events import plan
from mcost.algebra.symbols import numeric
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Step
from mcost.spec.operations import TABLE_PAGES

__all__ = ["OLD_PAIRS", "callbacks", "from_flushes"]

OLD_PAIRS: dict[str, int] = {
    "dontneed": 1,
    "munmap": 1,
    "madv_free": 1,
    "mprotect_ro": 1,
    "mprotect_rw": 1,
    "dontneed_shm": 1,
    "punch_hole": 1,
    "truncate": 2,  # unmap_mapping_range before and after the pages go
    "mremap": 3,  # unmap of the target, move, unmap of the source
    "msync": 0,
    "nested_dontneed": 80,  # one a call
}
"""6.1: range_start/end pairs of a call whose range_end calls invalidate_range; splits of huge
pages and per-page pairs use range_only_end."""

_GATHERS = ("zap", "zap_clean", "protect")
"""Operations that flush through an mmu_gather."""


def callbacks(row: Row, steps: Sequence[Step]) -> int:
    """Callbacks on the mm that the steps flush.

    Args:
        row: kernel and operation.
        steps: its own flushes; ``notifier`` steps are not looked at.
    """
    mine = [step for step in steps if step.design.name != "notifier"]
    if row.variant.migrate_batch > 1:
        return sum(step.times * from_flushes(step) for step in mine)
    return _of_old(row, mine)


def _of_old(row: Row, mine: Sequence[Step]) -> int:
    """6.1: gathers, range ends and cleared PTEs."""
    if row.op == "mremap":  # flush_tlb_range is no gather; freeing tables is
        return OLD_PAIRS["mremap"] + (row.pages >= TABLE_PAGES)
    if row.op in OLD_PAIRS:
        flushed = [step for step in mine if step.scenario.operation in _GATHERS]
        return OLD_PAIRS[row.op] + sum(step.times * _events(step) for step in flushed)
    told = {
        "fork": row.flag("start"),  # a pair for each copy-on-write mapping (README, W5)
        "pageout_anon_dirty": 2 * row.pages + 1,  # cleared PTE, its range end; the gather
        "pageout_anon_clean": 2 * row.pages + 1,
        "pageout_file_clean": row.pages + 1,
    }
    return told.get(row.op, row.pages)  # COW, write-protection, migration: one a page


def from_flushes(step: Step) -> int:
    """6.6 and later: one a flush, or one a page where the flush is deferred."""
    deferred = step.design.hook == "batch" and step.scenario.op.pair == "page"
    return step.scenario.pages if deferred else _events(step)


def _events(step: Step) -> int:
    asked = step.scenario
    return int(plan(asked.op, asked.variant, step.design, numeric(asked)).total)
