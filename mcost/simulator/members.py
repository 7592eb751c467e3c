"""Who is in which mask, and what follows for the sharers' union."""

from __future__ import annotations

from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit, set_bit, test_bit
from mcost.simulator.state import (
    ACTIVE_TABLE,
    ATTACHED,
    CPUS,
    LOADED,
    MEMBER,
    NEXT_TRIM,
    SHARED,
    SHARER,
    TLB_GEN,
    TRIM_DUE,
    UNION_MASK,
    Memory,
    cpu_at,
    mask_at,
    mm_at,
)

__all__ = [
    "enter_mask",
    "generation",
    "join_union",
    "leave_mask",
    "leave_union",
    "runs_sharer",
]


@inner
def generation(m: Memory, mm: int) -> int:
    """The mm's tlb_gen; bumps that all sharers get are kept once, in SHARED."""
    row = mm_at(m, mm)
    return m[row + TLB_GEN] + m[row + SHARER] * m[SHARED]


@inner
def runs_sharer(m: Memory, cpu: int) -> bool:
    """Whether the CPU has a sharer loaded, lazy or not."""
    return m[mm_at(m, m[cpu_at(m, cpu) + LOADED]) + SHARER] == 1


@inner
def enter_mask(m: Memory, mm: int, cpu: int) -> None:
    """Sets the CPU's bit in the mm's mask."""
    if test_bit(m, mask_at(m, mm), cpu):
        return
    set_bit(m, mask_at(m, mm), cpu)
    m[mm_at(m, mm) + CPUS] += 1
    if m[mm_at(m, mm) + SHARER]:
        join_union(m, mm, cpu)


@inner
def leave_mask(m: Memory, mm: int, cpu: int) -> None:
    """Clears the CPU's bit in the mm's mask."""
    if not test_bit(m, mask_at(m, mm), cpu):
        return
    clear_bit(m, mask_at(m, mm), cpu)
    m[mm_at(m, mm) + CPUS] -= 1
    if m[mm_at(m, mm) + SHARER]:
        leave_union(m, cpu)


@inner
def join_union(m: Memory, mm: int, cpu: int) -> None:
    """A CPU has come into the mask of a sharer."""
    row = mm_at(m, mm)
    m[cpu_at(m, cpu) + MEMBER] += 1
    set_bit(m, m[UNION_MASK], cpu)
    set_bit(m, m[ACTIVE_TABLE], m[row + ATTACHED])
    m[TRIM_DUE] = min(m[TRIM_DUE], m[row + NEXT_TRIM])


@inner
def leave_union(m: Memory, cpu: int) -> None:
    """A CPU has gone from the mask of a sharer."""
    row = cpu_at(m, cpu)
    m[row + MEMBER] -= 1
    if m[row + MEMBER] == 0:
        clear_bit(m, m[UNION_MASK], cpu)
