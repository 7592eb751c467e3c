"""The steps of one operation under a design: a short program read off the design's columns.

Each instruction is one thing that another CPU may see half done. ``WAIT`` and ``UNBIND`` take
no step of their own: the next instruction waits until everyone has acknowledged.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcost.spec.designs import Design

__all__ = ["ALWAYS", "Instruction", "Op", "Program", "as_array", "program"]


class Op(IntEnum):
    """Instructions; :data:`mcost.checks.safety.words.WORDS` says them in words."""

    CLEAR = 0
    NOTHING = 1
    BUMP = 2
    BUMP_LOADED = 3
    READ = 4
    ALL = 5
    HOLDERS = 6
    LIST = 7
    NESTED = 8
    BIND = 9
    SEND = 10
    LOCAL = 11
    BROADCAST = 12
    RECORD = 13
    WAIT = 14
    UNBIND = 15
    UNLINK = 16
    START = 17
    END = 18
    FREE = 19


ALWAYS, PAGE_0, PAGE_1, TABLES, NO_TABLES = range(-1, 4)
"""When an instruction counts: always, for one page, if page tables are freed or not."""

REGION_MM = 2
"""``mm`` of an instruction that means the region's own mask and generation."""


class Instruction(NamedTuple):
    """One step.

    Attributes:
        op: what is done.
        mm: sharer it is done for, 2 for the region, -1 for none.
        when: one of ``ALWAYS``, ``PAGE_0``, ``PAGE_1``, ``TABLES``, ``NO_TABLES``.
    """

    op: Op
    mm: int = -1
    when: int = ALWAYS

    def applies(self, pages: frozenset[int], tables: bool) -> bool:
        """Whether an operation on these pages, freeing tables or not, takes it."""
        if self.when in (TABLES, NO_TABLES):
            return tables == (self.when == TABLES)
        return self.when == ALWAYS or self.when in pages


Program = tuple[Instruction, ...]

SHARERS = (0, 1)
FLUSH = tuple(Instruction(op) for op in (Op.SEND, Op.LOCAL, Op.WAIT))
BIND, UNBIND = Instruction(Op.BIND), Instruction(Op.UNBIND)
CLEAR, FREE, WAIT = Instruction(Op.CLEAR), Instruction(Op.FREE), Instruction(Op.WAIT)


def as_array(steps: Program) -> npt.NDArray[np.int64]:
    """The program as the compiled search reads it: int64 [steps, 3]."""
    return np.array(steps, dtype=np.int64).reshape(-1, 3)


def program(design: Design, *, batch: bool = False, protect: bool = False) -> Program:
    """What an operation does when ``design`` is told of it.

    Args:
        design: its four columns and ``bumps`` decide.
        batch: the operation is one whose flush the design may hold back (reclaim).
        protect: the last step returns to the caller instead of freeing pages; a design
            that defers takes it before the others have flushed, as it would otherwise wait.

    Returns:
        The steps, from the first PTE change to the page's release.
    """
    if design.hook == "pair":
        return _pair(design)
    if design.delivery == "none":
        return (CLEAR, Instruction(Op.NOTHING), FREE)
    if design.delivery in ("invlpgb", "tlbi", "tlbi-range"):
        return (CLEAR, *_broadcast(design), FREE)
    if design.delivery == "deferred":
        waits = (FREE, WAIT) if protect else (WAIT, FREE)
        return (*_collected(design, False), BIND, *_deferred(), UNBIND, *waits)
    if design.tracks == "each":
        return (CLEAR, BIND, *(s for mm in SHARERS for s in _one_mm(design, mm)), UNBIND, FREE)
    held_back = batch and design.hook == "batch"
    return (*_collected(design, held_back), BIND, *FLUSH, UNBIND, FREE)


def _one_mm(design: Design, mm: int) -> Program:
    """flush_tlb_mm_range: ++tlb_gen, then read the mask, then interrupt (KF 1.1)."""
    bump = (Op.BUMP,) if design.bumps else ()
    return tuple(Instruction(op, mm) for op in (*bump, Op.READ, Op.SEND, Op.LOCAL, Op.WAIT))


def _collected(design: Design, held_back: bool) -> Program:
    """PTEs cleared, and who is to be told: page after page where masks are ORed into a batch."""
    told = _tell(design)
    if not held_back:
        return (CLEAR, *told)
    pages = (PAGE_0, PAGE_1)
    if design.tracks in ("nothing", "holders"):
        return (*(CLEAR._replace(when=page) for page in pages), *told)
    return tuple(step._replace(when=page) for page in pages for step in (CLEAR, *told))


def _tell(design: Design) -> Program:
    """Who is to be told: arch_tlbbatch_add_pending for each sharer, or what replaces it."""
    if design.tracks == "holders":
        return (Instruction(Op.HOLDERS),)
    mms = (REGION_MM,) if design.tracks == "region" else SHARERS
    if design.tracks == "nothing":
        bumps = tuple(Instruction(Op.BUMP, mm) for mm in mms if design.bumps)
        return (*bumps, Instruction(Op.ALL))
    ops = (Op.BUMP, Op.READ) if design.bumps else (Op.READ,)
    return tuple(Instruction(op, mm) for mm in mms for op in ops)


def _broadcast(design: Design) -> Program:
    """INVLPGB or TLBI, then TLBSYNC or DSB; by address, or once per sharer's ASID (KF 1.6)."""
    if design.tracks == "nothing":
        return (Instruction(Op.BROADCAST), WAIT)
    return tuple(Instruction(op, mm) for mm in SHARERS for op in (Op.BROADCAST, Op.WAIT))


def _deferred() -> Program:
    """LATR: local flush, record, return; the page waits. Tables freed: interrupt (KF 10.3)."""
    now = tuple(step._replace(when=TABLES) for step in FLUSH)
    later = tuple(Instruction(op, -1, NO_TABLES) for op in (Op.LOCAL, Op.RECORD))
    return (*now, *later)


def _pair(design: Design) -> Program:
    """invalidate_range_start unlinks and flushes each sharer; the page goes after end (KF 5)."""
    start = [step for mm in SHARERS for step in (Instruction(Op.UNLINK, mm), *_one_mm(design, mm))]
    return (Instruction(Op.START), BIND, *start, UNBIND, CLEAR, Instruction(Op.END), FREE)
