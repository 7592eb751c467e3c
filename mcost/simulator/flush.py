"""One flush event of each design that sends IPIs: who is told, in what order.

Source: flush_tlb_mm_range, native_flush_tlb_multi and should_flush_tlb, arch/x86/mm/tlb.c,
Linux 6.12 and 6.15 (KF 1.1, 1.3); arch_tlbbatch_flush (KF 3); flush_tlb_all (KF 7).
"""

from __future__ import annotations

from mcost.simulator.at_once import flush_running
from mcost.simulator.codes import (
    BUMPS,
    DENIED,
    EACH,
    HOLDERS,
    NOTHING,
    PAGE_FLUSHES,
    RUNNING,
    SHARER_IPIS,
    USEFUL,
    WORDS,
)
from mcost.simulator.compiled import inner
from mcost.simulator.each import bump_each, flush_each
from mcost.simulator.masks import lowest
from mcost.simulator.members import runs_sharer
from mcost.simulator.runs import settle
from mcost.simulator.state import (
    AT_ONCE,
    BY_REGION,
    END,
    EVERYTHING,
    FIRST,
    FREED,
    HULL,
    IN_USE,
    INITIATOR,
    LAZY,
    LAZY_MASKS,
    MASK_WORDS,
    MOVES,
    NO_MM,
    NOW,
    ONLINE_CPUS,
    ONLINE_MASK,
    PAIR,
    REGION_MASK,
    REGION_NOW,
    SHARED,
    SHARERS,
    STEPS,
    TRACKS,
    TRIM_DUE,
    UNION_MASK,
    Memory,
    cpu_at,
)
from mcost.simulator.tlb import ALL_SLOTS, drop_pages
from mcost.simulator.told import act, add_target, close_round, interrupt, open_round

__all__ = ["collect", "flush_by_ipi"]


@inner
def flush_by_ipi(m: Memory) -> None:
    """One flush event of a design that sends IPIs, by what it tracks."""
    if m[TRACKS] == HOLDERS:
        _flush_holders(m)
        return
    trims = m[TRACKS] == EACH and m[LAZY_MASKS] and m[NOW] > m[TRIM_DUE]
    if m[AT_ONCE] and not m[FREED] and not trims:
        if m[TRACKS] == EACH:
            bump_each(m)
        else:
            collect(m)
        flush_running(m)
        return
    settle(m)
    if m[TRACKS] == EACH:
        if m[PAIR]:
            _count_denied(m)
        flush_each(m)
    else:
        _flush_mask(m, collect(m))


@inner
def collect(m: Memory) -> int:
    """Moves the generations; returns where the mask that the design tracks begins."""
    if m[MOVES] and m[BY_REGION]:
        m[REGION_NOW] += 1
        m[BUMPS] += 1
    elif m[MOVES]:
        m[SHARED] += m[STEPS]
        m[BUMPS] += m[STEPS] * m[SHARERS]
    if m[TRACKS] == NOTHING:
        return m[ONLINE_MASK]
    if m[BY_REGION]:
        m[WORDS] += m[MASK_WORDS]
        return m[REGION_MASK]
    m[WORDS] += m[MASK_WORDS] * m[STEPS] * m[SHARERS]
    return m[UNION_MASK]


@inner
def _flush_mask(m: Memory, mask: int) -> None:
    """One round to everyone in the mask; the initiator does the same."""
    open_round(m)
    for at in range(m[MASK_WORDS]):
        word = m[mask + at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word &= word - 1
            if not _included(m, cpu):
                continue
            if cpu == m[INITIATOR]:
                act(m, cpu, NO_MM)
            else:
                add_target(m, cpu)
                interrupt(m, cpu, NO_MM)
    close_round(m)


@inner
def _included(m: Memory, cpu: int) -> bool:
    """Lazy CPUs are left out, and with a loaded-mm filter those without a sharer."""
    if m[FREED]:
        return True
    if m[TRACKS] == RUNNING and not runs_sharer(m, cpu):
        return False
    return m[EVERYTHING] == 1 or m[cpu_at(m, cpu) + LAZY] == 0


@inner
def _count_denied(m: Memory) -> None:
    """CPUs that run a sharer while its link to the shared table is cut."""
    for cpu in range(m[ONLINE_CPUS]):
        if runs_sharer(m, cpu) and not m[cpu_at(m, cpu) + LAZY]:
            m[DENIED] += 1


@inner
def _flush_holders(m: Memory) -> None:
    """The oracle: running CPUs that hold an outdated translation INVLPG every page."""
    open_round(m)
    for cpu in range(m[ONLINE_CPUS]):
        row = cpu_at(m, cpu)
        had = drop_pages(m, cpu, ALL_SLOTS, m[FIRST], m[END]) >> m[row + IN_USE] & 1
        if not had or m[row + LAZY] or not runs_sharer(m, cpu):
            continue
        m[PAGE_FLUSHES] += m[HULL]
        if cpu != m[INITIATOR]:
            add_target(m, cpu)
            m[SHARER_IPIS] += 1
            m[USEFUL] += 1
    close_round(m)
