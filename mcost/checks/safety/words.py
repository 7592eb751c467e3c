"""Steps in words: what happens, and what has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mcost.checks.safety.plain.told import selected
from mcost.checks.safety.plain.world import REGION, Machine, Step
from mcost.checks.safety.program import Instruction, Op

__all__ = ["changes", "sentence"]

NAMES = {0: "A", 1: "B", REGION: "the region", -1: "nobody"}

INSTRUCTIONS: dict[Op, str] = {
    Op.CLEAR: "clears the PTE of {pages}",
    Op.NOTHING: "flush_tlb_mm_range(host): its mm_cpumask is empty, return",
    Op.BUMP: "raises the generation of {mm}",
    Op.BUMP_LOADED: "raises the generation of {mm}, if some CPU has it loaded",
    Op.READ: "reads the mask of {mm}",
    Op.ALL: "picks all online CPUs",
    Op.HOLDERS: "asks the oracle who holds an outdated translation",
    Op.LIST: "walks the list of sharers, to tell them later",
    Op.NESTED: "checks for overlapping operations (mm_tlb_flush_nested)",
    Op.BIND: "get_cpu: the flush runs here",
    Op.LOCAL: "flushes its own TLB",
    Op.BROADCAST: "broadcasts the invalidation of {pages}{of_mm}",
    Op.RECORD: "leaves a record for the CPUs in the mask",
    Op.UNLINK: "unlinks the shared table from {mm}",
    Op.START: "invalidate_range_start",
    Op.END: "invalidate_range_end",
    Op.FREE: "frees {pages}",
}
"""What each instruction of an operation does; SEND, WAIT and UNBIND have no step so named."""

RETURNS = "returns: the old permission of {pages} is gone for the caller"


def sentence(m: Machine, step: Step, words: Mapping[Op, str] | None = None) -> str:
    """The step that ``m`` is about to take, in words.

    Args:
        m: the machine before the step.
        step: one that it offers, or a ``use``.
        words: for instructions that are called something else here.
    """
    if step.action == "begin":
        pages = frozenset(page for page in (0, 1) if step.which >> page & 1)
        first = next(s for s in m.program if s.applies(pages, bool(m.rules.tables) and 1 in pages))
        return f"operation {step.what + 1} begins: " + _instruction(m, first, pages, words)
    if step.action in ("execute", "send", "skip"):
        return f"operation {step.what + 1}: " + _of_operation(m, step, words)
    return _of_cpu(m, step)


def _of_operation(m: Machine, step: Step, words: Mapping[Op, str] | None) -> str:
    op = m.operations[step.what]
    if op is None:
        raise ValueError(f"{step}: operation {step.what} is not in flight, must be one that is")
    instruction = m.program[op.pc]
    if step.action == "send":
        return f"interrupts CPU {step.which}"
    if step.action == "skip":
        return f"passes over CPU {step.which}, {_unheard(m, step.which)}"
    if instruction.op == Op.LOCAL and not selected(m, op, instruction.mm, step.cpu):
        return f"leaves its own TLB alone, {_unheard(m, step.cpu)}"
    return _instruction(m, instruction, op.pages, words)


def _unheard(m: Machine, c: int) -> str:
    """Why a CPU in the mask is not interrupted."""
    cpu = m.cpus[c]
    if cpu.switching in ("bit", "read"):
        return "which is inside switch_mm"
    return "which is lazy" if cpu.lazy else "which has another mm loaded"


def _instruction(
    m: Machine, step: Instruction, pages: frozenset[int], words: Mapping[Op, str] | None
) -> str:
    usual = RETURNS if step.op == Op.FREE and m.rules.protect else INSTRUCTIONS[step.op]
    if step.op == Op.CLEAR and m.rules.protect:
        usual = "takes a permission out of the PTE of {pages}"
    touched = pages if step.when not in (0, 1) else frozenset({step.when})
    return (
        (words or {})
        .get(step.op, usual)
        .format(
            pages=_pages(m, touched),
            mm=NAMES[step.mm],
            of_mm="" if step.mm < 0 else f" for the ASID of {NAMES[step.mm]}",
        )
    )


def _pages(m: Machine, pages: frozenset[int]) -> str:
    return " and ".join(_page(m, page) for page in sorted(pages))


def _page(m: Machine, page: int) -> str:
    return "the page table" if m.rules.tables and page == 1 else f"page {page}"


def _of_cpu(m: Machine, step: Step) -> str:
    cpu = m.cpus[step.cpu]
    name = NAMES.get(step.what, "")
    moved = NAMES[REGION] if m.rules.region_mask else name
    arrives = "the broadcast" if m.rules.hardware else "the interrupt"
    if step.action == "switch" and cpu.lazy and cpu.mm == step.what:
        return f"leaves lazy mode for {name}"
    if step.action == "use":
        gone = "whose permission was taken" if m.rules.protect else "which was freed"
        how = "walks speculatively through" if m.rules.tables and step.what == 1 else "uses"
        return f"{how} its cached translation of {_page(m, step.what)}, {gone}: violation"
    return {
        "switch": f"begins to switch to {name}: LOADED_MM_SWITCHING, mask bits",
        "read-generation": f"reads the generation of {moved}",
        "loaded": f"writes CR3 and loaded_mm: {name} runs",
        "leave": "switches to a bystander",
        "lazy": f"runs a kernel thread, {name} stays loaded (enter_lazy_tlb)",
        "touch": f"walks to {_page(m, step.what)} for {NAMES[-1 if cpu.mm is None else cpu.mm]}",
        "fault": f"faults in {_page(m, step.what)}",
        "relink": f"faults: the shared table is linked to {name} again",
        "tick": "timer tick: sweeps the records left for it",
        "trim": f"its bit in the mask of {name} is trimmed",
        "handle": f"takes {arrives} of operation {step.what + 1} and acknowledges",
        "attach": f"{name} attaches to the region",
    }[step.action]


def changes(before: Machine, after: Machine) -> str:
    """What a step changed, in the words of the kernel; empty for nothing worth a word."""
    return "; ".join(
        [*_of_tables(before, after), *_of_masks(before, after), *_of_tlbs(before, after)]
    )


def _of_tables(before: Machine, after: Machine) -> Iterator[str]:
    for page, version in after.pte.items():
        if version != before.pte[page]:
            name = _page(after, page)
            yield f"{name} unmapped" if version is None else f"{name} now version {version}"
    for page, version in sorted(after.gone - before.gone):
        yield f"version {version} of {_page(after, page)} let go"


def _of_masks(before: Machine, after: Machine) -> Iterator[str]:
    for key in (0, 1, REGION):
        if after.masks[key] != before.masks[key]:
            yield f"mask of {NAMES[key]} = {sorted(after.masks[key])}"
        if after.generation[key] != before.generation[key]:
            yield f"generation of {NAMES[key]} = {after.generation[key]}"


def _of_tlbs(before: Machine, after: Machine) -> Iterator[str]:
    for c, (old, new) in enumerate(zip(before.cpus, after.cpus, strict=True)):
        for mm in (0, 1):
            was, now = old.slots[mm], new.slots[mm]
            for page in sorted(now.cached.keys() - was.cached.keys()):
                version = now.cached[page]
                yield f"CPU {c} caches {_page(after, page)} for {NAMES[mm]}, version {version}"
            for page in sorted(was.cached.keys() - now.cached.keys()):
                yield f"CPU {c} drops {_page(after, page)} of {NAMES[mm]}"
            if now.seen != was.seen:
                yield f"CPU {c}: slot of {NAMES[mm]} at generation {now.seen}"
