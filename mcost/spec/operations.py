"""The operations: how one call that changes P pages is cut into flush events.

An operation is described by its *cut*: the number of pages one flush event covers and
whether cuts fall on multiples of that number (page tables) or are counted from the first
page. Adding an operation is one entry in :data:`OPERATIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcost.spec.kernels import Kernel
from mcost.spec.lookup import find

__all__ = [
    "CEILING",
    "DEFAULT_BATCH",
    "OPERATIONS",
    "TABLE_PAGES",
    "Cut",
    "Operation",
    "cut",
    "operation",
]

TABLE_PAGES = 512
"""Entries of one page table (x86-64 and arm64 with 4 KiB pages)."""

CEILING = 33
"""tlb_single_page_flush_ceiling: a hull of more entries becomes a full flush (KF 1.2)."""

DEFAULT_BATCH = 31
"""Clean pages per deferred reclaim flush: PAGEVEC_SIZE, mm/vmscan.c shrink_folio_list (KF 3)."""

Unit = Literal["none", "page", "table", "gather", "call", "list", "migration"]


@dataclass(frozen=True)
class Operation:
    """One way of changing page table entries.

    Attributes:
        name: as in traces (column ``kind``) and options.
        per: what one flush event covers when nothing is held back: ``"none"`` (no
            flush at all), ``"page"``, ``"table"``, ``"gather"`` or ``"call"``.
        held_back: what one event covers when the design may defer flushes of this
            operation: ``"list"`` (B pages of reclaim) or ``"migration"``; the same as
            ``per`` when deferral changes nothing.
        pair: what one invalidate_range_start/end pair covers, for ``classic`` (KF 5.1).
        deferrable: whether an old translation does no harm until the page is freed; not where
            the page lives on with less permission, is copied, or is written out first.
        frees_tables: True when a last event frees page tables, which also hits lazy CPUs.
        meaning: one line.
        source: kernel function, version, and the section of KF.
    """

    name: str
    per: Unit
    held_back: Unit
    pair: Unit
    deferrable: bool
    frees_tables: bool
    meaning: str
    source: str


@dataclass(frozen=True)
class Cut:
    """How an operation's pages fall into flush events.

    Attributes:
        size: pages of one event, 0 for no event at all, None for one event a call.
        aligned: cuts fall on multiples of ``size``; else counted from the first page.
        tables: 1 when one more event frees page tables at the end, else 0.
    """

    size: int | None
    aligned: bool
    tables: int


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "zap", "table", "table", "call", True, False,
        "munmap, MADV_DONTNEED or hole punch of dirty shared memory",
        "zap_pte_range, mm/memory.c, 6.1 and 6.12: a dirty shared PTE forces a flush per"
        " PTE table under its lock (KF 4.2, 10.1)",
    ),
    Operation(
        "zap_free", "table", "table", "call", True, True,
        "zap of dirty shared memory that also frees page tables",
        "free_pgtables and tlb_finish_mmu, mm/mmu_gather.c: freed_tables (KF 1.3, 4.2)",
    ),
    Operation(
        "zap_clean", "gather", "gather", "call", True, False,
        "zap of shared memory that was only read",
        "tlb_next_batch, mm/mmu_gather.c: capacity of the gather (KF 4.1)",
    ),
    Operation(
        "protect", "call", "call", "call", False, False,
        "mprotect-like downgrade",
        "change_protection, mm/mprotect.c: one gather a call (KF 4.2)",
    ),
    Operation(
        "upgrade", "none", "none", "call", False, False,
        "permission upgrade by a fault; x86 needs no flush",
        "ptep_set_access_flags, 6.12 (KF 9.10). An mprotect upgrade that changes the write bit"
        " flushes as protect on 6.1 and 6.12 (kernel-counts W1, W5 mprotect_rw)",
    ),
    Operation(
        "pte", "page", "page", "page", False, False,
        "one PTE at a time: COW, write-protect for writeback, KSM",
        "ptep_clear_flush, mm/pgtable-generic.c; page_vma_mkclean_one, mm/rmap.c (KF 10.1)",
    ),
    Operation(
        "migrate", "page", "migration", "page", False, False,
        "move_pages or compaction of mapped pages",
        "try_to_migrate_one, mm/rmap.c; migrate_pages_batch, mm/migrate.c (KF 3)",
    ),
    Operation(
        "reclaim", "page", "list", "page", True, False,
        "reclaim of clean pages",
        "should_defer_flush, mm/rmap.c; shrink_folio_list, mm/vmscan.c (KF 3, 6.3)",
    ),
    Operation(
        "reclaim_dirty", "page", "page", "page", False, False,
        "reclaim of dirty pages, each written out at once",
        "try_to_unmap_flush_dirty before pageout, mm/vmscan.c (KF 3)",
    ),
    Operation(
        "zap_nested", "table", "table", "call", True, True,
        "zap of dirty shared memory while another gather runs on the same mm",
        "mm_tlb_flush_nested in tlb_finish_mmu, mm/mmu_gather.c, 6.1 and 6.12: the last flush"
        " covers everything and counts as freeing tables, so lazy CPUs too (KF 4.3, 10.1)",
    ),
    Operation(
        "fork_cow", "page", "page", "page", False, False,
        "write faults on pages that fork made copy-on-write",
        "wp_page_copy and ptep_clear_flush, mm/memory.c, 6.12 (KF 5.1; kernel-counts W5)",
    ),
)  # fmt: skip


def operation(name: str) -> Operation:
    """The operation called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("operation", name, {entry.name: entry for entry in OPERATIONS})


def cut(op: Operation, kernel: Kernel, hook: str, batch: int = DEFAULT_BATCH) -> Cut:
    """How ``op`` is cut into flush events.

    Args:
        op: the operation.
        kernel: gives the gather's capacity and the migration batch.
        hook: where the design is told: ``"event"`` (each flush), ``"batch"`` (may hold
            reclaim and migration flushes back) or ``"pair"`` (range_start/end).
        batch: clean pages per held-back reclaim flush (B), at least 1.

    Returns:
        The cut; ``size`` 0 means that nothing is flushed.
    """
    unit = {"event": op.per, "batch": op.held_back, "pair": op.pair}[hook]
    size: dict[str, int | None] = {
        "none": 0,
        "page": 1,
        "table": TABLE_PAGES,
        "gather": kernel.gather_capacity,
        "call": None,
        "list": batch,
        "migration": kernel.migrate_batch,
    }
    tables = int(op.frees_tables and hook != "pair")
    return Cut(size=size[unit], aligned=unit == "table", tables=tables)
