"""The state of the simulated machine: one array of 64-bit integers, laid out here.

The array starts with the counts (``m[WALKS]``), the rules, where each table begins, and
scalars; the tables follow. A table's row is found by one of the functions below and its
columns are added to that: ``m[cpu_at(m, cpu) + LAZY]``. One array instead of many keeps
compiled calls down to a few registers, and a CPU's row is one cache line.

mm 0 stands for "no mm": a CPU with nothing loaded has it loaded, and it is never a sharer.

Memory, N CPUs and M mms: TLB entries 8 bytes x N x sets x ways, masks 8 bytes x (M + 4) x
ceil(N/64), the rest below 400 bytes x N (at 128 sets), 100 x M, 40 x touched pages. At
N = 1,024 with 128 x 12 entries that is 13 MB of TLBs; at N = 8,192 with M = 100,000 it is
101 MB of TLBs and 102 MB of masks. The held table has 8 bytes x touched pages x ceil(N/64), at
most 64 MiB. What no event reaches is never touched.
"""

from __future__ import annotations

from typing import Protocol

from mcost.simulator.compiled import inner, int64
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = [
    "ASID_SLOTS", "Memory", "cpu_at", "mask_at", "mm_at", "page_at", "slot_at",
]  # fmt: skip


class Memory(Protocol):
    """The state as the compiled functions see it: an int64 array."""

    def __getitem__(self, at: int) -> int: ...

    def __setitem__(self, at: int, value: int) -> None: ...


ASID_SLOTS = 6
"""TLB_NR_DYN_ASIDS, arch/x86/include/asm/tlbflush.h (KF 2.2)."""

RING_SIZE = 256
"""Records of one CPU's ring in LATR (KF 10.2)."""

SECOND = 1_000_000_000
"""ns between two trimming flushes of one mm (tip 6db2526c1d69: once per HZ jiffies)."""

NEVER = int64(1 << 62)
"""A time that no trace reaches."""

NO_MM = int64(0)
"""Nothing is loaded; no mm is named."""

FIRST_PLACE = int64(0)
"""Where page ids and share units start."""

# The counts come first, in the order of the vocabulary; see codes.py for their places.
_RULES = len(COUNT_NAMES)

# The design on one kernel and machine; codes.Rules says what each means, in this order.
(
    TRACKS, DELIVERY, EVERYTHING, FREES_TABLES, PAGE_WISE, MOVES, PAIR, BY_REGION, LIMIT,
    LAZY_MASKS, ONLINE_CPUS, MASK_WORDS, SETS, WAYS, SET_WORDS, CLUSTER_BITS, INVLPGB_MAX,
    UNIT_PAGES,
) = range(_RULES, _RULES + 18)  # fmt: skip
_TABLES = UNIT_PAGES + 1

# Where the tables begin, and three masks that belong to no mm: of the region, the OR of the
# sharers' masks, everyone online; then CPUs that run a sharer, and a scratch mask (runs.py).
(
    CPU_TABLE, SLOT_TABLE, USED_TABLE, TLB_TABLE, MM_TABLE, MASK_TABLE, PAGE_TABLE,
    NUMBER_TABLE, UNIT_TABLE, CUT_TABLE, LINKED_TABLE, ORDER_TABLE, ACTIVE_TABLE,
    RECORD_TABLE, WAITING_TABLE, REGION_MASK, UNION_MASK, ONLINE_MASK, RUN_MASK, SEEN_MASK,
    HELD_TABLE,
) = range(_TABLES, _TABLES + 21)  # fmt: skip
_SCALARS = HELD_TABLE + 1

# Share units; for runs.py, a flag and the words of a row of the held table; then what counts on
# from one part to the next: changes and unlinks; then what starts at 0: running CPUs, different
# mms they run, clusters of each; sharers, attaches, bumps that all sharers had, region
# generation, rounds, earliest trimming flush that may be due; newest, free and fresh deferred
# record; targets, clusters and last cluster of the round at work.
(
    UNITS, AT_ONCE, HELD_STEP, CHANGE, UNLINKS,
    RUN_CPUS, RUN_MMS, RUN_CLUSTERS,
    SHARERS, ATTACHES, SHARED, REGION_NOW, ROUND_NOW, TRIM_DUE, NEWEST_RECORD, FREE, FRESH,
    TOLD, REACHED, LAST_REACHED,
) = range(_SCALARS, _SCALARS + 20)  # fmt: skip
_EVENT = LAST_REACHED + 1

# The flush event at work: initiator, ns, page ids of the event and of the whole operation,
# pages (its hull); flags: page by page (within the ceiling and not freed), page tables are
# freed (lazy CPUs too); generation increments of each sharer.
(
    INITIATOR, NOW, FIRST, END, OP_FIRST, OP_END, HULL, BY_PAGE, FREED, STEPS,
) = range(_EVENT, _EVENT + 10)  # fmt: skip
HEADER = STEPS + 1

# cpu: mm, flag, slot in use, next slot to recycle, sharers' masks it is in, deferred records
# it has not swept, the newest of them, incomplete records it wrote.
LOADED, LAZY, IN_USE, NEXT, MEMBER, PENDING, NEWEST, RING = range(8)
CPU_ROW = 8
# slot, six to a CPU: mm, its generation and the region's when last current; row by column.
OWNER, GEN, REGION_GEN = 0, 8, 16
SLOT_ROW = 24
# used: per CPU and word of sets, one word a slot: sets that may hold an entry of the slot.
USED_ROW = 8
# tlb: per CPU, set by set, (page id * 8 + slot + 1) << 32 | version of the page when filled,
# most recent first, without gaps, EMPTY behind them.
EMPTY = 0
MOST_PAGES = int64(1 << 28)
# mm: generation (less SHARED for a sharer), next trimming flush, flag, CPUs in its mask,
# place in attach order; of its round: number, targets, clusters, cluster of the last target;
# CPUs that run it.
TLB_GEN, NEXT_TRIM, SHARER, CPUS, ATTACHED, ROUND, TARGETS, CLUSTERS, LAST, RUNS = range(10)
MM_ROW = 10
# page: last change, last change that has completed, TLB set, share unit (-1: private).
VERSION, DONE, PLACE, UNIT = range(4)
PAGE_ROW = 4
# record: CPUs left, initiator, page ids, change, pages if page-wise, neighbours in time; 0
# is no record.
LEFT, WRITER, SINCE, UNTIL, CHANGED, PAGES, OLDER, NEWER = range(8)
RECORD_ROW = 8
# number, unit: page number by page id, unit number by unit, both ascending. cut: per unit,
# number of its last unlink. linked: per mm and unit, unlinks when it last linked. order: mm
# by place in attach order; active: bits, by that place, sharers whose mask may hold a CPU.
# waiting: per record, mask of the CPUs that have not swept it. held: mask of the CPUs that may
# hold a translation, a row a page or one row for all.


@inner
def cpu_at(m: Memory, cpu: int) -> int:
    """Row of a CPU."""
    return m[CPU_TABLE] + cpu * CPU_ROW


@inner
def slot_at(m: Memory, cpu: int, slot: int) -> int:
    """Row of one of a CPU's slots."""
    return m[SLOT_TABLE] + cpu * SLOT_ROW + slot


@inner
def mm_at(m: Memory, mm: int) -> int:
    """Row of an mm."""
    return m[MM_TABLE] + mm * MM_ROW


@inner
def page_at(m: Memory, page: int) -> int:
    """Row of a page id."""
    return m[PAGE_TABLE] + page * PAGE_ROW


@inner
def mask_at(m: Memory, mm: int) -> int:
    """First word of an mm's mask."""
    return m[MASK_TABLE] + mm * m[MASK_WORDS]
