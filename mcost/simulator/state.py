"""The state of the simulated machine as flat arrays, and how it starts.

Memory, N CPUs and M mms: TLBs 12 bytes x N x sets x ways, masks 8 bytes x M x ceil(N/64),
slots 20 bytes x 6 N. At N = 1,024 with 128 x 12 entries that is 19 MB of TLBs; at
N = 8,192 with M = 100,000 it is 151 MB of TLBs and 102 MB of masks.
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

RING = 256
"""Records of one CPU's ring in LATR (KF 10.2)."""

SECOND = 1_000_000_000
"""ns between two trimming flushes of one mm (tip 6db2526c1d69: once per HZ jiffies)."""

EMPTY = -(1 << 62)

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class Pages(NamedTuple):
    """The pages a trace touches, in ascending order; a page's index is its id.

    Attributes:
        number: page numbers, private ones (< 0) first.
        place: TLB set of each page.
        unit: index into ``units`` of each page, -1 for private ones.
        units: numbers of the share units that are touched, ascending.
    """

    number: Ints
    place: npt.NDArray[np.int32]
    unit: npt.NDArray[np.int32]
    units: Ints


class Machine(NamedTuple):
    """All that changes while events are applied.

    Attributes:
        loaded, lazy, slot, next_slot: per CPU: mm or -1, flag, slot in use, next to recycle.
        slot_mm, slot_gen, slot_region: per CPU and slot: owner and generations.
        entries: per CPU and slot: number of translations, so that empty ones are skipped.
        key, version: per CPU, set and way, most recent first: page id * 8 + slot; age.
        mask, gen, next_trim, sharer: per mm.
        order, n: sharers in attach order; n[0] is their number.
        page_version, page_done: per page id: last change, last completed change.
        region: region mask.
        clock: [change counter, region generation].
        linked: per mm and share unit.
        target: scratch mask.
        pending, last_record: per CPU: records it has not swept, the newest of them.
        ring: per CPU: incomplete records it wrote.
        record_mask, record: deferred records: CPUs left; (left, owner, first id, end id,
            change, page-wise) each.
        active: ids of incomplete records; n[1] is their number. free: unused ids, n[2].
        counts: the count vector.
    """

    loaded: npt.NDArray[np.int32]
    lazy: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int32]
    next_slot: npt.NDArray[np.int32]
    slot_mm: npt.NDArray[np.int32]
    slot_gen: Ints
    slot_region: Ints
    entries: npt.NDArray[np.int32]
    key: Ints
    version: npt.NDArray[np.int32]
    mask: Words
    gen: Ints
    next_trim: Ints
    sharer: npt.NDArray[np.uint8]
    order: npt.NDArray[np.int32]
    n: Ints
    page_version: npt.NDArray[np.int32]
    page_done: npt.NDArray[np.int32]
    region: Words
    clock: Ints
    linked: npt.NDArray[np.uint8]
    target: Words
    pending: Ints
    last_record: Ints
    ring: Ints
    record_mask: Words
    record: Ints
    active: Ints
    free: Ints
    counts: Ints


def allocate(rules: Rules, mms: int, pages: Pages, flush_events: int) -> Machine:
    """A machine with everything empty.

    Args:
        rules: design, kernel and geometry.
        mms: number of different mms in the trace.
        pages: the pages it touches.
        flush_events: upper limit of flush events, for deferred records.
    """
    cpus, entries = rules.cpus, rules.cpus * rules.sets * rules.ways
    records = min(flush_events, RING * cpus) if rules.delivery == DEFERRED else 0
    int64, int32, flag, word = np.int64, np.int32, np.uint8, np.uint64
    ids = len(pages.number)
    return Machine(
        loaded=np.empty(cpus, int32),
        lazy=np.empty(cpus, flag),
        slot=np.empty(cpus, int32),
        next_slot=np.empty(cpus, int32),
        slot_mm=np.empty(cpus * ASID_SLOTS, int32),
        slot_gen=np.empty(cpus * ASID_SLOTS, int64),
        slot_region=np.empty(cpus * ASID_SLOTS, int64),
        entries=np.empty(cpus * ASID_SLOTS, int32),
        key=np.empty(entries, int64),
        version=np.zeros(entries, int32),
        mask=np.empty((mms, rules.words), word),
        gen=np.empty(mms, int64),
        next_trim=np.empty(mms, int64),
        sharer=np.empty(mms, flag),
        order=np.zeros(mms, int32),
        n=np.empty(3, int64),
        page_version=np.empty(ids, int32),
        page_done=np.empty(ids, int32),
        region=np.empty(rules.words, word),
        clock=np.empty(2, int64),
        linked=np.empty((mms if rules.pair else 0, len(pages.units)), flag),
        target=np.empty(rules.words, word),
        pending=np.empty(cpus, int64),
        last_record=np.zeros(cpus, int64),
        ring=np.empty(cpus, int64),
        record_mask=np.empty((records, rules.words), word),
        record=np.empty((records, 6), int64),
        active=np.zeros(records, int64),
        free=np.arange(records, dtype=int64),
        counts=np.empty(len(COUNT_NAMES), int64),
    )


@njit(cache=True)
def reset(m: Machine) -> None:
    """Every CPU with nothing loaded, every TLB, mask and count empty."""
    m.loaded[:] = -1
    m.lazy[:] = 0
    m.slot[:] = 0
    m.next_slot[:] = 0
    m.slot_mm[:] = -1
    m.slot_gen[:] = 0
    m.slot_region[:] = 0
    m.entries[:] = 0
    m.key[:] = EMPTY
    m.mask[:] = 0
    m.gen[:] = 0
    m.next_trim[:] = 0
    m.sharer[:] = 0
    m.page_version[:] = 0
    m.page_done[:] = 0
    m.region[:] = 0
    m.clock[:] = 0
    m.linked[:] = 0
    m.pending[:] = 0
    m.ring[:] = 0
    m.n[:] = 0
    m.n[2] = len(m.free)
    for at in range(len(m.free)):
        m.free[at] = at
    m.counts[:] = 0
