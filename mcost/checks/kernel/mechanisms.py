"""Why a counter can miss: causes that the trace or the README shows, each with sign and size.

A mechanism looks at the differences (counted less predicted) of all counters of a row
together and names the counters it accounts for. One that fits any difference would explain
nothing, so each states how the counters must move with one another, and how far at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction

__all__ = ["MECHANISMS", "Mechanism", "explain", "split_adds"]

Differences = Mapping[str, int]
Covers = Callable[[Row, Prediction, Differences], set[str]]

_SENT = {"remote_flush", "remote_received", "tlb_interrupts"}
_TOLD = {"remote_received", "tlb_interrupts"}
_LOCAL = {"local_all", "local_one"}
_MOST_LAZY = 3
_STACK_AND_STATIC = 16
_CPUS_PER_PAGE = 8


@dataclass(frozen=True)
class Mechanism:
    """A named cause.

    Attributes:
        name: key.
        text: what happened, for people.
        source: what supports it.
        covers: counters of a row that it accounts for, empty when it does not fit.
    """

    name: str
    text: str
    source: str
    covers: Covers


def explain(row: Row, prediction: Prediction, off: Differences) -> dict[str, str]:
    """Mechanism by counter, for those of the missed counters that one accounts for."""
    found: dict[str, str] = {}
    for name in prediction.allows:
        one = MECHANISMS[name]
        for counter in one.covers(row, prediction, off):
            if off.get(counter):
                found.setdefault(counter, one.text)
    return found


def _lazy(_: Row, __: Prediction, off: Differences) -> set[str]:
    """One to three targets fewer in as many calls."""
    missing = -off.get("remote_received", 0)
    same = off.get("tlb_interrupts", -missing) == -missing
    fits = 1 <= missing <= _MOST_LAZY and not off.get("remote_flush", 0) and same
    return _TOLD if fits else set()


def _cut(row: Row, prediction: Prediction, off: Differences) -> set[str]:
    """More flushes, each telling what such a flush tells, less lazy CPUs; the hull falls apart.

    zap_pte_range looks at need_resched before each PTE: a walk of P pages has P - 1 places.
    """
    most = prediction.walks * row.reps * (prediction.pages - 1)
    covered = set()
    more = _whole_part(off.get("remote_flush", 0), prediction.calls)
    told = more * prediction.told
    everybody = row.cpus if prediction.told >= row.cpus else 0  # not seen by the TLB line
    if (
        1 <= more <= most
        and 0 <= told - off.get("remote_received", told) <= min(_MOST_LAZY, max(0, told - 1))
        and off.get("tlb_interrupts", told) == off.get("remote_received", told) - more * everybody
    ):
        covered |= _SENT
    if 1 <= _whole_part(off.get("ipi", 0), row.busy) <= most:
        covered.add("ipi")
    added = split_adds(off.get("local_all", 0), off.get("local_one", 0), row.ceiling)
    if added is not None and added <= most and prediction.pages > row.ceiling:
        covered |= _LOCAL
    return covered


def _whole_part(difference: int, unit: int) -> int:
    """How many units a difference is, 0 when it is not a whole number of them."""
    return difference // unit if unit and difference % unit == 0 else 0


def split_adds(more_all: int, more_one: int, ceiling: int) -> int | None:
    """Flushes that splitting full ones adds, None when no split gives these differences.

    A full flush cut in two becomes two of which each part within the ceiling is page-wise.
    """
    if more_one < 0:
        return None
    fewest = -(-more_one // ceiling)
    for small in range(fewest, max(fewest, min(more_one, 2 * ceiling)) + 1):
        cuts = more_all + small
        if cuts >= 1 and small <= 2 * cuts:
            return cuts
    return None


def _straddle(row: Row, prediction: Prediction, off: Differences) -> set[str]:
    """mremap: the target lies elsewhere in its page table than taken."""
    if row.op != "mremap" or row.pages > 512:
        return set()
    split = row.pages >= 512
    seen = tuple(
        int(prediction.values[name].mean) + off.get(name, 0) for name in ("local_all", "local_one")
    )
    parts = [(first, row.pages - first) for first in range(1, row.pages)]
    can = {
        (sum(p > row.ceiling for p in both), sum(p for p in both if p <= row.ceiling))
        for both in parts
    }
    more = 0 if split else 1
    remote = int(row.cpus_per_sharer > 1)
    told_again = row.flag("mode") * int(row.variant.migrate_batch > 1)
    calls = more * (remote + told_again)
    told = more * (row.cpus_per_sharer - 1)
    fits = (
        seen in can
        and off.get("remote_flush", 0) == calls
        and off.get("remote_received", 0) == told + more * told_again * row.cpus
        and off.get("tlb_interrupts", 0) == told
    )
    return _SENT | _LOCAL if fits else set()


def _cow(row: Row, _: Prediction, off: Differences) -> set[str]:
    """After a fork the program's own next writes flush a page each.

    Each may tell the operator's other threads, less lazy ones; a callback that a notifier
    answers tells all CPUs. Callbacks are logged, and interrupts read, a little later than the
    other counters; the child's own writes are local.
    """
    most = _STACK_AND_STATIC + -(-row.cpus // _CPUS_PER_PAGE)
    pages = off.get("local_one", 0)
    threads = row.cpus_per_sharer - 1 if row.workload in ("w1", "w5") else 0
    if not 0 <= pages <= most or off.get("local_all", 0):
        return set()
    covered = {"local_one"} if pages else set()
    remote, told = off.get("remote_flush", 0), off.get("remote_received", 0)
    late = off.get("tlb_interrupts", 0)
    answered = row.flag("mode") if row.workload == "w5" else 0
    for own in range(pages + 1):
        answers = remote - (own if threads or row.variant.lazy_masks else 0)
        heard = told - answers * row.cpus
        if abs(answers) <= answered * most and 0 <= heard <= own * threads:
            return covered | _SENT if heard <= late <= most * threads else covered
    return covered


def _pairs(row: Row, _: Prediction, off: Differences) -> set[str]:
    """Nested calls, 6.1: range pairs of the second thread's own end, up to what is logged."""
    calls = 80
    most = max(0, row.flag("start") - calls)
    more = off.get("remote_flush", 0)
    fits = 1 <= more <= most and off.get("remote_received", 0) == more * row.cpus
    return {"remote_flush", "remote_received"} if fits else set()


def _group(row: Row, _: Prediction, off: Differences) -> set[str]:
    """Pages written out that the host's callbacks do not know: those of one sharer's own."""
    pages = row.flag("pswpout") - row.flag("start")
    told = pages * row.cpus_per_sharer
    fits = (
        pages >= 1
        and off.get("remote_flush", 0) == pages
        and off.get("remote_received", 0) == told
        and off.get("tlb_interrupts", 0) == told
    )
    return _SENT if fits else set()


MECHANISMS: dict[str, Mechanism] = {
    one.name: one
    for one in (
        Mechanism(
            "lazy",
            "lazy CPU: a kernel thread ran there",
            "README of kernel-counts: one to three targets of 15 to 127 fewer; tlb_is_not_lazy"
            " and should_flush_tlb (KF 1.3)",
            _lazy,
        ),
        Mechanism(
            "cut",
            "walk cut by a reschedule: the pages fall into one flush more",
            "README of kernel-counts: the zap loop flushes before it yields; zap_pte_range",
            _cut,
        ),
        Mechanism(
            "straddle",
            "mremap: where the target lies in its page table is not in the row",
            "get_extent, mm/mremap.c; w5.c maps the target anywhere",
            _straddle,
        ),
        Mechanism(
            "cow",
            "copy-on-write of the program's own pages after a fork",
            "README of kernel-counts, W5: rows contain the program's own copy-on-write; the"
            " reader's buffers (common.h, snap) are shared with the children until written",
            _cow,
        ),
        Mechanism(
            "pairs",
            "range pairs of the second thread itself: its stack goes when it ends",
            "W5 rows: 82 pairs logged for 80 calls",
            _pairs,
        ),
        Mechanism(
            "group",
            "a page of a sharer's own was charged to the group and reclaimed with the others",
            "W6 rows: pages written out (pswpout) less pages of the host (start)",
            _group,
        ),
    )
}
"""Mechanisms by name."""
