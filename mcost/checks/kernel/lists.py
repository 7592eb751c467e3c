"""The lists that memory.reclaim takes pages in, from the loops of mm/vmscan.c.

A request is served in calls: a quarter of what remains each (6.12, memory_reclaim in
mm/memcontrol.c), or all of it (6.1), at least 32 pages. A call goes down the priorities from
12 and scans 1/2^priority of the LRU at each (get_scan_count), in lists of 32 at most
(shrink_inactive_list), until it has what it wants (do_try_to_free_pages).
"""

from __future__ import annotations

from math import ceil, log2

from mcost.spec.kernels import Kernel

__all__ = ["LIST", "most_lists", "usual_lists"]

LIST = 32
"""SWAP_CLUSTER_MAX: pages isolated for one list (KF 3)."""

_PRIORITIES = range(12, -1, -1)
_QUARTER = 4


def usual_lists(pages: int, request: int, kernel: Kernel) -> int:
    """Lists when all ``pages`` wait on one LRU and every scanned page is freed.

    Pages still in per-CPU batches, and other pages of the group, move this by a few.
    """
    left, taken, lists = pages, 0, 0
    while taken < request and left:
        wanted = _wanted(request - taken, kernel)
        got = 0
        for priority in _PRIORITIES:
            scanned = min(left, left >> priority)
            left -= scanned
            got += scanned
            lists += ceil(scanned / LIST)
            if got >= wanted:
                break
        taken += got
    return lists


def most_lists(pages: int, request: int, kernel: Kernel) -> int:
    """An upper limit whatever the LRU holds: full lists, and one short list a priority.

    Scans double from priority to priority, so a call that wants w pages has had enough after
    log2(w + 1) of them; each call but the last frees 32 pages at least.
    """
    steps = ceil(log2(_wanted(request, kernel) + 1))
    return ceil(request / LIST) * steps + ceil(pages / LIST)


def _wanted(remaining: int, kernel: Kernel) -> int:
    in_quarters = kernel.migrate_batch > 1  # 6.6 on; the same kernels batch migration
    return max(LIST, remaining // _QUARTER if in_quarters else remaining)
