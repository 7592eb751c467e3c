"""The state of the simulated machine as a few flat tables, and how it starts.

One row per CPU, slot, TLB entry, mm, page or deferred record; the names below are the
columns. Few tables with many columns keep a CPU's state in one cache line and keep the
compiled calls cheap.

Memory, N CPUs and M mms: TLB entries 16 bytes x N x sets x ways, masks 8 bytes x (M + 2) x
ceil(N/64), the rest below 300 bytes x N and 32 bytes x M. At N = 1,024 with 128 x 12
entries that is 25 MB of TLBs; at N = 8,192 with M = 100,000 it is 201 MB of TLBs and
102 MB of masks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.simulator.codes import DEFERRED, Rules
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["ASID_SLOTS", "Machine", "Pages", "allocate", "reset"]

ASID_SLOTS = 6
"""TLB_NR_DYN_ASIDS, arch/x86/include/asm/tlbflush.h (KF 2.2)."""

RING_SIZE = 256
"""Records of one CPU's ring in LATR (KF 10.2)."""

SECOND = 1_000_000_000
"""ns between two trimming flushes of one mm (tip 6db2526c1d69: once per HZ jiffies)."""

EMPTY = -(1 << 62)
"""Key of a TLB entry that holds nothing."""

# Columns. cpu: mm or -1, flag, slot in use, next slot to recycle, records not yet swept, the
# newest of them, incomplete records this CPU wrote.
LOADED, LAZY, IN_USE, NEXT, PENDING, NEWEST, RING = range(7)
# slot: mm, its generation and the region's when last current, translations held.
OWNER, GEN, REGION_GEN, ENTRIES = range(4)
# tlb: page id * 8 + slot; the page's version when filled. Rows of a set: most recent first.
KEY, AGE = range(2)
# mm: generation, next trimming flush, flag, and row k's column ORDER is the k-th sharer.
TLB_GEN, NEXT_TRIM, SHARER, ORDER = range(4)
# page: last change, last change that has completed, TLB set, share unit (-1: private).
VERSION, DONE, PLACE, UNIT = range(4)
# record: CPUs left, initiator, page ids, change, pages if page-wise; and two lists of ids.
LEFT, WRITER, FIRST, END, CHANGED, HULL, ACTIVE_LIST, FREE_LIST = range(8)
# scalar: number of sharers, active and free records; change counter; region generation.
SHARERS, ACTIVE, FREE, CHANGE, REGION_NOW = range(5)
# mask: the last two rows.
REGION_MASK, TARGET = -2, -1

Ints = npt.NDArray[np.int64]


class Pages(NamedTuple):
    """The pages a trace touches, in ascending order; a page's index is its id.

    Attributes:
        number: page numbers, private ones (< 0) first.
        place: TLB set of each page.
        unit: index into ``units`` of each page, -1 for private ones.
        units: numbers of the share units that are touched, ascending.
    """

    number: Ints
    place: Ints
    unit: Ints
    units: Ints


class Machine(NamedTuple):
    """All that changes while events are applied, and the page numbers to look it up by.

    Attributes:
        cpu, slot, tlb, mm, page, record: tables; see the columns above.
        mask: uint64 [mms + 2, words]: every mm's, the region's, and a scratch mask.
        record_mask: uint64 [records, words]: CPUs that have not swept the record.
        linked: uint8 [mms, units], for classic.
        scalar: see the columns above.
        counts: the count vector.
        number, units: of :class:`Pages`.
    """

    cpu: Ints
    slot: Ints
    tlb: Ints
    mm: Ints
    page: Ints
    record: Ints
    mask: npt.NDArray[np.uint64]
    record_mask: npt.NDArray[np.uint64]
    linked: npt.NDArray[np.uint8]
    scalar: Ints
    counts: Ints
    number: Ints
    units: Ints


def allocate(rules: Rules, mms: int, pages: Pages, flush_events: int) -> Machine:
    """A machine whose tables have their sizes; :func:`reset` gives them their contents.

    Args:
        rules: design, kernel and geometry.
        mms: number of different mms in the trace.
        pages: the pages it touches.
        flush_events: upper limit of flush events, for deferred records.
    """
    records = min(flush_events, RING_SIZE * rules.cpus) if rules.delivery == DEFERRED else 0
    page = np.zeros((len(pages.number), 4), np.int64)
    page[:, PLACE], page[:, UNIT] = pages.place, pages.unit
    return Machine(
        cpu=np.empty((rules.cpus, 7), np.int64),
        slot=np.empty((rules.cpus * ASID_SLOTS, 4), np.int64),
        tlb=np.zeros((rules.cpus * rules.sets * rules.ways, 2), np.int64),
        mm=np.zeros((mms, 4), np.int64),
        page=page,
        record=np.zeros((records, 8), np.int64),
        mask=np.empty((mms + 2, rules.words), np.uint64),
        record_mask=np.empty((records, rules.words), np.uint64),
        linked=np.empty((mms if rules.pair else 0, len(pages.units)), np.uint8),
        scalar=np.empty(5, np.int64),
        counts=np.empty(len(COUNT_NAMES), np.int64),
        number=pages.number,
        units=pages.units,
    )


@njit(cache=True)
def reset(m: Machine) -> None:
    """Every CPU with nothing loaded, every TLB, mask and count empty."""
    m.cpu[:, :] = 0
    m.cpu[:, LOADED] = -1
    m.slot[:, :] = 0
    m.slot[:, OWNER] = -1
    m.tlb[:, KEY] = EMPTY
    m.mm[:, :] = 0
    m.page[:, VERSION] = 0
    m.page[:, DONE] = 0
    m.mask[:, :] = 0
    m.linked[:, :] = 0
    m.scalar[:] = 0
    m.scalar[FREE] = len(m.record)
    for at in range(len(m.record)):
        m.record[at, FREE_LIST] = at
    m.counts[:] = 0
