"""Seeded bugs: each a small edit of a design, which the search has to catch.

The first thirteen were made, or nearly made, in the series and in the kernel code beside it.
The others show that the steps are fine enough: three orderings that the kernel relies on, and
a rule that is sound only while operations do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mcost.checks.safety.program import CLEAR, FREE, Instruction, Op, Program
from mcost.checks.safety.state import EMPTY
from mcost.checks.safety.worlds import World, small_world
from mcost.spec.designs import Design, design

__all__ = ["MUTANTS", "Mutant"]

Edit = Callable[[Program], Program]


def _free_before_flush(steps: Program) -> Program:
    rest = tuple(step for step in steps if step != FREE)
    at = [step.op for step in rest].index(Op.BIND)
    return (*rest[:at], FREE, *rest[at:])


def _unlock_then_free(steps: Program) -> Program:
    rest = tuple(step for step in steps if step not in (CLEAR, FREE))
    return (CLEAR, Instruction(Op.NOTHING), FREE, *rest)


def _renamed(names: Mapping[Op, Op]) -> Edit:
    def edit(steps: Program) -> Program:
        return tuple(step._replace(op=names.get(step.op, step.op)) for step in steps)

    return edit


def _without(op: Op) -> Edit:
    def edit(steps: Program) -> Program:
        return tuple(step for step in steps if step.op != op)

    return edit


def _walk_first(steps: Program) -> Program:
    return (Instruction(Op.LIST), *steps)


def _check_nesting(steps: Program) -> Program:
    return (CLEAR, Instruction(Op.NESTED), *steps[1:])


@dataclass(frozen=True)
class Mutant:
    """One seeded bug.

    Attributes:
        name: as in reports.
        bug: what is wrong, one line.
        source: where the bug was made, found or warned of.
        base: name of the design that is edited.
        edit: what happens to the steps of an operation.
        rules: rules that differ, by name.
        setting: rules that differ in the sound twin as well.
        kind, masks: the world, see ``worlds``.
        words: what instructions are called here, where the usual words would mislead.
        simulated: the design value with which the simulator, whose operations happen all at
            once, can show the bug; None when it takes two things at the same time.
    """

    name: str
    bug: str
    source: str
    base: str
    edit: Edit = tuple
    rules: Mapping[str, int] = field(default_factory=dict)
    setting: Mapping[str, int] = field(default_factory=dict)
    kind: str = "pages"
    masks: str = "eager"
    words: Mapping[Op, str] = field(default_factory=dict)
    simulated: Design | None = None

    def world(self, cpus: int) -> World:
        """The world with the bug in it."""
        sound = self.twin(cpus)
        rules = sound.rules._replace(**self.rules)
        return replace(sound, rules=rules, program=self.edit(sound.program))

    def twin(self, cpus: int) -> World:
        """The same world without the bug."""
        sound = small_world(design(self.base), self.kind, self.masks, cpus=cpus)
        return replace(sound, rules=sound.rules._replace(**self.setting))


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "host-mm-mask",
        "only the host mm is flushed, whose mm_cpumask is empty",
        "mshare RFC v3, 2024 (KF 6.3)",
        "host-mm",
        simulated=design("host-mm"),
    ),
    Mutant(
        "nested-empty-range",
        "a nested flush hands the notifier (~0, ~0)",
        "J. Horn, 2022-09-23: tlb_finish_mmu, 6.1 (KF 4.3)",
        "region-mask",
        _check_nesting,
        {"nested": int(EMPTY)},
    ),
    Mutant(
        "mremap-late-notifier",
        "mremap tells the notifier only after the page-table lock is dropped",
        "J. Horn, 2022-09-23: move_page_tables, 6.1 (KF 4.4)",
        "notifier",
        _unlock_then_free,
        words={
            Op.CLEAR: "moves the PTE of {pages} to its new address (move_ptes)",
            Op.NOTHING: "drops the page-table lock",
            Op.FREE: "somebody finds {pages} at the new address, flushes only that, frees it",
        },
    ),
    Mutant(
        "notifier-after-free",
        "the notifier's callback is deferred past the free",
        "range_end after the free, KF 5.3",
        "notifier",
        _free_before_flush,
    ),
    Mutant(
        "merged-unloaded-unbumped",
        "merged bumps the tlb_gen of sharers that are loaded somewhere, not of the others",
        "KF 2.2, 6.3: a slot that is not loaded is flushed only because its generation moved",
        "merged",
        _renamed({Op.BUMP: Op.BUMP_LOADED}),
        simulated=replace(design("merged"), name="merged-unbumped", bumps=False),
    ),
    Mutant(
        "tables-skip-lazy",
        "lazy CPUs are skipped although page tables are freed",
        "native_flush_tlb_multi, 6.12 (KF 1.3)",
        "per-mm",
        rules={"skip_lazy": 1},
        kind="tables",
    ),
    Mutant(
        "trim-caching-cpu",
        "trimming clears the bit of a lazy CPU, which still has the mm loaded",
        "lazy masks, tip 209954cbc7d0 and 6db2526c1d69 (KF 2.1)",
        "per-mm",
        rules={"trim_lazy": 1},
        masks="lazy",
    ),
    Mutant(
        "batch-after-free",
        "the batch is flushed after its pages are freed",
        "try_to_unmap_flush comes before free_unref_folios, mm/vmscan.c, 6.12 (KF 3)",
        "batched",
        _free_before_flush,
    ),
    Mutant(
        "region-without-generation",
        "the region's mask loses a CPU that switches away, and no generation remembers it",
        "KF 10.2: generations of sharers that are not loaded must be handled",
        "region-mask",
        _without(Op.BUMP),
        {"blind": 1},
        simulated=replace(design("region-mask"), name="region-mask-unbumped", bumps=False),
    ),
    Mutant(
        "attach-after-walk",
        "a sharer attaches between the walk of the sharers' masks and the IPI",
        "J. Horn, 2025-05-30: an rmap walk must find every current sharer (KF 6.4)",
        "merged",
        _walk_first,
        setting={"late": 1},
    ),
    Mutant(
        "invlpgb-other-address",
        "INVLPGB by the host's address, while a sharer maps the region elsewhere",
        "mshare v2 maps at different addresses (KF 6.2, 10.2)",
        "broadcast",
        rules={"shift": 1},
    ),
    Mutant(
        "latr-protect",
        "LATR's deferred flush is used for a protection downgrade",
        "LATR restricts itself to free operations (KF 10.2, 10.3)",
        "deferred",
        kind="protect",
        simulated=design("deferred"),
    ),
    Mutant(
        "union-range-other-address",
        "a union flush of the host's range, while a sharer maps the region elsewhere",
        "KF 6.2: one IPI with one range needs equal addresses",
        "merged",
        rules={"shift": 1},
        setting={"page_wise": 1},
    ),
    Mutant(
        "switch-window",
        "a CPU inside switch_mm counts as having another mm loaded",
        "fea4e317f9e7, stable review 2025-05-12 (KF 1.3, M34)",
        "per-mm",
        rules={"no_switching": 1},
    ),
    Mutant(
        "mask-before-generation",
        "the mask is read before tlb_gen is raised",
        "flush_tlb_mm_range, 6.12: inc_mm_tlb_gen comes first (KF 1.1)",
        "merged",
        _renamed({Op.BUMP: Op.READ, Op.READ: Op.BUMP}),
    ),
    Mutant(
        "pair-without-unlink",
        "range_start flushes, but leaves the shared table linked",
        "hardware refills between start and the PTE change (KF 5.3)",
        "classic",
        _without(Op.UNLINK),
    ),
    Mutant(
        "record-without-generation",
        "a record is swept page by page whenever the slot is one generation behind",
        "flush_tlb_func, 6.12, compares the request's own generation (KF 1.4 step 7)",
        "deferred",
        rules={"ageless": 1},
    ),
)  # fmt: skip
"""Every seeded bug, those that the safety check was asked for first."""
