"""Which small worlds a design is searched in, and its columns as rules of the machine."""

from __future__ import annotations

from dataclasses import dataclass

from mcost.checks.safety import cpu as codes
from mcost.checks.safety.program import REGION_MM, Op, Program, program
from mcost.checks.safety.state import Rules
from mcost.spec.designs import Design

__all__ = ["KINDS", "World", "small_world", "with_places"]

KINDS = {
    "pages": "one or two pages are zapped and freed; reclaimed in lists by designs that batch",
    "tables": "a page is zapped and freed, alone or with the page table that mapped it",
    "protect": "one or two pages lose a permission and stay mapped",
}
"""What operations do in each world."""

_ANY_SET, _PAGE_OR_TABLE, _LISTS = 0b1110, 0b1010, 0b1000


@dataclass(frozen=True)
class World:
    """A design (or a seeded bug of one) in a small world.

    Attributes:
        design: name of the design.
        kind: one of :data:`KINDS`.
        masks: ``eager``, ``lazy``, or ``any`` where the design reads none.
        rules: sizes, and the columns as rules.
        program: the steps of one operation.
    """

    design: str
    kind: str
    masks: str
    rules: Rules
    program: Program

    def views(self) -> list[Rules]:
        """The rules with each translation followed in turn.

        Both sharers, since they have their places in a walk. Both pages where a page table or
        an order makes them differ; else page 1 is page 0 under another name.
        """
        alike = self.kind != "tables" and not self.rules.shift and self.rules.sets != _LISTS
        return [
            with_places(self.rules._replace(sharer=sharer, page=page), self.program)
            for sharer in (0, 1)
            for page in ((0,) if alike else (0, 1))
        ]


def small_world(
    design: Design, kind: str, masks: str, *, cpus: int = 3, operations: int = 2, overlap: int = 2
) -> World:
    """The world of a design.

    Args:
        design: any value of the four columns.
        kind: one of :data:`KINDS`.
        masks: ``eager`` (6.12 and before) or ``lazy`` (6.14), KF 2.1.
        cpus: 2 or 3.
        operations: how many may begin in all, at most 3.
        overlap: how many may be in flight at once, 1 or 2.
    """
    batch = kind == "pages" and design.hook == "batch"
    steps = program(design, batch=batch, protect=kind == "protect")
    by_ipi = design.delivery in ("ipi", "deferred")
    mm_masks = by_ipi and design.tracks in ("each", "union", "running")
    region = design.tracks == "region"
    told = _told(design)
    rules = Rules(
        cpus=cpus,
        operations=operations,
        overlap=overlap,
        lazy_masks=int(masks == "lazy" and (mm_masks or region)),
        mm_masks=int(mm_masks),
        region_mask=int(region),
        tables=int(kind == "tables"),
        protect=int(kind == "protect"),
        told=told,
        page_wise=int(told >= codes.NAMED_MM and design.scope in ("pages", "pages-or-asid")),
        filter=_filter(design),
        all_tables=int(design.scope == "tables"),
        hardware=int(not by_ipi),
        records=int(design.delivery == "deferred"),
        sets=_LISTS if batch else _PAGE_OR_TABLE if kind == "tables" else _ANY_SET,
    )
    return World(design.name, kind, masks if mm_masks or region else "any", rules, steps)


def with_places(rules: Rules, steps: Program) -> Rules:
    """The rules with the places of a program's instructions that they refer to."""
    ops = [step.op for step in steps]
    asks = {Op.UNLINK, Op.LIST, Op.BUMP_LOADED} & set(ops)
    bumps = [k for k, step in enumerate(steps) if step.op == Op.BUMP]
    own = [k for k in bumps if steps[k].mm in (rules.sharer, REGION_MM)]
    return rules._replace(
        told_apart=int(bool(asks) or rules.late == 1),
        pair_end=ops.index(Op.END) if Op.END in ops else 0,
        last_clear=len(ops) - 1 - ops[::-1].index(Op.CLEAR),
        bump=own[0] if own else 0,
    )


def _told(design: Design) -> int:
    """What a told CPU does, by scope and by what is tracked."""
    if design.scope == "everything":
        return codes.EVERYTHING
    if design.delivery in ("invlpgb", "tlbi", "tlbi-range"):
        return codes.ADDRESS if design.tracks == "nothing" else codes.ASID
    if design.tracks == "each" and design.delivery == "ipi":
        return codes.NAMED_MM
    return {"region": codes.REGION, "holders": codes.ORACLE}.get(design.tracks, codes.LOADED_MM)


def _filter(design: Design) -> int:
    """Who in the mask is interrupted."""
    if design.scope == "everything" or design.tracks == "holders":
        return codes.EVERYONE
    if design.tracks == "each" and design.delivery == "ipi":
        return codes.NAMED
    return codes.SHARERS if design.tracks == "running" else codes.ANY
