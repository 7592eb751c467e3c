"""Which steps the plain machine can take."""

from __future__ import annotations

from collections.abc import Iterator

from mcost.checks.safety.plain.told import selected
from mcost.checks.safety.plain.world import REGION, Machine, Operation, Step
from mcost.checks.safety.program import Op

__all__ = ["offers"]


def offers(m: Machine) -> Iterator[Step]:
    """Every step that can be taken now, in a fixed order."""
    for c in range(m.rules.cpus):
        yield from _interrupts(m, c)
        yield from _touches(m, c)
        if m.cpus[c].switching:
            action = "loaded" if m.cpus[c].switching == "read" else "read-generation"
            yield Step(action, c, _number(m.cpus[c].mm))
            continue
        yield from _trims(m, c)
        if not m.at_home(c):
            yield from _switches(m, c)
            yield from _faults(m, c)
    if m.rules.late and m.rules.sharer not in m.linked:
        yield Step("attach", -1, m.rules.sharer)
    yield from _operations(m)


def _number(mm: int | None) -> int:
    return -1 if mm is None else mm


def _interrupts(m: Machine, c: int) -> Iterator[Step]:
    records = False
    for i, op in enumerate(m.operations):
        if op is None or c not in op.waiting:
            continue
        if m.rules.records and not m.goes_to_lazy(op):
            records = True
        elif m.rules.hardware or not m.cpus[c].switching:
            yield Step("handle", c, i)
    if records and not m.cpus[c].switching:
        yield Step("tick", c)


def _touches(m: Machine, c: int) -> Iterator[Step]:
    mm = m.cpus[c].mm
    if mm is None or mm not in m.linked:
        return
    for page, version in m.pte.items():
        if version is not None and page not in m.cpus[c].slots[mm].cached and m.usable(c, page):
            yield Step("touch", c, page)


def _trims(m: Machine, c: int) -> Iterator[Step]:
    cpu = m.cpus[c]
    for key in (0, 1, REGION):
        in_use = cpu.mm is not None and key in (cpu.mm, REGION)
        spared = in_use and not (m.rules.trim_lazy and cpu.lazy)
        if m.rules.lazy_masks and c in m.masks[key] and not spared:
            yield Step("trim", c, key)


def _switches(m: Machine, c: int) -> Iterator[Step]:
    cpu = m.cpus[c]
    for mm in (0, 1):
        if mm != cpu.mm or cpu.lazy:
            yield Step("switch", c, mm)
    if cpu.mm is not None:
        yield Step("leave", c)
    if cpu.running:
        yield Step("lazy", c, _number(cpu.mm))


def _faults(m: Machine, c: int) -> Iterator[Step]:
    cpu = m.cpus[c]
    if not cpu.running or cpu.mm is None:
        return
    if cpu.mm not in m.linked:
        between = any(op is not None and op.pc <= m.rules.pair_end for op in m.operations)
        if m.rules.pair_end and not between:
            yield Step("relink", c, cpu.mm)
        return
    for page, version in m.pte.items():
        if version is None and page not in cpu.slots[cpu.mm].cached:
            yield Step("fault", c, page)


def _operations(m: Machine) -> Iterator[Step]:
    idle = [i for i, op in enumerate(m.operations) if op is None]
    if m.left and idle:
        for pages in (1, 2, 3):
            mapped = all(m.pte[page] is not None for page in (0, 1) if pages >> page & 1)
            if mapped and m.rules.sets >> pages & 1:
                yield Step("begin", -1, idle[0], pages)
    for i, op in enumerate(m.operations):
        if op is not None:
            yield from _next(m, i, op)


def _next(m: Machine, i: int, op: Operation) -> Iterator[Step]:
    """Next steps of an operation: one, or one a CPU."""
    kind, mm, _ = m.program[op.pc]
    home = _number(op.home)
    if kind == Op.BIND:
        for c, cpu in enumerate(m.cpus):
            if not cpu.switching and not m.at_home(c):
                yield Step("execute", c, i, op.pc)
    elif kind == Op.SEND:
        for c in sorted(op.todo - {home}):
            yield Step("send" if selected(m, op, mm, c) else "skip", home, i, c)
    elif kind != Op.WAIT:
        yield Step("execute", home, i, op.pc)
