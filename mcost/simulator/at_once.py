"""One flush event to all CPUs that run a sharer, counted from what ``runs.py`` keeps.

Only CPUs that may hold a translation that goes are visited. A translation that goes was
filled once, so the cost of an event depends neither on S nor, but for a word per 64, on N.
"""

from __future__ import annotations

from mcost.simulator.codes import (
    CSDS,
    EACH,
    FULL_FLUSHES,
    ICR,
    IPIS,
    LOST,
    PAGE_FLUSHES,
    ROUNDS,
    SHARER_IPIS,
    USEFUL,
)
from mcost.simulator.compiled import inner
from mcost.simulator.masks import clear_bit, lowest, set_bit, test_bit
from mcost.simulator.members import runs_sharer
from mcost.simulator.runs import alone
from mcost.simulator.state import (
    BY_PAGE,
    BY_REGION,
    CLUSTER_BITS,
    CPUS,
    END,
    FIRST,
    HELD_STEP,
    HELD_TABLE,
    HULL,
    IN_USE,
    INITIATOR,
    LAZY,
    LOADED,
    MASK_WORDS,
    NO_MM,
    ONLINE_CPUS,
    RUN_CLUSTERS,
    RUN_CPUS,
    RUN_MASK,
    RUN_MMS,
    RUNS,
    SEEN_MASK,
    STEPS,
    TRACKS,
    Memory,
    cpu_at,
    mm_at,
)
from mcost.simulator.switch import load
from mcost.simulator.tlb import drop_page, drop_slots, holds

__all__ = ["flush_running"]


@inner
def flush_running(m: Memory) -> None:
    """Tells every running CPU; the generations have moved."""
    mine = test_bit(m, m[RUN_MASK], m[INITIATOR])
    told = m[RUN_CPUS] - mine
    m[IPIS] += told
    m[CSDS] += told
    m[SHARER_IPIS] += told
    if told:
        _count_rounds(m, told, mine)
    for at in range(m[MASK_WORDS]):
        m[m[SEEN_MASK] + at] = 0
    if m[BY_PAGE] and (m[STEPS] == 1 or m[BY_REGION]):
        m[PAGE_FLUSHES] += m[HULL] * m[RUN_CPUS]
        for page in range(m[FIRST], m[END]):
            _drop_page(m, page)
    else:
        m[FULL_FLUSHES] += m[RUN_CPUS]
        _drop_slots(m)
    clear_bit(m, m[SEEN_MASK], m[INITIATOR])
    m[USEFUL] += _size(m, m[SEEN_MASK])
    if m[TRACKS] == EACH and m[cpu_at(m, m[INITIATOR]) + LAZY]:
        _wake(m)


@inner
def _wake(m: Memory) -> None:
    """A lazy initiator alone in its sharer's mask flushes locally, so it loads no mm."""
    row = mm_at(m, m[cpu_at(m, m[INITIATOR]) + LOADED])
    if runs_sharer(m, m[INITIATOR]) and m[row + CPUS] == 1:
        load(m, m[INITIATOR], NO_MM)


@inner
def _count_rounds(m: Memory, told: int, mine: int) -> None:
    """One round, or one a running sharer, and the ICR writes of each."""
    initiator, rounds = m[INITIATOR], 1
    if m[TRACKS] == EACH:
        last = mine and m[mm_at(m, m[cpu_at(m, initiator) + LOADED]) + RUNS] == 1
        rounds = m[RUN_MMS] - last
    m[ROUNDS] += rounds
    if rounds == 1 and told == m[ONLINE_CPUS] - 1:
        m[ICR] += 1
    elif m[TRACKS] == EACH:
        m[ICR] += m[RUN_CLUSTERS] - (mine and alone(m, initiator))
    else:
        m[ICR] += _clusters(m) if m[CLUSTER_BITS] else told


@inner
def _clusters(m: Memory) -> int:
    """Clusters with a running CPU that is not the initiator."""
    count, span = 0, 1 << m[CLUSTER_BITS]
    for at in range(m[MASK_WORDS]):
        word = m[m[RUN_MASK] + at]
        if at == m[INITIATOR] >> 6:
            word &= ~(1 << (m[INITIATOR] & 63))
        for first in range(0, 64, span):
            count += word >> first & ((1 << span) - 1) != 0
    return count


@inner
def _drop_page(m: Memory, page: int) -> None:
    """The page goes from the slot in use of every running CPU that may hold it."""
    held = m[HELD_TABLE] + page * m[HELD_STEP]
    for at in range(m[MASK_WORDS]):
        word = m[held + at] & m[m[RUN_MASK] + at]
        left, found = m[held + at] & ~word, 0
        while word != 0:
            bit = lowest(word)
            word &= word - 1
            slots, mine = holds(m, at * 64 + bit, page)
            found |= mine << bit
            left |= (slots > mine) << bit
        m[held + at] = left
        while found != 0:
            bit = lowest(found)
            found &= found - 1
            m[m[SEEN_MASK] + at] |= drop_page(m, at * 64 + bit, page) << bit


@inner
def _drop_slots(m: Memory) -> None:
    """Every running CPU drops its slot in use; all of them are asked if rows are of pages."""
    for at in range(m[MASK_WORDS]):
        word = m[m[RUN_MASK] + at]
        if m[HELD_STEP] == 0:
            word &= m[m[HELD_TABLE] + at]
            m[m[HELD_TABLE] + at] &= ~word
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            lost, useful = drop_slots(m, cpu, 1 << m[cpu_at(m, cpu) + IN_USE])
            m[LOST] += lost
            if useful:
                set_bit(m, m[SEEN_MASK], cpu)


@inner
def _size(m: Memory, mask: int) -> int:
    """CPUs in a mask."""
    count = 0
    for at in range(m[MASK_WORDS]):
        word = m[mask + at]
        while word != 0:
            count += 1
            word &= word - 1
    return count
