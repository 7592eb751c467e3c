"""What the steps of the plain machine do."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from mcost.checks.safety import cpu as codes
from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.told import leave, selected, told
from mcost.checks.safety.plain.world import REGION, TABLE, Machine, Operation, Step
from mcost.checks.safety.program import ALWAYS, Instruction, Op
from mcost.checks.safety.state import EMPTY

__all__ = ["Impossible", "after"]


class Impossible(ValueError):
    """A step that the machine does not offer."""


def after(m: Machine, step: Step) -> Machine:
    """The machine after a step; ``m`` stays as it is.

    Raises:
        Impossible: the step is not among the offers.
    """
    if step not in offers(m):
        raise Impossible(f"{step} cannot be taken now: must be one of the steps on offer")
    shared = {id(m.rules): m.rules, id(m.program): m.program}
    new = deepcopy(m, shared)
    _ACTIONS[step.action](new, step)
    return new


def _switch(m: Machine, step: Step) -> None:
    cpu = m.cpus[step.cpu]
    _sweep(m, step.cpu)
    if cpu.mm == step.what:
        cpu.lazy, cpu.switching = False, "back"
    else:
        leave(m, step.cpu, step.what)
        if m.rules.mm_masks:
            m.masks[step.what].add(step.cpu)
        if m.rules.region_mask:
            m.masks[REGION].add(step.cpu)
        cpu.switching = "bit"


def _read_generation(m: Machine, step: Step) -> None:
    cpu = m.cpus[step.cpu]
    cpu.switching = "read" if cpu.switching == "bit" else ""
    slot = cpu.slots[step.what]
    now = m.generation[REGION if m.rules.told == codes.REGION else step.what]
    if slot.seen != now and not m.rules.blind:
        slot.cached.clear()
        slot.seen = now


def _loaded(m: Machine, step: Step) -> None:
    m.cpus[step.cpu].switching = ""


def _leave(m: Machine, step: Step) -> None:
    _sweep(m, step.cpu)
    leave(m, step.cpu, None)


def _lazy(m: Machine, step: Step) -> None:
    _sweep(m, step.cpu)
    m.cpus[step.cpu].lazy = True


def _touch(m: Machine, step: Step) -> None:
    cpu, version = m.cpus[step.cpu], m.pte[step.what]
    if cpu.mm is not None and version is not None:
        cpu.slots[cpu.mm].cached[step.what] = version


def _fault(m: Machine, step: Step) -> None:
    for page in (step.what, TABLE) if m.rules.tables else (step.what,):
        if m.pte[page] is None:
            m.newest[page] += 1
            m.pte[page] = m.newest[page]


def _link(m: Machine, step: Step) -> None:
    m.linked.add(step.what)


def _tick(m: Machine, step: Step) -> None:
    _sweep(m, step.cpu)


def _sweep(m: Machine, c: int) -> None:
    for i, op in enumerate(m.operations):
        if m.rules.records and op is not None and c in op.waiting and not m.goes_to_lazy(op):
            told(m, op, -1, c)
            op.waiting.discard(c)
            _settle(m, i)


def _trim(m: Machine, step: Step) -> None:
    m.masks[step.what].discard(step.cpu)


def _operation(m: Machine, i: int) -> Operation:
    op = m.operations[i]
    if op is None:
        raise Impossible(f"operation {i} is not in flight")
    return op


def _handle(m: Machine, step: Step) -> None:
    op = _operation(m, step.what)
    told(m, op, m.program[op.pc].mm, step.cpu)
    op.waiting.discard(step.cpu)
    _settle(m, step.what)


def _begin(m: Machine, step: Step) -> None:
    m.left -= 1
    pages = frozenset(page for page in (0, 1) if step.which >> page & 1)
    m.operations[step.what] = Operation(pages)
    _settle(m, step.what)
    _execute(m, step)


def _send(m: Machine, step: Step) -> None:
    op = _operation(m, step.what)
    op.todo.discard(step.which)
    if step.action == "send":
        op.waiting.add(step.which)
    _settle(m, step.what)


def _execute(m: Machine, step: Step) -> None:
    op = _operation(m, step.what)
    instruction = m.program[op.pc]
    if instruction.op == Op.BIND:
        op.home = step.cpu
    else:
        _INSTRUCTIONS[instruction.op](m, op, instruction)
    op.pc += 1
    _settle(m, step.what)


def _settle(m: Machine, i: int) -> None:
    """Past what does not apply, has nobody left to look at, or need not wait; to the end."""
    op = _operation(m, i)
    while op.pc < len(m.program) and _over(m, op, m.program[op.pc]):
        if m.program[op.pc].op == Op.UNBIND:
            op.home = None
        op.pc += 1
    if op.pc == len(m.program):
        m.operations[i] = None


def _over(m: Machine, op: Operation, instruction: Instruction) -> bool:
    kind, mm, _ = instruction
    if not instruction.applies(op.pages, m.frees_tables(op)):
        return True
    unlisted = op.walked is not None and mm not in op.walked
    return {
        Op.SEND: not op.todo - {op.home},
        Op.LOCAL: op.home not in op.todo,
        Op.WAIT: not op.waiting,
        Op.BUMP: unlisted,
        Op.READ: unlisted,
        Op.UNBIND: True,
    }.get(kind, False)


def _clear(m: Machine, op: Operation, instruction: Instruction) -> None:
    for page in op.pages if instruction.when == ALWAYS else (instruction.when,):
        version = m.pte[page]
        if version is not None:
            op.took[page] = version
            m.pte[page] = None
            if m.rules.protect:
                m.newest[page] += 1
                m.pte[page] = m.newest[page]


def _bump(m: Machine, op: Operation, instruction: Instruction) -> None:
    loaded = any(cpu.mm == instruction.mm for cpu in m.cpus)
    if instruction.op == Op.BUMP or loaded:
        m.generation[instruction.mm] += 1
        op.asked[instruction.mm] = m.generation[instruction.mm]


def _read(m: Machine, op: Operation, instruction: Instruction) -> None:
    op.todo |= m.masks[instruction.mm]


def _all(m: Machine, op: Operation, _: Instruction) -> None:
    op.todo |= set(range(m.rules.cpus))


def _holders(m: Machine, op: Operation, _: Instruction) -> None:
    for c, cpu in enumerate(m.cpus):
        for mm, slot in enumerate(cpu.slots):
            for page, version in op.took.items():
                if slot.cached.get(page) != version:
                    continue
                if cpu.running and cpu.mm == mm:
                    op.todo.add(c)
                else:
                    del slot.cached[page]


def _list(m: Machine, op: Operation, _: Instruction) -> None:
    op.walked = frozenset(m.linked)


def _nested(m: Machine, op: Operation, _: Instruction) -> None:
    if sum(other is not None for other in m.operations) > 1:
        op.span = "empty" if m.rules.nested == EMPTY else "full"


def _local(m: Machine, op: Operation, instruction: Instruction) -> None:
    if op.home is not None and selected(m, op, instruction.mm, op.home):
        told(m, op, instruction.mm, op.home)
    op.todo -= {op.home}


def _broadcast(m: Machine, op: Operation, _: Instruction) -> None:
    op.waiting = set(range(m.rules.cpus))


def _record(m: Machine, op: Operation, _: Instruction) -> None:
    op.waiting |= {c for c in op.todo - {op.home} if selected(m, op, -1, c)}
    op.todo = set()


def _unlink(m: Machine, _: Operation, instruction: Instruction) -> None:
    m.linked.discard(instruction.mm)


def _free(m: Machine, op: Operation, _: Instruction) -> None:
    m.gone |= set(op.took.items())


def _nothing(*_: object) -> None:
    pass


_ACTIONS: dict[str, Callable[[Machine, Step], None]] = {
    "switch": _switch,
    "read-generation": _read_generation,
    "loaded": _loaded,
    "leave": _leave,
    "lazy": _lazy,
    "touch": _touch,
    "fault": _fault,
    "relink": _link,
    "attach": _link,
    "tick": _tick,
    "trim": _trim,
    "handle": _handle,
    "begin": _begin,
    "execute": _execute,
    "send": _send,
    "skip": _send,
}

_INSTRUCTIONS: dict[Op, Callable[[Machine, Operation, Instruction], None]] = {
    Op.CLEAR: _clear,
    Op.BUMP: _bump,
    Op.BUMP_LOADED: _bump,
    Op.READ: _read,
    Op.ALL: _all,
    Op.HOLDERS: _holders,
    Op.LIST: _list,
    Op.NESTED: _nested,
    Op.LOCAL: _local,
    Op.BROADCAST: _broadcast,
    Op.RECORD: _record,
    Op.UNLINK: _unlink,
    Op.FREE: _free,
    Op.START: _nothing,
    Op.END: _nothing,
    Op.NOTHING: _nothing,
}
