"""Context switches: switch_mm_irqs_off and enter_lazy_tlb as model.md section 5 has them.

Source: arch/x86/mm/tlb.c switch_mm_irqs_off and choose_new_asid, Linux 6.12 (KF 2.1, 2.2).
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import SWITCH_FLUSHES, SWITCH_TAX, Rules
from mcost.simulator.masks import clear_bit, set_bit
from mcost.simulator.state import (
    ASID_SLOTS,
    GEN,
    IN_USE,
    LAZY,
    LOADED,
    NEXT,
    OWNER,
    REGION_GEN,
    REGION_MASK,
    REGION_NOW,
    SHARER,
    TLB_GEN,
    Machine,
)
from mcost.simulator.tlb import drop_slot

__all__ = ["switch"]


@njit(cache=True, _nrt=False)
def switch(m: Machine, r: Rules, cpu: int, mm: int) -> None:
    """The CPU loads ``mm``, or no user mm for -1; it is not lazy afterwards."""
    old = m.cpu[cpu, LOADED]
    was_lazy = m.cpu[cpu, LAZY]
    m.cpu[cpu, LAZY] = 0
    if mm == old:
        if mm >= 0 and was_lazy:
            _catch_up(m, r, cpu, mm, m.cpu[cpu, IN_USE])
        return
    if old >= 0 and not r.lazy_masks:
        clear_bit(m.mask[old], cpu)
    if r.region:
        _keep_region_mask(m, r, cpu, old, mm)
    m.cpu[cpu, LOADED] = mm
    if mm >= 0:
        set_bit(m.mask[mm], cpu)
        _choose_slot(m, r, cpu, mm)


@njit(cache=True, _nrt=False)
def _keep_region_mask(m: Machine, r: Rules, cpu: int, old: int, mm: int) -> None:
    """The tax of region-mask: a switch into or out of a sharer touches the region's mask."""
    into = mm >= 0 and m.mm[mm, SHARER] == 1
    out_of = old >= 0 and m.mm[old, SHARER] == 1
    if into or out_of:
        m.counts[SWITCH_TAX] += 1
    if into:
        set_bit(m.mask[REGION_MASK], cpu)
    elif out_of and not r.lazy_masks:
        clear_bit(m.mask[REGION_MASK], cpu)


@njit(cache=True, _nrt=False)
def _choose_slot(m: Machine, r: Rules, cpu: int, mm: int) -> None:
    """A slot that belongs to the mm is used again; else the next one is recycled."""
    base = cpu * ASID_SLOTS
    for slot in range(ASID_SLOTS):
        if m.slot[base + slot, OWNER] == mm:
            m.cpu[cpu, IN_USE] = slot
            _catch_up(m, r, cpu, mm, slot)
            return
    slot = m.cpu[cpu, NEXT]
    m.cpu[cpu, NEXT] = (slot + 1) % ASID_SLOTS
    drop_slot(m, r, cpu, slot, 0, 0, False)
    m.counts[SWITCH_FLUSHES] += 1
    m.cpu[cpu, IN_USE] = slot
    m.slot[base + slot, OWNER] = mm
    m.slot[base + slot, GEN] = m.mm[mm, TLB_GEN]
    m.slot[base + slot, REGION_GEN] = m.scalar[REGION_NOW]


@njit(cache=True, _nrt=False)
def _catch_up(m: Machine, r: Rules, cpu: int, mm: int, slot: int) -> None:
    """Drops the slot when its generation, or the region's for a sharer, has moved on."""
    at = cpu * ASID_SLOTS + slot
    behind = m.slot[at, GEN] < m.mm[mm, TLB_GEN]
    if r.region and m.mm[mm, SHARER] == 1:
        behind |= m.slot[at, REGION_GEN] < m.scalar[REGION_NOW]
    if behind:
        drop_slot(m, r, cpu, slot, 0, 0, False)
        m.counts[SWITCH_FLUSHES] += 1
        m.slot[at, GEN] = m.mm[mm, TLB_GEN]
        m.slot[at, REGION_GEN] = m.scalar[REGION_NOW]
