"""One flush event of each design: who is told, in what order.

Source: flush_tlb_mm_range, native_flush_tlb_multi and should_flush_tlb, arch/x86/mm/tlb.c,
Linux 6.12 and 6.15 (KF 1.1, 1.3); arch_tlbbatch_flush (KF 3); flush_tlb_all (KF 7).
"""

from __future__ import annotations

from numba import njit

from mcost.simulator.codes import (
    BUMPS,
    DENIED,
    EACH,
    HOLDERS,
    NOTHING,
    PAGE_FLUSHES,
    REGION,
    RUNNING,
    SHARER_IPIS,
    UNION,
    USEFUL,
    WORDS,
    Rules,
)
from mcost.simulator.masks import any_other, copy_words, lowest, set_bit, test_bit, without_lowest
from mcost.simulator.state import (
    LAZY,
    LOADED,
    NEXT_TRIM,
    ORDER,
    REGION_MASK,
    REGION_NOW,
    SECOND,
    SHARER,
    SHARERS,
    TARGET,
    TLB_GEN,
    Machine,
)
from mcost.simulator.tlb import forget_outdated
from mcost.simulator.told import Event, act, close_round, interrupt

__all__ = ["collect", "flush_by_ipi", "flush_mm"]


@njit(cache=True, _nrt=False)
def flush_by_ipi(m: Machine, r: Rules, e: Event) -> None:
    """One flush event of a design that sends IPIs, by what it tracks."""
    if r.tracks == HOLDERS:
        _flush_holders(m, r, e)
    elif r.tracks == EACH:
        if r.pair:
            _count_denied(m, r)
        for at in range(m.scalar[SHARERS]):
            flush_mm(m, r, m.mm[at, ORDER], e, e.bumps if r.bumps else 0)
    else:
        collect(m, r, e)
        _flush_collected(m, r, e)


@njit(cache=True, _nrt=False)
def flush_mm(m: Machine, r: Rules, mm: int, e: Event, bumps: int) -> None:
    """Flush of one mm (model.md section 5): flush_tlb_mm_range."""
    m.counts[WORDS] += r.words
    m.mm[mm, TLB_GEN] += bumps
    m.counts[BUMPS] += bumps
    copy_words(m.mask[TARGET], m.mask[mm])
    if any_other(m.mask[TARGET], e.cpu):
        trim = r.lazy_masks and e.now > m.mm[mm, NEXT_TRIM]
        if trim:
            m.mm[mm, NEXT_TRIM] = e.now + SECOND
        targets, clusters, last = 0, 0, -1
        for at in range(r.words):
            word = m.mask[TARGET, at]
            while word != 0:
                cpu = at * 64 + lowest(word)
                word = without_lowest(word)
                if cpu == e.cpu or not _selected(m, cpu, mm, trim, e.freed):
                    continue
                interrupt(m, r, cpu, mm, e)
                targets += 1
                clusters += cpu // r.cluster != last
                last = cpu // r.cluster
        close_round(m, r, targets, clusters)
        # smp_call_function_many_cond (kernel/smp.c) asks the filter for the caller too.
        if test_bit(m.mask[TARGET], e.cpu) and _selected(m, e.cpu, mm, trim, e.freed):
            act(m, r, e.cpu, mm, e)
    elif m.cpu[e.cpu, LOADED] == mm:
        act(m, r, e.cpu, mm, e)


@njit(cache=True, _nrt=False)
def _selected(m: Machine, cpu: int, mm: int, trim: bool, freed: bool) -> bool:
    """should_flush_tlb: loaded_mm is this one; a trimming flush takes any other too."""
    if freed:
        return True
    return not m.cpu[cpu, LAZY] and (m.cpu[cpu, LOADED] == mm or trim)


@njit(cache=True, _nrt=False)
def collect(m: Machine, r: Rules, e: Event) -> None:
    """Moves the generations and puts the mask the design tracks into ``m.mask[TARGET]``."""
    m.mask[TARGET, :] = 0
    if r.bumps and r.tracks == REGION:
        m.scalar[REGION_NOW] += 1
        m.counts[BUMPS] += 1
    elif r.bumps:
        for at in range(m.scalar[SHARERS]):
            m.mm[m.mm[at, ORDER], TLB_GEN] += e.bumps
        m.counts[BUMPS] += e.bumps * m.scalar[SHARERS]
    if r.tracks == NOTHING:
        for cpu in range(r.cpus):
            set_bit(m.mask[TARGET], cpu)
    elif r.tracks == REGION:
        copy_words(m.mask[TARGET], m.mask[REGION_MASK])
        m.counts[WORDS] += r.words
    elif r.tracks in (UNION, RUNNING):
        for at in range(m.scalar[SHARERS]):
            for place in range(r.words):
                m.mask[TARGET, place] |= m.mask[m.mm[at, ORDER], place]
        m.counts[WORDS] += r.words * e.bumps * m.scalar[SHARERS]


@njit(cache=True, _nrt=False)
def _flush_collected(m: Machine, r: Rules, e: Event) -> None:
    """One round to everyone in ``m.mask[TARGET]``; the initiator does the same."""
    targets, clusters, last = 0, 0, -1
    for at in range(r.words):
        word = m.mask[TARGET, at]
        while word != 0:
            cpu = at * 64 + lowest(word)
            word = without_lowest(word)
            if not _included(m, r, cpu, e.freed):
                continue
            if cpu == e.cpu:
                act(m, r, cpu, -1, e)
                continue
            interrupt(m, r, cpu, -1, e)
            targets += 1
            clusters += cpu // r.cluster != last
            last = cpu // r.cluster
    close_round(m, r, targets, clusters)


@njit(cache=True, _nrt=False)
def _included(m: Machine, r: Rules, cpu: int, freed: bool) -> bool:
    """Lazy CPUs are left out, and with a loaded-mm filter those without a sharer."""
    if freed:
        return True
    if r.tracks == RUNNING:
        loaded = m.cpu[cpu, LOADED]
        if loaded < 0 or not m.mm[loaded, SHARER]:
            return False
    return r.everything == 1 or not m.cpu[cpu, LAZY]


@njit(cache=True, _nrt=False)
def _count_denied(m: Machine, r: Rules) -> None:
    """CPUs that run a sharer while its link to the shared table is cut."""
    for cpu in range(r.cpus):
        loaded = m.cpu[cpu, LOADED]
        if loaded >= 0 and not m.cpu[cpu, LAZY] and m.mm[loaded, SHARER]:
            m.counts[DENIED] += 1


@njit(cache=True, _nrt=False)
def _flush_holders(m: Machine, r: Rules, e: Event) -> None:
    """The oracle: running CPUs that hold an outdated translation INVLPG every page."""
    targets, clusters, last = 0, 0, -1
    for cpu in range(r.cpus):
        had = forget_outdated(m, r, cpu, e.first, e.end)
        loaded = m.cpu[cpu, LOADED]
        if not had or loaded < 0 or m.cpu[cpu, LAZY] or not m.mm[loaded, SHARER]:
            continue
        m.counts[PAGE_FLUSHES] += e.pages
        if cpu != e.cpu:
            m.counts[SHARER_IPIS] += 1
            m.counts[USEFUL] += 1
            targets += 1
            clusters += cpu // r.cluster != last
            last = cpu // r.cluster
    close_round(m, r, targets, clusters)
