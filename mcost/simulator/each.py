"""One flush of one mm per sharer: per-mm and classic, and the flush of a detached mm.

Source: flush_tlb_mm_range and should_flush_tlb, arch/x86/mm/tlb.c, Linux 6.12 and 6.15
(KF 1.1, 1.3); smp_call_function_many_cond, kernel/smp.c, 5.12 on.
"""

from __future__ import annotations

from mcost.simulator.codes import BUMPS, CSDS, ICR, IPIS, ROUNDS, WORDS
from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit, lowest, test_bit
from mcost.simulator.members import runs_sharer
from mcost.simulator.state import (
    ACTIVE_TABLE,
    ATTACHES,
    CLUSTER_BITS,
    CLUSTERS,
    CPUS,
    FREED,
    INITIATOR,
    LAST,
    LAZY,
    LAZY_MASKS,
    LOADED,
    MASK_WORDS,
    MOVES,
    NEVER,
    NEXT_TRIM,
    NOW,
    ONLINE_CPUS,
    ORDER_TABLE,
    ROUND,
    ROUND_NOW,
    SECOND,
    SHARED,
    SHARERS,
    STEPS,
    TARGETS,
    TRIM_DUE,
    UNION_MASK,
    Memory,
    cpu_at,
    mask_at,
    mm_at,
)
from mcost.simulator.told import act, add_target, close_round, interrupt, open_round

__all__ = ["bump_each", "flush_each", "flush_mm"]


@inner
def flush_each(m: Memory) -> None:
    """Every sharer's mm, one after another."""
    bump_each(m)
    if m[LAZY_MASKS] and (m[FREED] or m[NOW] > m[TRIM_DUE]):
        _flush_in_turn(m)
    else:
        _flush_running(m)


@inner
def bump_each(m: Memory) -> None:
    """Moves every sharer's generation; each one's mask is read."""
    bumps = m[STEPS] * m[MOVES]
    m[SHARED] += bumps
    m[BUMPS] += bumps * m[SHARERS]
    m[WORDS] += m[MASK_WORDS] * m[SHARERS]


@inner
def _flush_in_turn(m: Memory) -> None:
    """In attach order, since the initiator may stop being lazy on the way."""
    due = NEVER
    for at in range((m[ATTACHES] + 63) >> 6):
        word = m[m[ACTIVE_TABLE] + at]
        while word != 0:
            place = at * 64 + lowest(word)
            word &= word - 1
            mm = m[m[ORDER_TABLE] + place]
            flush_mm(m, mm)
            if m[mm_at(m, mm) + CPUS]:
                due = min(due, m[mm_at(m, mm) + NEXT_TRIM])
            else:
                clear_bit(m, m[ACTIVE_TABLE], place)
    m[TRIM_DUE] = due


@inner
def flush_mm(m: Memory, mm: int) -> None:
    """Flush of one mm (model.md section 5), its generation already moved."""
    row, initiator = mm_at(m, mm), m[INITIATOR]
    in_mask = test_bit(m, mask_at(m, mm), initiator)
    if m[row + CPUS] == in_mask:
        if m[cpu_at(m, initiator) + LOADED] == mm:
            act(m, initiator, mm)
        return
    trim = m[LAZY_MASKS] == 1 and m[NOW] > m[row + NEXT_TRIM]
    if trim:
        m[row + NEXT_TRIM] = m[NOW] + SECOND
    open_round(m)
    for at in range(m[MASK_WORDS]):
        word = m[mask_at(m, mm) + at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if cpu != initiator and _selected(m, cpu, mm, trim):
                add_target(m, cpu)
                interrupt(m, cpu, mm)
    close_round(m)
    # smp_call_function_many_cond (kernel/smp.c) asks the filter for the caller too.
    if in_mask and _selected(m, initiator, mm, trim):
        act(m, initiator, mm)


@inner
def _selected(m: Memory, cpu: int, mm: int, trim: bool) -> bool:
    """should_flush_tlb: loaded_mm is this one; a trimming flush takes any other too."""
    row = cpu_at(m, cpu)
    return m[FREED] == 1 or (m[row + LAZY] == 0 and (trim or m[row + LOADED] == mm))


@inner
def _flush_running(m: Memory) -> None:
    """All sharers in one walk over the CPUs that run one, whatever S is.

    With eager masks, or while no table is freed and no mask trimmed, a flush of one mm
    reaches just the CPUs that have it loaded, and flushes of different mms do not meet.
    """
    m[ROUND_NOW] += 1
    for at in range(m[MASK_WORDS]):
        word = m[m[UNION_MASK] + at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if not runs_sharer(m, cpu):
                continue
            mm = m[cpu_at(m, cpu) + LOADED]
            selected = m[FREED] or not m[cpu_at(m, cpu) + LAZY]
            if cpu == m[INITIATOR]:
                if selected or m[mm_at(m, mm) + CPUS] == 1:
                    act(m, cpu, mm)
            elif selected:
                interrupt(m, cpu, mm)
                _count_target(m, cpu, mm)


@inner
def _count_target(m: Memory, cpu: int, mm: int) -> None:
    """Adds the CPU to the round of the mm; rounds of several mms grow side by side."""
    row, cluster = mm_at(m, mm), cpu >> m[CLUSTER_BITS]
    if m[row + ROUND] != m[ROUND_NOW]:
        m[row + ROUND] = m[ROUND_NOW]
        m[row + TARGETS] = 0
        m[row + CLUSTERS] = 0
        m[row + LAST] = -1
        m[ROUNDS] += 1
    if m[row + LAST] != cluster:
        m[row + LAST] = cluster
        m[row + CLUSTERS] += 1
        m[ICR] += 1
    m[row + TARGETS] += 1
    m[IPIS] += 1
    m[CSDS] += 1
    if m[row + TARGETS] == m[ONLINE_CPUS] - 1:
        m[ICR] += 1 - m[row + CLUSTERS]
