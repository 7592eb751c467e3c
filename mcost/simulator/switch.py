"""Context switches: switch_mm_irqs_off and enter_lazy_tlb as model.md section 5 has them.

Source: arch/x86/mm/tlb.c switch_mm_irqs_off and choose_new_asid, Linux 6.12 (KF 2.1, 2.2).
"""

from __future__ import annotations

from mcost.simulator.codes import SWITCH_FLUSHES, SWITCH_TAX
from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit, set_bit
from mcost.simulator.members import enter_mask, generation, leave_mask, runs_sharer
from mcost.simulator.runs import enter, leave
from mcost.simulator.state import (
    ASID_SLOTS,
    BY_REGION,
    GEN,
    IN_USE,
    LAZY,
    LAZY_MASKS,
    LOADED,
    NEXT,
    OWNER,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    Memory,
    cpu_at,
    slot_at,
)
from mcost.simulator.tlb import drop_slots

__all__ = ["load", "switch"]


@inner
def switch(m: Memory, cpu: int, mm: int) -> None:
    """The CPU loads ``mm``, or no user mm for 0; it is not lazy afterwards."""
    row = cpu_at(m, cpu)
    if mm != m[row + LOADED]:
        leave(m, cpu)
        load(m, cpu, mm)
    elif not m[row + LAZY]:
        return
    m[row + LAZY] = 0
    if mm:
        _use_slot(m, cpu, mm)
        enter(m, cpu)


@inner
def load(m: Memory, cpu: int, mm: int) -> None:
    """Another mm is loaded, or none: masks, and the tax of region-mask."""
    row = cpu_at(m, cpu)
    old, out_of = m[row + LOADED], runs_sharer(m, cpu)
    m[row + LAZY] = 0
    m[row + LOADED] = mm
    if old and not m[LAZY_MASKS]:
        leave_mask(m, old, cpu)
    if mm:
        enter_mask(m, mm, cpu)
    if not m[BY_REGION]:
        return
    into = runs_sharer(m, cpu)
    if into or out_of:
        m[SWITCH_TAX] += 1
    if into:
        set_bit(m, m[REGION_MASK], cpu)
    elif out_of and not m[LAZY_MASKS]:
        clear_bit(m, m[REGION_MASK], cpu)


@inner
def _use_slot(m: Memory, cpu: int, mm: int) -> None:
    """The slot that belongs to the mm, else the next one; dropped if it is not up to date."""
    row = cpu_at(m, cpu)
    slot = m[row + NEXT]
    for other in range(ASID_SLOTS):
        if m[slot_at(m, cpu, other) + OWNER] == mm:
            slot = other
    at = slot_at(m, cpu, slot)
    m[row + IN_USE] = slot
    if m[at + OWNER] != mm:
        m[row + NEXT] = (slot + 1) % ASID_SLOTS
    elif not _behind(m, cpu, at):
        return
    drop_slots(m, cpu, 1 << slot)
    m[SWITCH_FLUSHES] += 1
    m[at + OWNER] = mm
    m[at + GEN] = generation(m, mm)
    m[at + REGION_GEN] = m[REGION_NOW]


@inner
def _behind(m: Memory, cpu: int, slot_row: int) -> bool:
    """Whether the mm's generation, or the region's for a sharer, has moved on."""
    if m[slot_row + GEN] < generation(m, m[slot_row + OWNER]):
        return True
    of_region = m[BY_REGION] == 1 and runs_sharer(m, cpu)
    return of_region and m[slot_row + REGION_GEN] < m[REGION_NOW]
