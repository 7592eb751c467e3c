"""W1 and W5: operations of a program on its own memory, T threads pinned to CPUs 0 .. T-1.

The operator is one of the threads, so this is ``per-mm`` with one sharer and the initiator a
``sharer``. W5 registers a notifier on the program: mode 1 adds ``notifier`` once a callback.
"""

from __future__ import annotations

from collections.abc import Callable

from mcost.checks.kernel.callbacks import callbacks
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Step, Value, count_steps, exactly, own
from mcost.spec.operations import TABLE_PAGES

__all__ = ["predict_w1", "predict_w5"]

_SIMPLE: dict[str, str] = {
    # Anonymous memory: one gather a call. Page tables that munmap frees go with that gather.
    "dontneed": "zap_clean",
    "munmap": "zap_clean",
    "madv_free": "zap_clean",
    # One gather; any change of _PAGE_RW needs a flush, also ro to rw: flush_on_change of
    # pte_flags_need_flush, arch/x86/include/asm/tlbflush.h, 6.1 and 6.12.
    "mprotect_ro": "protect",
    "mprotect_rw": "protect",
    # Dirty shared PTEs: one flush a page table, zap_pte_range (KF 4.2). truncate walks twice
    # (unmap_mapping_range before and after), the second time there is nothing left.
    "dontneed_shm": "zap",
    "punch_hole": "zap",
    "truncate": "zap",
    # ptep_clear_flush page by page: wp_page_copy; page_vma_mkclean_one (KF 10.1).
    "cow_write": "pte",
    "zeropage_write": "pte",
    "fsync_mkclean": "pte",
}
"""Operations that are one entry of ``mcost.spec.operations``."""


_FIRST = ("dontneed", 1, 0)
"""Op, pages and run of the first point of W5 after its fork (w5.c, main and one)."""


def predict_w1(row: Row) -> Prediction:
    """W1 (w123.c, w1_ops): one mm; mremap moves to one page past a 2 MiB boundary."""
    steps = _steps(row, _mremap_w1)
    return _prediction(row, steps)


def predict_w5(row: Row) -> Prediction:
    """W5 (w5.c): as W1 with a notifier that counts (mode 0) or flushes all CPUs (mode 1)."""
    if row.op == "nested_dontneed":
        return _nested(row)
    steps = _steps(row, _mremap_anywhere)
    mode = row.flag("mode")
    if mode not in (0, 1):
        raise row.error(f"extra: mode is {mode}, must be 0 or 1 in W5")
    if mode == 1:
        told = callbacks(row, steps)
        steps = [*steps, own(row, "protect", 1, "notifier", told)]
    return _prediction(row, steps)


def _allows(row: Row) -> tuple[str, ...]:
    """What this operation can show: only a zap yields, only a fork leaves shared pages."""
    shown = ["lazy"]
    if _SIMPLE.get(row.op, "").startswith("zap"):
        shown.append("cut")
    if row.workload == "w5" and row.op == "mremap":
        shown.append("straddle")
    first = (row.op, row.pages, row.run) == _FIRST
    if row.workload == "w5" and (row.op == "fork" or first):
        shown.append("cow")
    return tuple(shown)


def _prediction(row: Row, steps: list[Step]) -> Prediction:
    counted = count_steps(steps, row.ceiling)
    remote, mode = int(row.cpus_per_sharer > 1), row.flag("mode")
    return Prediction(
        values=exactly({name: n for name, n in counted.items() if name in row.counted}, row.reps),
        allows=_allows(row),
        pages=min(row.pages, TABLE_PAGES),
        walks=max(1, -(-row.pages // TABLE_PAGES)),
        calls=remote + mode,
        told=row.cpus_per_sharer - 1 + mode * row.cpus,
    )


WHOLE_MM = (1, 0)
"""flush_tlb_mm: one full flush, whatever changed."""

Extents = Callable[[int], list[int]]


def _steps(row: Row, extents: Extents) -> list[Step]:
    pages, threads = row.pages, row.cpus_per_sharer
    if threads > row.cpus:
        raise row.error(f"cpus_per_sharer is {threads}, must be at most cpus ({row.cpus})")
    if row.op in _SIMPLE:
        return [own(row, _SIMPLE[row.op], pages)]
    if row.op == "msync":  # shmem keeps no dirty bits by write protection: nothing to change
        return []
    if row.op == "mremap":
        return _mremap(row, extents(pages))
    if row.op == "migrate":
        return [_migrate(row)]
    if row.op == "fork" and row.workload == "w5":
        # dup_mmap ends with flush_tlb_mm of the parent, kernel/fork.c.
        return [own(row, "protect", 1, local=WHOLE_MM)]
    if row.op in _PAGEOUT and row.workload == "w5":
        return _pageout(row)
    known = ", ".join(
        [*_SIMPLE, "msync", "mremap", "migrate", "fork", *_PAGEOUT, "nested_dontneed"]
    )
    raise row.error(f"op {row.op!r} is not known in {row.workload}, must be one of {known}")


def _mremap_w1(pages: int) -> list[int]:
    """Extents of move_page_tables: cut at tables of the source (aligned) and of the target.

    get_extent, mm/mremap.c. The target starts one page into a table.
    """
    made = []
    for start in range(0, pages, TABLE_PAGES):
        here = min(TABLE_PAGES, pages - start)
        first = min(here, TABLE_PAGES - 1)
        made += [first] + [here - first] * (here > first)
    return made


def _mremap_anywhere(pages: int) -> list[int]:
    """W5: where the target lies in its table is not a setting.

    Taken as one extent within a table, or as two halves when a whole table moves; mechanism
    ``straddle`` covers other places.
    """
    whole, rest = divmod(pages, TABLE_PAGES)
    return [TABLE_PAGES // 2] * (2 * whole) + [rest] * (rest > 0)


def _mremap(row: Row, extents: list[int]) -> list[Step]:
    """flush_tlb_range for each extent; the emptied tables of the source go at the end.

    The last flush names only table entries, in strides of 2 MiB: its INVLPGs are counted as
    (end - start) >> PMD_SHIFT, one less than there are tables (KF 8.2).
    """
    steps = [own(row, "protect", size) for size in extents]
    tables = row.pages // TABLE_PAGES
    return [*steps, own(row, "protect", 1, local=(0, tables - 1))] if tables else steps


def _migrate(row: Row) -> Step:
    """should_defer_flush: only with another CPU in the mask, and only where migration batches.

    try_to_migrate_one, mm/rmap.c; migrate_pages_batch, mm/migrate.c: 6.1 flushes a page each.
    """
    defers = row.cpus_per_sharer > 1 and row.variant.migrate_batch > 1
    return own(row, "migrate", row.pages, "batched" if defers else "per-mm")


_PAGEOUT = ("pageout_anon_dirty", "pageout_anon_clean", "pageout_file_clean")


def _pageout(row: Row) -> list[Step]:
    """MADV_PAGEOUT of P pages.

    - Not deferred when nobody else is in the mask: ptep_clear_flush page by page.
    - Deferred: dirty pages one flush each; clean ones per list of 31 (6.12), the whole list of
      the call at once on 6.1, which has no trigger on a full batch (KF 3).
    - 6.1 first clears the accessed bits in a gather of its own (madvise_cold_or_pageout_
      pte_range); 6.12 does that for MADV_COLD only.
    - The clean calls follow a deferred one on the same mm, which flush_tlb_batched_pending
      makes up for with a full flush_tlb_mm (mm/rmap.c, KF 3).
    """
    pages, old = row.pages, row.variant.migrate_batch == 1
    gather = [own(row, "protect", pages)] if old else []
    if row.cpus_per_sharer == 1:
        return [own(row, "pte", pages), *gather]
    if row.op == "pageout_anon_dirty":
        return [own(row, "reclaim_dirty", pages, "batched"), *gather]
    pending = own(row, "protect", 1, local=WHOLE_MM)
    batch = own(row, "protect", pages, "batched") if old else own(row, "reclaim", pages, "batched")
    return [pending, batch, *gather]


def _nested(row: Row) -> Prediction:
    """Two threads in MADV_DONTNEED, 40 calls each, P and P/2 pages (w5.c, nested).

    The calls and their targets are certain. Whether a local flush is page-wise depends on
    who overlaps whom: a nested gather names everything, and a flush that finds its generation
    passed does nothing (KF 1.4, 4.3).
    """
    calls = 40
    if row.cpus_per_sharer < 2:
        raise row.error("cpus_per_sharer must be at least 2: two threads call")
    steps = [own(row, "zap_clean", row.pages, times=calls),
             own(row, "zap_clean", max(1, row.pages // 2), times=calls)]  # fmt: skip
    sure = count_steps(steps, row.ceiling)
    told = callbacks(row, steps)
    if row.flag("mode") == 1:
        steps.append(own(row, "protect", 1, "notifier", told))
    counted = count_steps(steps, row.ceiling)
    values = exactly({name: n for name, n in counted.items() if name in row.counted})
    values["local_all"] = Value(sure["local_all"], 0, 2 * calls)
    values["local_one"] = Value(sure["local_one"], 0, sure["local_one"])
    return Prediction(values, allows=("lazy", "pairs"))
