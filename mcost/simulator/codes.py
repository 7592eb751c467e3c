"""Designs and counts as the integers that the compiled loop branches on."""

from __future__ import annotations

from typing import NamedTuple

from mcost.spec.designs import Design
from mcost.spec.kernels import Kernel
from mcost.spec.operations import CEILING, OPERATIONS, cut
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["Rules", "cuts", "rules", "unit_pages"]

NOTHING, EACH, UNION, RUNNING, REGION, HOLDERS = range(6)
_TRACKS = ("nothing", "each", "union", "running", "region", "holders")

NONE, IPI, INVLPGB, TLBI, TLBI_RANGE, DEFERRED = range(6)
_DELIVERY = ("none", "ipi", "invlpgb", "tlbi", "tlbi-range", "deferred")

(
    FLUSH_EVENTS, ROUNDS, IPIS, USEFUL, SHARER_IPIS, IDLE_IPIS, BYSTANDER_IPIS, CSDS, ICR,
    PAGE_FLUSHES, FULL_FLUSHES, GLOBAL_FLUSHES, BUMPS, WORDS, BROADCASTS, FAULTS, DENIED,
    SWITCH_TAX, SWITCH_FLUSHES, WALKS, LOST, STALE, DEFERRED_HITS,
) = range(len(COUNT_NAMES))  # fmt: skip
"""Places of the counts in a count vector: the order of ``vocabulary.COUNT_NAMES``."""

# Largest hull that each delivery still drops page by page (KF 1.2, 7).
_LIMIT = {
    "none": 0,
    "ipi": CEILING,
    "deferred": CEILING,
    "invlpgb": CEILING,
    "tlbi": 511,
    "tlbi-range": 1 << 21,
}

_UNIT_PAGES = {"pte": 1 << 9, "pmd": 1 << 18, "p4d": 1 << 27}


class Rules(NamedTuple):
    """One design on one kernel and machine, as integers.

    Attributes:
        tracks, delivery: the design's columns as codes.
        everything, tables, page_wise: what its scope says.
        bumps, pair, region: 1 when it moves generations, unlinks, keeps a region mask.
        limit: largest page-wise hull.
        lazy_masks: 1 when a switch leaves the old mm's bit set.
        cpus, words: online CPUs and 64-bit words of a mask.
        sets, ways: geometry of every TLB.
        set_words: 64-bit words with one bit a set.
        cluster_bits: log2 of the targets that one ICR write can reach.
        invlpgb_max: pages of one INVLPGB.
        unit: pages below one entry of the shared level.
    """

    tracks: int
    delivery: int
    everything: int
    tables: int
    page_wise: int
    bumps: int
    pair: int
    region: int
    limit: int
    lazy_masks: int
    cpus: int
    words: int
    sets: int
    ways: int
    set_words: int
    cluster_bits: int
    invlpgb_max: int
    unit: int


def rules(
    design: Design,
    kernel: Kernel,
    cpus: int,
    sets: int,
    ways: int,
    cluster: int,
    invlpgb_max: int,
    unit: int,
) -> Rules:
    """The integers of one design on one kernel and machine."""
    return Rules(
        tracks=_TRACKS.index(design.tracks),
        delivery=_DELIVERY.index(design.delivery),
        everything=int(design.scope == "everything"),
        tables=int(design.scope == "tables"),
        page_wise=int(design.scope in ("pages", "pages-or-asid")),
        bumps=int(design.bumps),
        pair=int(design.hook == "pair"),
        region=int(design.tracks == "region"),
        limit=_LIMIT[design.delivery],
        lazy_masks=int(kernel.lazy_masks),
        cpus=cpus,
        words=(cpus + 63) // 64,
        sets=sets,
        ways=ways,
        set_words=(sets + 63) // 64,
        cluster_bits=cluster.bit_length() - 1,
        invlpgb_max=invlpgb_max,
        unit=unit,
    )


def unit_pages(share_level: str) -> int:
    """Pages below one entry of the shared level: 2 MiB, 1 GiB or 512 GiB.

    Raises:
        ValueError: unknown level.
    """
    if share_level not in _UNIT_PAGES:
        levels = ", ".join(_UNIT_PAGES)
        raise ValueError(f"unknown share level {share_level!r}: must be one of {levels}")
    return _UNIT_PAGES[share_level]


def cuts(design: Design, kernel: Kernel, batch: int) -> list[tuple[int, int, int, int, int]]:
    """For each kind of operation: how it is cut, and what moves.

    Returns:
        Tuples (size or -1 for one event a call, aligned, tables event, generations move once
        a page, old translations must go).
    """
    table = []
    for op in OPERATIONS:
        one = cut(op, kernel, design.hook, batch)
        held_back = design.hook == "batch" and op.held_back in ("list", "migration")
        size = -1 if one.size is None else one.size
        changes = op.per != "none"
        table.append((size, int(one.aligned), one.tables, int(held_back), int(changes)))
    return table
