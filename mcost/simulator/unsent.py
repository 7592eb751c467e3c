"""Flush events without IPIs: hardware broadcast, and flushes deferred to a tick or switch.

Sources: arch/x86/include/asm/tlb.h invlpgb_flush_*, about 6.15 (KF 1.6); arm64
asm/tlbflush.h __flush_tlb_range_op, 6.12 (KF 7); LATR native_flush_save_state (KF 10.2).
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import BROADCASTS, EACH, INVLPGB, TLBI, Rules
from mcost.simulator.flush import collect, flush_by_ipi
from mcost.simulator.masks import clear_bit, lowest, test_bit, without_lowest
from mcost.simulator.state import ASID_SLOTS, RING, Machine, Pages
from mcost.simulator.tlb import drop_all, drop_pages, drop_slot
from mcost.simulator.told import Event, act

__all__ = ["defer", "flush_by_broadcast", "sweep"]


@njit(cache=True)
def flush_by_broadcast(m: Machine, r: Rules, pages: Pages, e: Event) -> None:
    """All CPUs drop by address in every slot, or by the ASID of each sharer."""
    instructions = _instructions(r, e)
    if r.tracks == EACH:
        for at in range(m.n[0]):
            m.counts[BROADCASTS] += instructions
            _drop_asid(m, r, pages, m.order[at], e)
        return
    m.counts[BROADCASTS] += instructions
    for cpu in range(r.cpus):
        if not e.page_wise:
            drop_all(m, r, cpu, e.op_first, e.op_end)
            continue
        for slot in range(ASID_SLOTS):
            drop_pages(m, r, pages, cpu, slot, e.first, e.end)


@njit(cache=True)
def _drop_asid(m: Machine, r: Rules, pages: Pages, mm: int, e: Event) -> None:
    for at in range(r.cpus * ASID_SLOTS):
        if m.slot_mm[at] != mm:
            continue
        cpu, slot = at // ASID_SLOTS, at % ASID_SLOTS
        if e.page_wise:
            drop_pages(m, r, pages, cpu, slot, e.first, e.end)
        else:
            drop_slot(m, r, cpu, slot, e.op_first, e.op_end, True)


@njit(cache=True)
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


@njit(cache=True)
def defer(m: Machine, r: Rules, pages: Pages, e: Event) -> bool:
    """Records the event in the initiator's ring.

    Returns:
        True when the event is complete at once: nobody to wait for, or flushed by IPI
        because the ring is full or page tables are freed.
    """
    if e.freed or m.ring[e.cpu] >= RING:
        flush_by_ipi(m, r, pages, e)
        return True
    collect(m, r, e)
    told = test_bit(m.target, e.cpu)
    clear_bit(m.target, e.cpu)
    waiting = 0
    for at in range(r.words):
        word = m.target[at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word = without_lowest(word)
            if m.lazy[cpu]:
                clear_bit(m.target, cpu)
            else:
                waiting += 1
    if waiting:
        _record(m, r, e, waiting)
    if told and not m.lazy[e.cpu]:
        act(m, r, pages, e.cpu, -1, e)
    return waiting == 0


@njit(cache=True)
def _record(m: Machine, r: Rules, e: Event, waiting: int) -> None:
    """Takes a free record for the CPUs in ``m.target``."""
    m.n[2] -= 1
    at = m.free[m.n[2]]
    m.active[m.n[1]] = at
    m.n[1] += 1
    m.record_mask[at] = m.target
    record = m.record[at]
    record[0], record[1] = waiting, e.cpu
    record[2], record[3], record[4] = e.first, e.end, m.clock[0]
    record[5] = e.pages if e.page_wise else 0
    m.ring[e.cpu] += 1
    for place in range(r.words):
        word = m.target[place]
        while word != 0:
            cpu = place * 64 + lowest(word)
            word = without_lowest(word)
            m.pending[cpu] += 1
            m.last_record[cpu] = at


@njit(cache=True)
def sweep(m: Machine, r: Rules, pages: Pages, cpu: int) -> None:
    """A tick or switch: the CPU flushes what was recorded for it and leaves all records."""
    if m.pending[cpu] == 0:
        return
    one = m.record[m.last_record[cpu]]
    page_wise = m.pending[cpu] == 1 and one[5] > 0
    e = Event(cpu, 0, one[2], one[3], 0, 0, one[5], page_wise, False, 0)
    act(m, r, pages, cpu, -1, e)
    m.pending[cpu] = 0
    kept = 0
    for place in range(m.n[1]):
        at = m.active[place]
        if test_bit(m.record_mask[at], cpu):
            clear_bit(m.record_mask[at], cpu)
            m.record[at, 0] -= 1
        if m.record[at, 0] > 0:
            m.active[kept] = at
            kept += 1
        else:
            _complete(m, at)
    m.n[1] = kept


@njit(cache=True)
def _complete(m: Machine, at: int) -> None:
    """The last CPU has left the record: its pages are free from now on."""
    record = m.record[at]
    m.ring[record[1]] -= 1
    m.free[m.n[2]] = at
    m.n[2] += 1
    for page in range(record[2], record[3]):
        m.page_done[page] = max(m.page_done[page], record[4])
