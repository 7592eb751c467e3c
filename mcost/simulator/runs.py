"""The CPUs that run a sharer, kept up to date, so that a flush need not ask each of them.

A CPU *runs* when it has a sharer loaded and is not lazy. For designs that tell all running
CPUs by IPI and move generations (flag ``AT_ONCE``), every running CPU is up to date between
events: loading brought it there, and so did every flush since. Hence a flush event can count
its IPIs, rounds and flushes from what is kept here, and must visit only CPUs that may hold a
translation that goes. A running CPU's own generation is not written at each flush but when it
stops running, or before an event that asks each CPU (``settle``).

Kept: the mask, the number of CPUs, of different mms they run, and of clusters, summed over
those mms. With the flag off nothing is kept.
"""

from __future__ import annotations

from mcost.simulator.codes import EACH
from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit, lowest, set_bit, test_bit
from mcost.simulator.members import generation, runs_sharer
from mcost.simulator.state import (
    AT_ONCE,
    BY_REGION,
    CLUSTER_BITS,
    GEN,
    HELD_STEP,
    HELD_TABLE,
    IN_USE,
    LAZY,
    LOADED,
    MASK_WORDS,
    REGION_GEN,
    REGION_NOW,
    RUN_CLUSTERS,
    RUN_CPUS,
    RUN_MASK,
    RUN_MMS,
    RUNS,
    TRACKS,
    Memory,
    cpu_at,
    mm_at,
    slot_at,
)

__all__ = ["alone", "enter", "leave", "settle"]


@inner
def enter(m: Memory, cpu: int) -> None:
    """The CPU has loaded an mm or its mm became a sharer; its slot is up to date."""
    if not m[AT_ONCE] or m[cpu_at(m, cpu) + LAZY] or not runs_sharer(m, cpu):
        return
    set_bit(m, m[RUN_MASK], cpu)
    m[RUN_CPUS] += 1
    if m[HELD_STEP] == 0:
        set_bit(m, m[HELD_TABLE], cpu)
    if m[TRACKS] == EACH:
        row = mm_at(m, m[cpu_at(m, cpu) + LOADED])
        m[row + RUNS] += 1
        m[RUN_MMS] += m[row + RUNS] == 1
        m[RUN_CLUSTERS] += alone(m, cpu)


@inner
def leave(m: Memory, cpu: int) -> None:
    """The CPU is about to load another mm or to be lazy, or its mm stops being a sharer."""
    if not m[AT_ONCE] or not test_bit(m, m[RUN_MASK], cpu):
        return
    _write_generation(m, cpu)
    if m[TRACKS] == EACH:
        row = mm_at(m, m[cpu_at(m, cpu) + LOADED])
        m[row + RUNS] -= 1
        m[RUN_MMS] -= m[row + RUNS] == 0
        m[RUN_CLUSTERS] -= alone(m, cpu)
    m[RUN_CPUS] -= 1
    clear_bit(m, m[RUN_MASK], cpu)


@inner
def alone(m: Memory, cpu: int) -> bool:
    """Whether no other CPU of the cluster runs the same mm."""
    span = 1 << m[CLUSTER_BITS]
    first = cpu & ~(span - 1) & 63
    word = m[m[RUN_MASK] + (cpu >> 6)] >> first & ((1 << span) - 1) & ~(1 << (cpu & 63) - first)
    mm = m[cpu_at(m, cpu) + LOADED]
    while word != 0:
        other = (cpu & ~63) + first + lowest(word)
        word &= word - 1
        if m[cpu_at(m, other) + LOADED] == mm:
            return False
    return True


@inner
def settle(m: Memory) -> None:
    """Writes the generation of every running CPU."""
    if not m[AT_ONCE]:
        return
    for at in range(m[MASK_WORDS]):
        word = m[m[RUN_MASK] + at]
        while word != 0:
            _write_generation(m, at * 64 + lowest(word))
            word &= word - 1


@inner
def _write_generation(m: Memory, cpu: int) -> None:
    row = cpu_at(m, cpu)
    at = slot_at(m, cpu, m[row + IN_USE])
    if m[BY_REGION]:
        m[at + REGION_GEN] = m[REGION_NOW]
    else:
        m[at + GEN] = generation(m, m[row + LOADED])
