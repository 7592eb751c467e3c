"""What a CPU does when it is told, and how telling is counted.

Source: flush_tlb_func, arch/x86/mm/tlb.c, Linux 6.12 and 6.15 (KF 1.4).
"""

from __future__ import annotations

from mcost.simulator.codes import (
    BYSTANDER_IPIS,
    CSDS,
    FULL_FLUSHES,
    GLOBAL_FLUSHES,
    ICR,
    IDLE_IPIS,
    IPIS,
    LOST,
    PAGE_FLUSHES,
    ROUNDS,
    SHARER_IPIS,
    USEFUL,
)
from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit
from mcost.simulator.members import generation, leave_mask, runs_sharer
from mcost.simulator.state import (
    BY_PAGE,
    BY_REGION,
    CLUSTER_BITS,
    END,
    EVERYTHING,
    FIRST,
    GEN,
    HULL,
    IN_USE,
    LAST_REACHED,
    LAZY,
    LAZY_MASKS,
    LOADED,
    NO_MM,
    ONLINE_CPUS,
    REACHED,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    TOLD,
    Memory,
    cpu_at,
    slot_at,
)
from mcost.simulator.switch import load
from mcost.simulator.tlb import ALL_SLOTS, drop_pages, drop_slots

__all__ = ["act", "add_target", "close_round", "interrupt", "open_round"]


@inner
def interrupt(m: Memory, cpu: int, mm: int) -> None:
    """One IPI: counts what the receiver was doing, then lets it act."""
    if m[cpu_at(m, cpu) + LAZY] or not m[cpu_at(m, cpu) + LOADED]:
        m[IDLE_IPIS] += 1
    elif runs_sharer(m, cpu):
        m[SHARER_IPIS] += 1
    else:
        m[BYSTANDER_IPIS] += 1
    if act(m, cpu, mm):
        m[USEFUL] += 1


@inner
def open_round(m: Memory) -> None:
    """A flush call begins: nobody told yet."""
    m[TOLD], m[REACHED], m[LAST_REACHED] = 0, 0, -1


@inner
def add_target(m: Memory, cpu: int) -> None:
    """One more CPU of the round, in ascending order."""
    cluster = cpu >> m[CLUSTER_BITS]
    m[TOLD] += 1
    m[REACHED] += cluster != m[LAST_REACHED]
    m[LAST_REACHED] = cluster


@inner
def close_round(m: Memory) -> None:
    """Counts the flush call, if it interrupted anybody."""
    if m[TOLD] == 0:
        return
    m[ROUNDS] += 1
    m[IPIS] += m[TOLD]
    m[CSDS] += m[TOLD]
    m[ICR] += 1 if m[TOLD] == m[ONLINE_CPUS] - 1 else m[REACHED]


@inner
def act(m: Memory, cpu: int, mm: int) -> bool:
    """What a told CPU does; ``mm`` is the flushed one or 0 when none is named.

    Returns:
        Whether an outdated translation of the operation's pages went.
    """
    loaded = m[cpu_at(m, cpu) + LOADED]
    if mm == 0 and m[EVERYTHING]:
        m[GLOBAL_FLUSHES] += 1
        return _drop(m, cpu, ALL_SLOTS)
    if mm and loaded != mm:
        if m[LAZY_MASKS]:
            leave_mask(m, mm, cpu)
        return False
    if mm == 0 and m[BY_REGION] and not runs_sharer(m, cpu):
        if m[LAZY_MASKS]:
            clear_bit(m, m[REGION_MASK], cpu)
        return False
    if loaded and m[cpu_at(m, cpu) + LAZY]:
        load(m, cpu, NO_MM)
        return False
    return loaded != 0 and _bring_up_to_date(m, cpu, mm == 0 and m[BY_REGION] == 1)


@inner
def _bring_up_to_date(m: Memory, cpu: int, by_region: bool) -> bool:
    """INVLPG each page if exactly one generation behind, else drop the slot in use."""
    row = cpu_at(m, cpu)
    slot = m[row + IN_USE]
    at = slot_at(m, cpu, slot) + (REGION_GEN if by_region else GEN)
    current = m[REGION_NOW] if by_region else generation(m, m[row + LOADED])
    mine = m[at]
    if mine == current:
        return False
    m[at] = current
    if m[BY_PAGE] and mine + 1 == current:
        m[PAGE_FLUSHES] += m[HULL]
        return drop_pages(m, cpu, 1 << slot, m[FIRST], m[END]) != 0
    m[FULL_FLUSHES] += 1
    return _drop(m, cpu, 1 << slot)


@inner
def _drop(m: Memory, cpu: int, slots: int) -> bool:
    lost, useful = drop_slots(m, cpu, slots)
    m[LOST] += lost
    return useful != 0
