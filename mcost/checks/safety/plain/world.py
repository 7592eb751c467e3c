"""What the plain machine remembers."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcost.checks.safety.program import REGION_MM, Program
from mcost.checks.safety.state import Rules

__all__ = ["REGION", "TABLE", "Cpu", "Machine", "Operation", "Slot", "Step", "start"]

REGION = REGION_MM
"""Key of the region's mask and generation, beside sharers 0 and 1."""

TABLE = 1
"""Page that stands for a page table in the worlds where tables are freed."""


@dataclass(frozen=True, order=True)
class Step:
    """One step.

    Attributes:
        action: one of ``moves.ACTIONS``, or ``use``.
        cpu: CPU that takes it, -1 for none in particular.
        what: sharer, page or operation it is about, -1 for none.
        which: instruction, pages (of ``begin``) or target (of ``send`` and ``skip``).
    """

    action: str
    cpu: int = -1
    what: int = -1
    which: int = -1


@dataclass
class Slot:
    """One ASID slot.

    Attributes:
        seen: generation it was last brought up to.
        cached: version of each cached page.
    """

    seen: int = 0
    cached: dict[int, int] = field(default_factory=dict)


@dataclass
class Cpu:
    """One CPU.

    Attributes:
        mm: sharer loaded or being switched to, None for a bystander or none.
        lazy: a kernel thread runs over it.
        switching: how far switch_mm_irqs_off is, IRQs off: ``""`` not inside, ``"back"`` no
            longer lazy, ``"bit"`` the mask's bit is set, ``"read"`` so is the generation read.
        slots: one per sharer.
    """

    mm: int | None = None
    lazy: bool = False
    switching: str = ""
    slots: tuple[Slot, Slot] = field(default_factory=lambda: (Slot(), Slot()))

    @property
    def running(self) -> bool:
        """Whether user code of a sharer runs."""
        return self.mm is not None and not self.lazy and not self.switching


@dataclass
class Operation:
    """An operation in flight.

    Attributes:
        pages: what it changes.
        pc: next instruction.
        home: CPU that its flush runs on.
        todo, waiting: CPUs still to be looked at; CPUs that have not acknowledged.
        asked: generation of its own request, by sharer or region.
        span: ``usual``, ``empty`` or ``full``.
        walked: the list of sharers taken ahead of time; None when it looks each time.
        took: version of each page that it made outdated.
    """

    pages: frozenset[int]
    pc: int = 0
    home: int | None = None
    todo: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    asked: dict[int, int] = field(default_factory=dict)
    span: str = "usual"
    walked: frozenset[int] | None = None
    took: dict[int, int] = field(default_factory=dict)


@dataclass
class Machine:
    """The small world.

    Attributes:
        rules, program: as given to the search.
        cpus: the CPUs.
        left: operations that may still begin.
        linked: sharers whose tables lead to the shared one.
        operations: places for those in flight.
        masks, generation: by sharer and region.
        pte: version mapped, by page, None when there is none.
        newest: last version there was, by page.
        gone: (page, version) that were let go.
    """

    rules: Rules
    program: Program
    cpus: list[Cpu]
    left: int
    linked: set[int]
    operations: list[Operation | None]
    masks: dict[int, set[int]] = field(default_factory=lambda: {m: set() for m in (0, 1, REGION)})
    generation: dict[int, int] = field(default_factory=lambda: dict.fromkeys((0, 1, REGION), 0))
    pte: dict[int, int | None] = field(default_factory=lambda: {0: 0, 1: 0})
    newest: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    gone: set[tuple[int, int]] = field(default_factory=set)

    def at_home(self, cpu: int) -> bool:
        """Whether the CPU is inside a flush of its own."""
        return any(op is not None and op.home == cpu for op in self.operations)

    def frees_tables(self, op: Operation) -> bool:
        """Whether the operation frees a page table."""
        return bool(self.rules.tables) and TABLE in op.pages

    def goes_to_lazy(self, op: Operation) -> bool:
        """Whether its flush goes as for freed page tables."""
        return bool(self.rules.all_tables) or op.span == "full" or self.frees_tables(op)

    def usable(self, cpu: int, page: int) -> bool:
        """Whether the CPU may use a translation of the page with what it has loaded."""
        one = self.cpus[cpu]
        if self.rules.tables and page == TABLE:
            return one.mm is not None and not one.switching
        return one.running and not self.at_home(cpu)

    def stale_uses(self) -> list[Step]:
        """Uses of translations that were let go, possible now."""
        return [
            Step("use", c, page)
            for c, cpu in enumerate(self.cpus)
            if cpu.mm is not None
            for page, version in sorted(cpu.slots[cpu.mm].cached.items())
            if (page, version) in self.gone and self.usable(c, page)
        ]


def start(rules: Rules, program: Program) -> Machine:
    """The world before anything happens: nothing loaded or cached, both pages mapped."""
    return Machine(
        rules,
        program,
        cpus=[Cpu() for _ in range(rules.cpus)],
        left=rules.operations,
        linked={0, 1} - ({rules.sharer} if rules.late else set()),
        operations=[None] * rules.overlap,
    )
