"""W3: half of a group's pages is reclaimed while S processes map them.

Each mm's mask holds another CPU, so should_defer_flush lets the flush wait: ``batched``, one
flush a dirty page (before pageout) and one a list of clean ones. How many pages a request to
memory.reclaim takes, and in which lists, is not in the setting: pages written
(``pswpout``) and shrink lists (``n_shrink_folio_list``, 6.1 ``n_shrink_page_list``) are
counted beside the flushes, by other counters, and stand in for P and the lists.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil, sqrt

from mcost.checks.kernel.layout import random_sets
from mcost.checks.kernel.lists import LIST, most_lists, usual_lists
from mcost.checks.kernel.moments import SIGMAS, turn_variance
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Value, count_steps, exactly, on_cpus, own_alone

__all__ = ["Reclaimed", "deferred", "predict_w3"]

_WRITTEN = ("reclaim_shmem_write", "reclaim_shmem_w1")
_READ = ("reclaim_shmem_read", "reclaim_file_clean")
_INHERITED = "reclaim_anon_fork"


@dataclass(frozen=True)
class Reclaimed:
    """How many pages one call unmapped, and in how many lists.

    Attributes:
        dirty: pages flushed before they were written out.
        clean: the others.
        lists: shrink lists as counted, or as usual.
        most: an upper limit of them.
    """

    dirty: int
    clean: int
    lists: int
    most: int

    def rounds(self, batch_full: bool) -> Value:
        """Flushes: one a dirty page; for clean ones one a list that holds one.

        Args:
            batch_full: the kernel also flushes when 31 pages wait (6.12), so a list can
                take one flush more for every 31 pages.
        """
        if not self.clean:
            return Value(self.dirty, self.dirty, self.dirty)
        least = ceil(self.clean / LIST)
        usual = max(least, min(self.lists, self.clean))
        more = self.clean // (LIST - 1) if batch_full else 0
        most = max(usual, min(self.most, self.clean) + more)
        return Value(self.dirty + usual, self.dirty + least, self.dirty + most)


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
    counted = row.flag("n_shrink_folio_list") or row.flag("n_shrink_page_list")
    request = row.pages // 2
    lists = counted or usual_lists(row.pages, request, row.variant)
    most = counted or most_lists(row.pages, request, row.variant)
    written = row.flag("pswpout")
    mms = row.sharers + (row.op == _INHERITED)
    pages = row.flag("n_try_to_unmap_one") // mms
    if row.op in _WRITTEN:
        return Reclaimed(written, 0, lists, most)
    if row.op in _READ:  # written out or not, no PTE is dirty
        return Reclaimed(0, pages or request, lists, most)
    if row.op == _INHERITED:
        return Reclaimed(written, max(0, pages - written), lists, most)
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
    more = Value(rounds.mean, rounds.low, rounds.high + taken.most) if variance else rounds
    values = deferred(row, more, union)
    slack = SIGMAS * sqrt(rounds.mean * variance)
    for name in ("remote_received", "tlb_interrupts"):
        value = values[name]
        values[name] = Value(value.mean, max(0.0, value.low - slack), value.high)
    return _shown(row, values, ())
