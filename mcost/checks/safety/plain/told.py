"""Who is interrupted, and what a told CPU does (KF 1.3, 1.4, 2.1)."""

from __future__ import annotations

from mcost.checks.safety import cpu as codes
from mcost.checks.safety.plain.world import REGION, Cpu, Machine, Operation

__all__ = ["leave", "selected", "told"]


def selected(m: Machine, op: Operation, mm: int, c: int) -> bool:
    """should_flush_tlb, asked about CPU c now."""
    who, cpu = m.rules.filter, m.cpus[c]
    everyone = m.goes_to_lazy(op)
    if who == codes.EVERYONE or (everyone and not m.rules.skip_lazy):
        return True
    if cpu.lazy:
        return False
    if who == codes.ANY or everyone:
        return True
    if cpu.switching in ("bit", "read"):
        return not m.rules.no_switching
    return cpu.mm == mm if who == codes.NAMED else cpu.mm is not None


def told(m: Machine, op: Operation, mm: int, c: int) -> None:
    """CPU c carries out the operation's flush, of sharer mm where one is named."""
    slots = m.cpus[c].slots
    kind = m.rules.told
    if kind >= codes.NAMED_MM:
        _flush_func(m, op, mm, c)
    elif kind == codes.EVERYTHING:
        for slot in slots:
            slot.cached.clear()
    elif kind == codes.ORACLE:
        for slot in slots:
            for page, version in op.took.items():
                if slot.cached.get(page) == version:
                    del slot.cached[page]
    else:
        for owner in (0, 1) if kind == codes.ADDRESS else (mm,):
            _drop_range(m, op, owner, slots[owner].cached)


def _drop_range(m: Machine, op: Operation, owner: int, cached: dict[int, int]) -> None:
    """Drops what the range holds; a sharer may map the region at other addresses."""
    if op.span == "empty":
        return
    if op.span == "full" or len(op.pages) > 1:
        cached.clear()
        return
    shift = m.rules.shift if owner == m.rules.sharer else 0
    for page in list(cached):
        if page + shift in op.pages:
            del cached[page]


def _flush_func(m: Machine, op: Operation, mm: int, c: int) -> None:
    cpu = m.cpus[c]
    if m.rules.told == codes.NAMED_MM and cpu.mm != mm:
        if m.rules.lazy_masks:
            m.masks[mm].discard(c)
    elif cpu.mm is None:
        if m.rules.told == codes.REGION and m.rules.lazy_masks:
            m.masks[REGION].discard(c)
    elif cpu.lazy:
        leave(m, c, None)
    else:
        _catch_up(m, op, cpu, cpu.mm)


def _catch_up(m: Machine, op: Operation, cpu: Cpu, mm: int) -> None:
    key = REGION if m.rules.told == codes.REGION else mm
    slot, now = cpu.slots[mm], m.generation[key]
    if not m.rules.blind:
        aged = m.rules.page_wise and not m.rules.ageless
        if slot.seen == now or (aged and op.asked[key] <= slot.seen):
            return
    small = op.span == "empty" or (op.span == "usual" and len(op.pages) == 1)
    if m.rules.page_wise and small and now == slot.seen + 1:
        _drop_range(m, op, mm, slot.cached)
    else:
        slot.cached.clear()
    slot.seen = now


def leave(m: Machine, c: int, following: int | None) -> None:
    """CPU c stops using what it has loaded; ``following`` is what comes next."""
    cpu = m.cpus[c]
    if cpu.mm is not None and not m.rules.lazy_masks:
        m.masks[cpu.mm].discard(c)
        if following is None:
            m.masks[REGION].discard(c)
    cpu.mm, cpu.lazy = following, False
