"""What the compiled search would remember of a state of the plain machine.

Not a test: the tests of the reduction and of the search lean on it.
"""

from __future__ import annotations

import numpy as np

from mcost.checks.safety import state as st
from mcost.checks.safety.cpu import ORACLE
from mcost.checks.safety.names import canonical
from mcost.checks.safety.operation import settle
from mcost.checks.safety.plain.world import REGION, Machine, Operation
from mcost.checks.safety.program import as_array

__all__ = ["projected"]

_PHASE = {"": st.RUN, "back": st.BACK, "bit": st.BIT_SET, "read": st.GEN_READ}


def projected(m: Machine, rules: st.Rules, followed: int) -> int:
    """The state in which CPU ``followed`` is CPU 0, for the translation that ``rules`` follow."""
    order = [followed, *(c for c in range(rules.cpus) if c != followed)]
    cpu = m.cpus[followed]
    key = REGION if rules.region_mask else rules.sharer
    masks = [m.masks[0], m.masks[1], m.masks[REGION]]
    slot = cpu.slots[rules.sharer]
    s = 0
    for place, c in enumerate(order):
        s = st.put(s, st.WHERE + 4 * place, _where(m, rules, c, place == 0))
    s = st.put(s, st.MASK, sum(1 << k for k, mask in enumerate(masks) if followed in mask))
    s = st.put(s, st.MAPPED, sum(1 << p for p, version in m.pte.items() if version is not None))
    s = st.put(s, st.LINKED, sum(1 << mm for mm in m.linked))
    s = st.put(s, st.LEFT, m.left)
    s = st.put(s, st.ENTRY, _entry(m, slot.cached.get(rules.page), rules.page))
    s = st.put(s, st.BEHIND, min(3, m.generation[key] - slot.seen))
    for i, op in enumerate(m.operations):
        if op is not None:
            heard = rules.told != ORACLE or st.get(s, st.ENTRY) == st.CUT + i
            s |= _operation(m, rules, op, key, order, heard) << (st.FIRST_OP + i * st.OP_BITS)
    for i in range(rules.overlap):
        s = settle(np.int64(s), rules, as_array(m.program), i)
    return int(canonical(np.int64(s), rules))


def _where(m: Machine, rules: st.Rules, c: int, followed: bool) -> int:
    cpu = m.cpus[c]
    if cpu.mm is None or (cpu.lazy and not followed):
        return int(st.OTHER)
    if not followed:
        return int(st.PHASES * (cpu.mm if rules.told_apart else 0) + st.RUN)
    return int(st.PHASES * cpu.mm + (st.LAZY if cpu.lazy else _PHASE[cpu.switching]))


def _entry(m: Machine, version: int | None, page: int) -> int:
    if version is None:
        return int(st.ABSENT)
    if (page, version) in m.gone:
        return int(st.DEAD)
    for i, op in enumerate(m.operations):
        if op is not None and op.took.get(page) == version:
            return int(st.CUT + i)
    assert version == m.pte[page], "an outdated translation belongs to an operation"
    return int(st.LIVE)


def _operation(
    m: Machine, rules: st.Rules, op: Operation, key: int, order: list[int], heard: bool
) -> int:
    """An oracle tells a CPU for one translation's sake; for others' it is not ``heard``."""
    since = m.generation[key] - op.asked[key] if rules.page_wise and key in op.asked else 0
    span = {"usual": st.USUAL, "empty": st.EMPTY, "full": st.FULL}[op.span]
    if op.walked is not None and rules.sharer not in op.walked:
        span = st.MISSED
    s = st.put(0, st.PC, op.pc + 1)
    s = st.put(s, st.PAGES, sum(1 << page for page in op.pages))
    s = st.put(s, st.HOME, 0 if op.home is None else order.index(op.home) + 1)
    s = st.put(s, st.TODO, int(heard and order[0] in op.todo))
    s = st.put(s, st.WAIT, int(heard and order[0] in op.waiting))
    s = st.put(s, st.SINCE, min(3, since))
    return int(st.put(s, st.RANGE, int(span)))
