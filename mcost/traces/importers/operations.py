"""From flush calls to invalidates of the region: which count, which pages, which are one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.traces.importers.flushes import EVERYTHING, NO_POINTER
from mcost.traces.importers.found import Scan
from mcost.traces.importers.options import PAGE_SIZE, ImportOptions
from mcost.traces.importers.targets import Targets
from mcost.traces.importers.timeline import NONE

__all__ = ["Operations", "find_operations"]

_TABLE = 512

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Operations:
    """Invalidates to be, in order.

    Attributes:
        group: for each call the number of its invalidate, NONE when the call does not count.
        ignored: why calls do not count: reason to number of calls.
        call: first call of each invalidate.
        page, pages: what each invalidate covers.
        placed: calls that count and have a recorded address.
        full: calls that count without a known number of pages.
    """

    group: Ints
    ignored: dict[str, int]
    call: Ints
    page: Ints
    pages: Ints
    placed: Bools
    full: Bools


def find_operations(
    done: Scan, targets: Targets, sharers: Ints, options: ImportOptions
) -> Operations:
    """The region's operations among the calls of a scan."""
    calls = done.calls.table.columns()
    placed = (calls["pointer"] != NO_POINTER) & (calls["start"] >= 0)
    placed &= calls["end"] > calls["start"]
    counted, ignored = _counted(calls, placed, targets, sharers, options)
    full = counted & ~placed & (calls["pages"] < 1)
    page, pages = _pages(calls, counted & placed, options)
    order = np.flatnonzero(counted)
    group = np.full(len(counted), NONE)
    if options.merge_walks:
        group[order] = _walks(calls, order, placed, targets, options.merge_gap)
    else:
        group[order] = np.arange(len(order))
    first, low, end = _hulls(group[order], order, page, pages)
    return Operations(group, ignored, first, low, end - low, counted & placed, full)


def _counted(
    calls: dict[str, Ints], placed: Bools, targets: Targets, sharers: Ints, options: ImportOptions
) -> tuple[Bools, dict[str, int]]:
    if options.counted == "all":
        wanted = np.ones(len(placed), dtype=bool)
    elif options.counted == "initiator":
        wanted = np.isin(targets.process, sharers)
    else:
        wanted = targets.concern(sharers)
    everything = calls["kind"] == EVERYTHING
    wanted = np.where(everything, options.flush_tlb_all, wanted)
    ignored = {
        "flush_tlb_all": int((everything & ~wanted).sum()),
        "not the sharers'": int((~everything & ~wanted).sum()),
    }
    if options.region is not None:
        start, end = options.region
        inside = placed & (calls["start"] < end) & (calls["end"] > start)
        ignored["outside the region"] = int((wanted & placed & ~inside).sum())
        unplaced = ~placed & ~everything & (not options.keep_unplaced)
        ignored["no address recorded"] = int((wanted & unplaced).sum())
        wanted = wanted & (inside | (~placed & ~unplaced))
    return wanted, {why: number for why, number in ignored.items() if number}


def _pages(calls: dict[str, Ints], placed: Bools, options: ImportOptions) -> tuple[Ints, Ints]:
    """First page and number of pages of each call.

    Without a region the 2 MiB spans that calls touch are numbered in order of address, so
    that page-table borders stay where they are and page numbers small.
    """
    asked = np.where(calls["pages"] > 0, calls["pages"], options.full_pages)
    page = np.full(len(placed), options.page)
    if not placed.any():
        return page, asked
    first = calls["start"][placed] // PAGE_SIZE
    end = -(-calls["end"][placed] // PAGE_SIZE)
    if options.region is not None:
        low, high = (address // PAGE_SIZE for address in options.region)
        first, end = np.maximum(first, low) - low, np.minimum(end, high) - low
    else:
        spans = np.unique(np.concatenate([first // _TABLE, (end - 1) // _TABLE]))
        inside = first // _TABLE + 1 < (end - 1) // _TABLE
        for one, last in zip(first[inside] // _TABLE, (end[inside] - 1) // _TABLE, strict=True):
            spans = np.union1d(spans, np.arange(one, last))
        # One number is left out where addresses jump: nothing spans a jump by accident.
        numbers = np.arange(len(spans)) + np.cumsum(np.diff(spans, prepend=spans[0]) > 1)
        base = (numbers[np.searchsorted(spans, first // _TABLE)] - first // _TABLE) * _TABLE
        first, end = first + base, end + base
    page[placed] = first
    asked[placed] = end - first
    return page, asked


def _walks(calls: dict[str, Ints], order: Ints, placed: Bools, targets: Targets, gap: int) -> Ints:
    """Numbers the walks among the counted calls.

    A call joins the walk that its CPU made last if the same task makes it, no more than
    ``gap`` ns after the walk's last call, for an mm that the walk has not had. Where either
    mm is not known the number of pages must be equal; where both are it need not be: a hole
    punched in 16 pages gave flushes of 1 to 16 pages, by what each sharer had mapped.
    """
    walks: dict[int, tuple[int, int, set[int]]] = {}
    numbers = np.empty(len(order), dtype=np.int64)
    count = 0
    for at, call in enumerate(order.tolist()):
        cpu, mm = int(calls["cpu"][call]), int(targets.mm[call])
        number, last_call, mms = walks.get(cpu, (NONE, call, set()))
        joins = (
            number != NONE
            and calls["tid"][call] == calls["tid"][last_call]
            and calls["time"][call] - calls["time"][last_call] <= gap
            and mm not in mms - {NONE}
            and placed[call] == placed[last_call]
            and (NONE not in mms | {mm} or calls["pages"][call] == calls["pages"][last_call])
        )
        if not joins:
            number, mms, count = count, set(), count + 1
        walks[cpu] = (number, call, mms | {mm})
        numbers[at] = number
    return numbers


def _hulls(group: Ints, order: Ints, page: Ints, pages: Ints) -> tuple[Ints, Ints, Ints]:
    """First call, first page and page behind the last of each group.

    A group covers the hull of its calls, unless that is larger than one page table and than
    its largest call: then the processes map the region at different addresses, and the
    largest call stands for all.
    """
    size = int(group.max()) + 1 if len(group) else 0
    first = np.full(size, len(page))
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.zeros(size, dtype=np.int64)
    np.minimum.at(first, group, order)
    np.minimum.at(low, group, page[order])
    np.maximum.at(high, group, page[order] + pages[order])
    by_size = np.lexsort((-order, pages[order], group))
    largest = order[by_size[np.append(np.diff(group[by_size]) > 0, True)[: len(group)]]]
    apart = high - low > np.maximum(_TABLE, pages[largest])
    low = np.where(apart, page[largest], low)
    return first, low, np.where(apart, low + pages[largest], high)
