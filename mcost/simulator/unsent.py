"""Flush events without IPIs: hardware broadcast, and flushes deferred to a tick or switch.

Sources: arch/x86/include/asm/tlb.h invlpgb_flush_*, about 6.15 (KF 1.6); arm64
asm/tlbflush.h __flush_tlb_range_op, 6.12 (KF 7); LATR native_flush_save_state (KF 10.2).
"""

from __future__ import annotations

from mcost.simulator.codes import BROADCASTS, EACH, INVLPGB, LOST, TLBI
from mcost.simulator.compiled import inner
from mcost.simulator.flush import collect, flush_by_ipi
from mcost.simulator.masks import clear_bit, lowest, test_bit
from mcost.simulator.state import (
    ASID_SLOTS,
    BY_PAGE,
    CHANGE,
    CHANGED,
    DELIVERY,
    DONE,
    END,
    FIRST,
    FREE,
    FREED,
    FRESH,
    HULL,
    INITIATOR,
    INVLPGB_MAX,
    LAZY,
    LEFT,
    MASK_WORDS,
    NEWER,
    NEWEST,
    NEWEST_RECORD,
    NO_MM,
    OLDER,
    ONLINE_CPUS,
    OWNER,
    PAGES,
    PENDING,
    RECORD_ROW,
    RECORD_TABLE,
    RING,
    RING_SIZE,
    SHARER,
    SHARERS,
    SINCE,
    TRACKS,
    UNTIL,
    WAITING_TABLE,
    WRITER,
    Memory,
    cpu_at,
    mm_at,
    page_at,
    slot_at,
)
from mcost.simulator.tlb import ALL_SLOTS, drop_pages, drop_slots
from mcost.simulator.told import act

__all__ = ["defer", "flush_by_broadcast", "sweep"]


@inner
def flush_by_broadcast(m: Memory) -> None:
    """All CPUs drop by address in every slot, or by the ASID of each sharer."""
    by_asid = m[TRACKS] == EACH
    m[BROADCASTS] += _instructions(m) * (m[SHARERS] if by_asid else 1)
    for cpu in range(m[ONLINE_CPUS]):
        slots = _slots_of_sharers(m, cpu) if by_asid else ALL_SLOTS
        if m[BY_PAGE]:
            drop_pages(m, cpu, slots, m[FIRST], m[END])
        else:
            m[LOST] += drop_slots(m, cpu, slots)[0]


@inner
def _slots_of_sharers(m: Memory, cpu: int) -> int:
    slots = 0
    for slot in range(ASID_SLOTS):
        slots |= m[mm_at(m, m[slot_at(m, cpu, slot) + OWNER]) + SHARER] << slot
    return slots


@inner
def _instructions(m: Memory) -> int:
    """Broadcast instructions of one event: 1 when full, else by the instruction's reach."""
    pages = m[HULL]
    if not m[BY_PAGE]:
        return 1
    if m[DELIVERY] == INVLPGB:
        return (pages + m[INVLPGB_MAX] - 1) // m[INVLPGB_MAX]
    if m[DELIVERY] == TLBI:
        return pages
    rest, count = pages & ~1, pages & 1
    for scale in range(3, -1, -1):
        units = rest >> (5 * scale + 1)
        count += (units + 31) >> 5
        rest -= units << (5 * scale + 1)
    return count


@inner
def defer(m: Memory) -> bool:
    """Records the event in the initiator's ring.

    Returns:
        True when the event is complete at once: nobody to wait for, or flushed by IPI
        because the ring is full or page tables are freed.
    """
    row = cpu_at(m, m[INITIATOR])
    if m[FREED] or m[row + RING] >= RING_SIZE:
        flush_by_ipi(m)
        return True
    mask = collect(m)
    told = test_bit(m, mask, m[INITIATOR]) and not m[row + LAZY]
    waiting = _record(m, mask)
    if told:
        act(m, m[INITIATOR], NO_MM)
    return waiting == 0


@inner
def _record_at(m: Memory, record: int) -> int:
    return m[RECORD_TABLE] + record * RECORD_ROW


@inner
def _waiting_at(m: Memory, record: int) -> int:
    return m[WAITING_TABLE] + record * m[MASK_WORDS]


@inner
def _record(m: Memory, mask: int) -> int:
    """Records the event for the CPUs of the mask that are not lazy; returns their number."""
    record = m[FREE] if m[FREE] else m[FRESH] + 1
    left = _record_at(m, record) + LEFT
    m[left] = 0
    for at in range(m[MASK_WORDS]):
        word = m[mask + at]
        m[_waiting_at(m, record) + at] = word
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if cpu == m[INITIATOR] or m[cpu_at(m, cpu) + LAZY]:
                clear_bit(m, _waiting_at(m, record), cpu)
            else:
                m[left] += 1
                m[cpu_at(m, cpu) + PENDING] += 1
                m[cpu_at(m, cpu) + NEWEST] = record
    if m[left]:
        _keep(m, record)
    return m[left]


@inner
def _keep(m: Memory, record: int) -> None:
    """The record becomes the newest of all, and one of the initiator's ring."""
    row = _record_at(m, record)
    if record == m[FREE]:
        m[FREE] = m[row + OLDER]
    else:
        m[FRESH] = record
    m[row + WRITER] = m[INITIATOR]
    m[row + SINCE] = m[FIRST]
    m[row + UNTIL] = m[END]
    m[row + CHANGED] = m[CHANGE]
    m[row + PAGES] = m[HULL] * m[BY_PAGE]
    m[row + OLDER] = m[NEWEST_RECORD]
    m[row + NEWER] = 0
    m[_record_at(m, m[NEWEST_RECORD]) + NEWER] = record
    m[NEWEST_RECORD] = record
    m[cpu_at(m, m[INITIATOR]) + RING] += 1


@inner
def sweep(m: Memory, cpu: int) -> None:
    """A tick or switch: the CPU flushes what was recorded for it and leaves all records."""
    pending = m[cpu_at(m, cpu) + PENDING]
    if pending == 0:
        return
    record = m[cpu_at(m, cpu) + NEWEST]
    row = _record_at(m, record)
    m[FIRST] = m[row + SINCE]
    m[END] = m[row + UNTIL]
    m[HULL] = m[row + PAGES]
    m[BY_PAGE] = pending == 1 and m[row + PAGES] > 0
    act(m, cpu, NO_MM)
    m[cpu_at(m, cpu) + PENDING] = 0
    while pending > 0:
        older = m[_record_at(m, record) + OLDER]
        if test_bit(m, _waiting_at(m, record), cpu):
            clear_bit(m, _waiting_at(m, record), cpu)
            pending -= 1
            _leave(m, record)
        record = older


@inner
def _leave(m: Memory, record: int) -> None:
    """One CPU less to wait for; after the last one the record's pages are free."""
    row = _record_at(m, record)
    m[row + LEFT] -= 1
    if m[row + LEFT]:
        return
    older, newer = m[row + OLDER], m[row + NEWER]
    m[_record_at(m, older) + NEWER] = newer
    m[_record_at(m, newer) + OLDER] = older
    if newer == 0:
        m[NEWEST_RECORD] = older
    m[row + OLDER] = m[FREE]
    m[FREE] = record
    m[cpu_at(m, m[row + WRITER]) + RING] -= 1
    for page in range(m[row + SINCE], m[row + UNTIL]):
        done = page_at(m, page) + DONE
        m[done] = max(m[done], m[row + CHANGED])
