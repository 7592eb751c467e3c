"""One state of the small world in one integer, and the words for what is in it.

Two reductions keep the world small. Both are exact, and ``tests/checks`` compares them with
a machine that makes neither.

*One translation is followed.* What a CPU drops depends on masks, generations and on what is
loaded, never on what else its TLB holds (``exact`` asks about a translation for that
translation's own sake), so translations do not interact, and a violation is the use of one
of them. A state keeps one ASID slot of CPU 0, its generation and one translation in it. Any
CPU may be called CPU 0; every sharer and every page gets its turn.

*Other CPUs are seen as far as they can be seen from there*: which sharer they run, since
they fault pages in, and whether they are inside a flush. What they do when interrupted is
their own affair and could only hold the initiator up, which may be held up anywhere.

Two sharers and a bystander leave three of the six ASID slots of a real CPU unused
(TLB_NR_DYN_ASIDS, KF 2.2), so no slot is recycled: each mm has its own, which keeps its
translations while another mm is loaded.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numba import njit

__all__ = [
    "Rules",
    "bit",
    "first_state",
    "get",
    "irqs_off",
    "phase",
    "put",
    "sharer",
    "where",
    "with_bit",
    "without_bit",
]


def constant(value: int) -> int:
    """A number that Numba compiles callees for as an int64, not once per value."""
    return cast(int, np.int64(value))


def _field(shift: int, width: int) -> int:
    return constant(shift | width << 6)


ZERO, ONE, NOBODY = constant(0), constant(1), constant(-1)

WHERE = _field(0, 4)
"""[4 bits a CPU] What it does: :data:`OTHER`, or five phases for each sharer."""
MASK = _field(12, 3)
"""Whether CPU 0 is in the mm_cpumask of either sharer, and in the region's mask."""
MAPPED = _field(15, 2)
"""A bit per page: its PTE is present."""
LINKED = _field(17, 2)
"""A bit per sharer: its tables lead to the shared one."""
LEFT = _field(19, 2)
"""Operations that may still begin."""
ENTRY = _field(21, 3)
"""The followed translation: :data:`ABSENT`, :data:`LIVE`, :data:`CUT`, :data:`DEAD`."""
BEHIND = _field(24, 2)
"""Generations that the followed slot is behind; 3 means 3 or more."""

FIRST_OP, OP_BITS = constant(26), constant(15)
"""Where the two operations in flight begin; the fields below are shifted by that."""
PC = _field(0, 5)
"""Next instruction + 1, 0 when there is no operation."""
PAGES = _field(5, 2)
"""A bit per page that it changes."""
HOME = _field(7, 2)
"""CPU that its flush runs on (get_cpu) + 1, 0 for none."""
TODO = _field(9, 1)
"""CPU 0 is in the mask that was read, and has not been looked at yet."""
WAIT = _field(10, 1)
"""CPU 0 has not acknowledged yet, or has not swept its record."""
SINCE = _field(11, 2)
"""Generations that others have added since this operation added its own."""
RANGE = _field(13, 2)
"""What is known about the flush: :data:`USUAL`, :data:`EMPTY`, :data:`FULL`, :data:`MISSED`."""

OTHER = ZERO
"""WHERE: a bystander's mm, or none; neither leads to the region."""
RUN, LAZY, BACK, BIT_SET, GEN_READ = (constant(code) for code in range(1, 6))
"""WHERE: running a sharer; a kernel thread over it; no longer lazy, tlb_gen not read yet;
switching to it, with the mask's bit set; and with tlb_gen read too. In the last three IRQs
are off, in the last two loaded_mm is LOADED_MM_SWITCHING (switch_mm_irqs_off, KF 2.1)."""
PHASES = constant(5)
"""Added to a phase for the second sharer."""

ABSENT, LIVE, CUT, DEAD = (constant(code) for code in (0, 1, 2, 4))
"""ENTRY: not cached; as in the page table; changed by the first (or, + 1, the second)
operation in flight; and let go, that is, its page is free or its permission was taken."""

USUAL, EMPTY, FULL, MISSED = (constant(code) for code in range(4))
"""RANGE: pages as given; nothing (~0, ~0); everything of the ASID and tables freed; the
followed sharer is not on the list that was walked ahead of time."""

REGION_MASK = constant(2)
"""Place of the region's mask in :data:`MASK`."""


class Rules(NamedTuple):
    """What a design, a mask policy, a world and a seeded bug make of the machine.

    Attributes:
        cpus: 2 or 3.
        operations: how many may begin in all, at most 3.
        overlap: how many may be in flight at once, 1 or 2.
        sharer, page: whose slot on CPU 0 is followed, and which translation in it.
        lazy_masks: 1 when a switch leaves the old mm's bit set (6.14).
        mm_masks, region_mask: 1 when the design reads them; else they stay empty.
        tables: 1 when page 1 stands for a page table, which lazy CPUs walk too.
        protect: 1 when operations take permission away and leave pages mapped.
        told: what a told CPU does, codes in ``cpu``.
        page_wise: 1 when a flush of one page may drop just that page.
        filter: who in the mask is interrupted, codes in ``cpu``.
        all_tables: 1 when every flush goes as if page tables were freed.
        hardware: 1 when invalidations arrive without an interrupt.
        records: 1 when CPUs are left a record to sweep instead of being interrupted.
        sets: a bit for each set of pages that an operation may be on.
        pair_end: place of the instruction that ends a start/end pair, 0 for no pairs;
            sharers lose and regain the link to the shared table.
        last_clear: place of the last instruction that changes a PTE.
        bump: place of the instruction that moves the followed slot's generation.
        told_apart: 1 when it matters which sharer another CPU runs: some may be unlinked, or
            it is asked which are loaded. Else those that run one run the first.
        late: 1 when the followed sharer attaches while operations run.
        shift: pages between the host's addresses and the followed sharer's.
        skip_lazy: bug: lazy CPUs are skipped even when tables are freed.
        trim_lazy: bug: a lazy CPU may lose the bit of the mm it still has loaded.
        no_switching: bug: LOADED_MM_SWITCHING counts as another mm (before M34).
        blind: bug: no generation is compared anywhere; a told CPU always drops.
        ageless: bug: a request does not carry the generation it belongs to.
        nested: what an overlapped flush hands over: ``FULL`` (2), or by a bug ``EMPTY`` (1).
    """

    cpus: int = 3
    operations: int = 2
    overlap: int = 1
    sharer: int = 0
    page: int = 0
    lazy_masks: int = 0
    mm_masks: int = 0
    region_mask: int = 0
    tables: int = 0
    protect: int = 0
    told: int = 0
    page_wise: int = 0
    filter: int = 0
    all_tables: int = 0
    hardware: int = 0
    records: int = 0
    sets: int = 0b1110
    pair_end: int = 0
    last_clear: int = 0
    bump: int = 0
    told_apart: int = 0
    late: int = 0
    shift: int = 0
    skip_lazy: int = 0
    trim_lazy: int = 0
    no_switching: int = 0
    blind: int = 0
    ageless: int = 0
    nested: int = 2


@njit(cache=True)
def get(s: int, field: int) -> int:
    """The value of a field."""
    return (s >> (field & 63)) & ((1 << (field >> 6)) - 1)


@njit(cache=True)
def put(s: int, field: int, value: int) -> int:
    """The state with a field set to a value that fits."""
    shift = field & 63
    return (s & ~(((1 << (field >> 6)) - 1) << shift)) | (value << shift)


@njit(cache=True)
def bit(s: int, field: int, place: int) -> bool:
    """Whether bit ``place`` of a field is set."""
    return (s >> ((field & 63) + place)) & 1 == 1


@njit(cache=True)
def with_bit(s: int, field: int, place: int) -> int:
    """The state with bit ``place`` of a field set."""
    return s | (1 << ((field & 63) + place))


@njit(cache=True)
def without_bit(s: int, field: int, place: int) -> int:
    """The state with bit ``place`` of a field cleared."""
    return s & ~(1 << ((field & 63) + place))


@njit(cache=True)
def where(s: int, c: int) -> int:
    """What CPU c does."""
    return get(s, WHERE + 4 * c)


@njit(cache=True)
def sharer(code: int) -> int:
    """Sharer that a CPU has loaded or is switching to, -1 for none."""
    return -1 if code == OTHER else (code - 1) // PHASES


@njit(cache=True)
def phase(code: int) -> int:
    """RUN to GEN_READ; 0 without a sharer."""
    return 0 if code == OTHER else (code - 1) % PHASES + 1


@njit(cache=True)
def irqs_off(code: int) -> bool:
    """Whether the CPU is inside switch_mm_irqs_off, where no interrupt is taken."""
    return phase(code) >= BACK


def first_state(w: Rules) -> int:
    """Nothing loaded or cached, both pages mapped; a late sharer is not attached yet."""
    linked = 3 - (1 << w.sharer) if w.late else 3
    return int(put(put(put(ZERO, MAPPED, 3), LINKED, linked), LEFT, w.operations))
