"""Flush events without IPIs: hardware broadcast, and flushes deferred to a tick or switch.

Sources: arch/x86/include/asm/tlb.h invlpgb_flush_*, about 6.15 (KF 1.6); arm64
asm/tlbflush.h __flush_tlb_range_op, 6.12 (KF 7); LATR native_flush_save_state (KF 10.2).
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import BROADCASTS, EACH, INVLPGB, TLBI, Rules
from mcost.simulator.flush import collect, flush_by_ipi
from mcost.simulator.masks import clear_bit, copy_words, lowest, test_bit, without_lowest
from mcost.simulator.state import (
    ACTIVE,
    ACTIVE_LIST,
    ASID_SLOTS,
    CHANGE,
    CHANGED,
    DONE,
    END,
    FIRST,
    FREE,
    FREE_LIST,
    HULL,
    LAZY,
    LEFT,
    NEWEST,
    ORDER,
    OWNER,
    PENDING,
    RING,
    RING_SIZE,
    SHARERS,
    TARGET,
    WRITER,
    Machine,
)
from mcost.simulator.tlb import drop_all, drop_pages, drop_slot
from mcost.simulator.told import Event, act

__all__ = ["defer", "flush_by_broadcast", "sweep"]


@njit(cache=True, _nrt=False)
def flush_by_broadcast(m: Machine, r: Rules, e: Event) -> None:
    """All CPUs drop by address in every slot, or by the ASID of each sharer."""
    instructions = _instructions(r, e)
    if r.tracks == EACH:
        for at in range(m.scalar[SHARERS]):
            m.counts[BROADCASTS] += instructions
            _drop_asid(m, r, m.mm[at, ORDER], e)
        return
    m.counts[BROADCASTS] += instructions
    for cpu in range(r.cpus):
        if not e.page_wise:
            drop_all(m, r, cpu, e.op_first, e.op_end)
            continue
        for slot in range(ASID_SLOTS):
            drop_pages(m, r, cpu, slot, e.first, e.end)


@njit(cache=True, _nrt=False)
def _drop_asid(m: Machine, r: Rules, mm: int, e: Event) -> None:
    for at in range(r.cpus * ASID_SLOTS):
        if m.slot[at, OWNER] != mm:
            continue
        cpu, slot = at // ASID_SLOTS, at % ASID_SLOTS
        if e.page_wise:
            drop_pages(m, r, cpu, slot, e.first, e.end)
        else:
            drop_slot(m, r, cpu, slot, e.op_first, e.op_end, True)


@njit(cache=True, _nrt=False)
def _instructions(r: Rules, e: Event) -> int:
    """Broadcast instructions of one event: 1 when full, else by the instruction's reach."""
    if not e.page_wise:
        return 1
    if r.delivery == INVLPGB:
        return -(-e.pages // r.invlpgb_max)
    if r.delivery == TLBI:
        return e.pages
    rest, count = e.pages & ~1, e.pages & 1
    for scale in range(3, -1, -1):
        unit = 1 << (5 * scale + 1)
        units = rest // unit
        count += -(-units // 32)
        rest -= units * unit
    return count


@njit(cache=True, _nrt=False)
def defer(m: Machine, r: Rules, e: Event) -> bool:
    """Records the event in the initiator's ring.

    Returns:
        True when the event is complete at once: nobody to wait for, or flushed by IPI
        because the ring is full or page tables are freed.
    """
    if e.freed or m.cpu[e.cpu, RING] >= RING_SIZE:
        flush_by_ipi(m, r, e)
        return True
    collect(m, r, e)
    told = test_bit(m.mask[TARGET], e.cpu)
    clear_bit(m.mask[TARGET], e.cpu)
    waiting = 0
    for at in range(r.words):
        word = m.mask[TARGET, at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word = without_lowest(word)
            if m.cpu[cpu, LAZY]:
                clear_bit(m.mask[TARGET], cpu)
            else:
                waiting += 1
    if waiting:
        _record(m, r, e, waiting)
    if told and not m.cpu[e.cpu, LAZY]:
        act(m, r, e.cpu, -1, e)
    return waiting == 0


@njit(cache=True, _nrt=False)
def _record(m: Machine, r: Rules, e: Event, waiting: int) -> None:
    """Takes a free record for the CPUs in ``m.mask[TARGET]``."""
    m.scalar[FREE] -= 1
    at = m.record[m.scalar[FREE], FREE_LIST]
    m.record[m.scalar[ACTIVE], ACTIVE_LIST] = at
    m.scalar[ACTIVE] += 1
    copy_words(m.record_mask[at], m.mask[TARGET])
    record = m.record[at]
    record[LEFT], record[WRITER] = waiting, e.cpu
    record[FIRST], record[END], record[CHANGED] = e.first, e.end, m.scalar[CHANGE]
    record[HULL] = e.pages if e.page_wise else 0
    m.cpu[e.cpu, RING] += 1
    for place in range(r.words):
        word = m.mask[TARGET, place]
        while word != 0:
            cpu = place * 64 + lowest(word)
            word = without_lowest(word)
            m.cpu[cpu, PENDING] += 1
            m.cpu[cpu, NEWEST] = at


@njit(cache=True, _nrt=False)
def sweep(m: Machine, r: Rules, cpu: int) -> None:
    """A tick or switch: the CPU flushes what was recorded for it and leaves all records."""
    if m.cpu[cpu, PENDING] == 0:
        return
    one = m.record[m.cpu[cpu, NEWEST]]
    page_wise = m.cpu[cpu, PENDING] == 1 and one[HULL] > 0
    e = Event(cpu, 0, one[FIRST], one[END], 0, 0, one[HULL], page_wise, False, 0)
    act(m, r, cpu, -1, e)
    m.cpu[cpu, PENDING] = 0
    kept = 0
    for place in range(m.scalar[ACTIVE]):
        at = m.record[place, ACTIVE_LIST]
        if test_bit(m.record_mask[at], cpu):
            clear_bit(m.record_mask[at], cpu)
            m.record[at, LEFT] -= 1
        if m.record[at, LEFT] > 0:
            m.record[kept, ACTIVE_LIST] = at
            kept += 1
        else:
            _complete(m, at)
    m.scalar[ACTIVE] = kept


@njit(cache=True, _nrt=False)
def _complete(m: Machine, at: int) -> None:
    """The last CPU has left the record: its pages are free from now on."""
    record = m.record[at]
    m.cpu[record[WRITER], RING] -= 1
    m.record[m.scalar[FREE], FREE_LIST] = at
    m.scalar[FREE] += 1
    for page in range(record[FIRST], record[END]):
        m.page[page, DONE] = max(m.page[page, DONE], record[CHANGED])
