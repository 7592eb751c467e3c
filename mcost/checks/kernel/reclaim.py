"""W3: half of a group's pages is reclaimed while S processes map them.

Each mm's mask holds another CPU, so should_defer_flush lets the flush wait: ``batched``, one
flush a dirty page (before pageout) and one a list of clean ones. How many pages a request to
memory.reclaim takes, and in which lists, is not in the setting: pages written
(``pswpout``) and shrink lists (``n_shrink_folio_list``, 6.1 ``n_shrink_page_list``) are
counted beside the flushes, by other counters, and stand in for P and the lists.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, sqrt

from mcost.checks.kernel.layout import random_sets
from mcost.checks.kernel.moments import SIGMAS, turn_variance
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Value, count_steps, exactly, on_cpus, own_alone

__all__ = ["LIST", "Reclaimed", "deferred", "predict_w3"]

LIST = 32
"""SWAP_CLUSTER_MAX: pages isolated for one list, mm/vmscan.c shrink_inactive_list (KF 3)."""

_WRITTEN = ("reclaim_shmem_write", "reclaim_shmem_w1")
_READ = ("reclaim_shmem_read", "reclaim_file_clean")
_INHERITED = "reclaim_anon_fork"


class Reclaimed:
    """How many pages one call unmapped, and in how many lists.

    Attributes:
        dirty: pages flushed before they were written out.
        clean: the others.
        lists: shrink lists, None when the row does not say.
    """

    def __init__(self, dirty: int, clean: int, lists: int | None) -> None:
        self.dirty, self.clean, self.lists = dirty, clean, lists

    def rounds(self, batch_full: bool) -> Value:
        """Flushes: one a dirty page; for clean ones one a list that holds one.

        Args:
            batch_full: the kernel also flushes when 31 pages wait (6.12), so a list can
                take one flush more for every 31 pages.
        """
        if not self.clean:
            return Value(self.dirty, self.dirty, self.dirty)
        most = self.clean if self.lists is None else min(self.lists, self.clean)
        more = self.clean // (LIST - 1) if batch_full else 0
        least = ceil(self.clean / LIST)
        return Value(self.dirty + most, self.dirty + least, self.dirty + max(most + more, least))


def predict_w3(row: Row) -> Prediction:
    """Reclaim of dirty, clean and inherited pages, on disjoint or random sets."""
    taken = _taken(row)
    rounds = taken.rounds(row.variant.migrate_batch > 1)
    if row.extra.get("layout") == "random":
        sets = random_sets(row.cpus, row.sharers, row.cpus_per_sharer, row.flag("seed"))
        return _turns(row, taken, rounds, sets)
    if row.busy > row.cpus - 1:
        raise row.error(f"sharers need {row.busy} CPUs, must be at most cpus - 1")
    values = deferred(row, rounds, row.busy)
    if row.op == _INHERITED:
        # The parent's mask holds its own CPU only: its PTEs are flushed one by one. A page
        # that it still maps was never swapped, so it is dirty.
        local = count_steps([own_alone(row, "pte", taken.dirty)]) if taken.dirty else {}
        values["local_one"] = exactly({"": local.get("local_one", 0)})[""]
    return _shown(row, values, ("lazy",))


def deferred(row: Row, rounds: Value, union: int) -> dict[str, Value]:
    """Counters of ``rounds`` batched flushes of a union of ``union`` CPUs."""
    one = count_steps([on_cpus(row, union, "reclaim", "batched")])
    values = {
        name: Value(rounds.mean * n, rounds.low * n, rounds.high * n) for name, n in one.items()
    }
    return {name: value for name, value in values.items() if name != "ipi"}


def _shown(row: Row, values: dict[str, Value], allows: tuple[str, ...]) -> Prediction:
    return Prediction(
        {name: value for name, value in values.items() if name in row.counted}, allows
    )


def _taken(row: Row) -> Reclaimed:
    lists = row.extra.get("n_shrink_folio_list", row.extra.get("n_shrink_page_list"))
    written = row.flag("pswpout")
    mms = row.sharers + (row.op == _INHERITED)
    pages = row.flag("n_try_to_unmap_one") // mms
    if row.op in _WRITTEN:
        return Reclaimed(written, 0, lists)
    if row.op in _READ:  # written out or not, no PTE is dirty
        return Reclaimed(0, pages or row.pages // 2, lists)
    if row.op == _INHERITED:
        return Reclaimed(written, max(0, pages - written), lists)
    known = ", ".join((*_WRITTEN, *_READ, _INHERITED))
    raise row.error(f"op {row.op!r} is not known in w3, must be one of {known}")


def _turns(row: Row, taken: Reclaimed, rounds: Value, sets: list[list[int]]) -> Prediction:
    """Overlapping sets: each CPU used has a sharer loaded, so the union is all of them.

    While the rmap walk of a page lasts, a CPU can pass from a sharer not yet visited to one
    visited already, and is missed: the turns that moments.py bounds. A page that is found
    again in a later list costs one more flush at that list's end.
    """
    users = [cpu for mine in sets for cpu in mine]
    union, variance = len(set(users)), turn_variance(Counter(users).values())
    lists = taken.lists if taken.lists is not None else rounds.high
    more = Value(rounds.mean, rounds.low, rounds.high + lists) if variance else rounds
    values = deferred(row, more, union)
    slack = SIGMAS * sqrt(rounds.mean * variance)
    for name in ("remote_received", "tlb_interrupts"):
        value = values[name]
        values[name] = Value(value.mean, max(0.0, value.low - slack), value.high)
    return _shown(row, values, ())
