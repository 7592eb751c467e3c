"""Sharers come and go; a machine starts, and is made fresh for the next part of a trace."""

from __future__ import annotations

from mcost.simulator.codes import BUMPS, FLUSH_EVENTS, WORDS
from mcost.simulator.compiled import inner
from mcost.simulator.each import flush_mm
from mcost.simulator.masks import clear_bit, lowest, set_bit
from mcost.simulator.members import join_union, leave_union
from mcost.simulator.runs import enter, leave, settle
from mcost.simulator.state import (
    ACTIVE_TABLE,
    ASID_SLOTS,
    ATTACHED,
    ATTACHES,
    BY_PAGE,
    BY_REGION,
    CPU_ROW,
    CPUS,
    FREED,
    FRESH,
    IN_USE,
    INITIATOR,
    LINKED_TABLE,
    LOADED,
    MASK_WORDS,
    MM_ROW,
    NEVER,
    NEXT_TRIM,
    NOW,
    OP_END,
    ORDER_TABLE,
    OWNER,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    RUN_CPUS,
    RUN_MASK,
    SECOND,
    SHARED,
    SHARER,
    SHARERS,
    TLB_GEN,
    TRACKS,
    TRIM_DUE,
    UNION_MASK,
    UNITS,
    UNLINKS,
    Memory,
    cpu_at,
    mask_at,
    mm_at,
    slot_at,
)
from mcost.simulator.tlb import ALL_SLOTS, drop_slots

__all__ = ["attach", "detach", "forget_cpu", "forget_mm", "start"]


@inner
def attach(m: Memory, mm: int, now: int) -> None:
    """A new sharer; nothing is flushed. Its first trimming flush is a second away."""
    row = mm_at(m, mm)
    m[row + TLB_GEN] -= m[SHARED]
    m[row + SHARER] = 1
    m[row + NEXT_TRIM] = now + SECOND
    m[row + ATTACHED] = m[ATTACHES]
    m[m[ORDER_TABLE] + m[ATTACHES]] = mm
    m[ATTACHES] += 1
    m[SHARERS] += 1
    _move_cpus(m, mm)
    for unit in range(m[UNITS]):
        m[m[LINKED_TABLE] + mm * m[UNITS] + unit] = m[UNLINKS]


@inner
def detach(m: Memory, cpu: int, mm: int, now: int) -> None:
    """The sharer's own mm is flushed with tables freed, then it is a sharer no more."""
    settle(m)
    row = mm_at(m, mm)
    m[FLUSH_EVENTS] += 1
    m[WORDS] += m[MASK_WORDS]
    m[BUMPS] += 1
    m[row + TLB_GEN] += 1
    m[INITIATOR], m[NOW], m[FREED], m[BY_PAGE], m[OP_END] = cpu, now, 1, 0, 0
    flush_mm(m, mm)
    _stop(m, mm)
    m[row + SHARER] = 0
    _move_cpus(m, mm)
    clear_bit(m, m[ACTIVE_TABLE], m[row + ATTACHED])
    m[row + TLB_GEN] += m[SHARED]
    m[SHARERS] -= 1


@inner
def _stop(m: Memory, mm: int) -> None:
    """The CPUs that have the mm loaded run no sharer from now on."""
    for at in range(m[MASK_WORDS]):
        word = m[mask_at(m, mm) + at] & m[m[RUN_MASK] + at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if m[cpu_at(m, cpu) + LOADED] == mm:
                leave(m, cpu)


@inner
def _move_cpus(m: Memory, mm: int) -> None:
    """The CPUs in the mm's mask enter the union, or leave it, and the region's mask alike."""
    joining = m[mm_at(m, mm) + SHARER]
    for at in range(m[MASK_WORDS]):
        word = m[mask_at(m, mm) + at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if joining:
                join_union(m, mm, cpu)
            else:
                leave_union(m, cpu)
            if m[BY_REGION] and m[cpu_at(m, cpu) + LOADED] == mm:
                _mark_region(m, cpu, joining)
            if joining and m[cpu_at(m, cpu) + LOADED] == mm:
                enter(m, cpu)


@inner
def _mark_region(m: Memory, cpu: int, joining: int) -> None:
    """A CPU that has the mm loaded enters the region's mask, up to date, or leaves it."""
    if joining:
        set_bit(m, m[REGION_MASK], cpu)
        slot = m[cpu_at(m, cpu) + IN_USE]
        m[slot_at(m, cpu, slot) + REGION_GEN] = m[REGION_NOW]
    else:
        clear_bit(m, m[REGION_MASK], cpu)


@inner
def start(m: Memory) -> None:
    """No sharers, no deferred records, no counts: with ``forget_*`` a fresh machine."""
    for at in range((m[ATTACHES] + 63) >> 6):
        m[m[ACTIVE_TABLE] + at] = 0
    for at in range(m[MASK_WORDS]):
        m[m[REGION_MASK] + at] = 0
        m[m[UNION_MASK] + at] = 0
        m[m[RUN_MASK] + at] = 0
    for at in range(TRACKS):
        m[at] = 0
    for at in range(RUN_CPUS, FRESH + 1):
        m[at] = 0
    m[TRIM_DUE] = NEVER


@inner
def forget_cpu(m: Memory, cpu: int) -> None:
    """Nothing loaded, an empty TLB; little work when the CPU is so already."""
    owners = 0
    for slot in range(ASID_SLOTS):
        owners |= m[slot_at(m, cpu, slot) + OWNER]
        m[slot_at(m, cpu, slot) + OWNER] = 0
    if owners:
        drop_slots(m, cpu, ALL_SLOTS)
    for column in range(CPU_ROW):
        m[cpu_at(m, cpu) + column] = 0


@inner
def forget_mm(m: Memory, mm: int) -> None:
    """No generation, no mask. Links need nothing: attach makes them anew."""
    if m[mm_at(m, mm) + CPUS]:
        for at in range(m[MASK_WORDS]):
            m[mask_at(m, mm) + at] = 0
    for column in range(MM_ROW):
        m[mm_at(m, mm) + column] = 0
