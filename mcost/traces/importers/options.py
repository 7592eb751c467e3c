"""What an import is asked to do: every choice that the file itself cannot settle."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcost.spec.lookup import find
from mcost.traces.schema import KINDS

__all__ = ["COUNTED", "PAGE_SIZE", "TOUCHES", "ImportOptions", "parse_region"]

PAGE_SIZE = 4096
"""Bytes of a page in addresses and page counts."""

COUNTED: dict[str, str] = {
    "target": "flush calls on a sharer's mm; where the mm is not known, those that a sharer"
    " made or received",
    "initiator": "flush calls made by a sharer",
    "all": "every flush call in the file",
}
"""Which flush calls become operations on the region, by name."""

TOUCHES: dict[str, str] = {
    "first": "each CPU that runs a sharer touches the first page of an invalidate just before"
    " it: every receiver that runs a sharer is useful, an upper bound",
    "held": "each CPU that runs a sharer touches every page of an invalidate just before it:"
    " the upper bound also for lost and outdated entries, and many rows",
    "none": "no touch: no translation is ever held, so nothing is useful or stale",
}
"""Which touches are put in, by name; a recording of flushes has none of its own."""


@dataclass(frozen=True)
class ImportOptions:
    """Choices of one import.

    Attributes:
        counted: a key of :data:`COUNTED`.
        region: addresses (start, end) of the region: only calls with a recorded address in
            it count, and page 0 is its start. None: every address counts.
        keep_unplaced: with ``region``, count also calls without an address (full flushes,
            files without the flush probe).
        flush_tlb_all: flush_tlb_all calls are operations on the region too, as on a kernel
            with the 2025 mshare patches.
        kind: operation that each invalidate is.
        full_pages: pages of a full flush, whose number no trace tells; one page table's.
        page: first page of calls without an address.
        touch: a key of :data:`TOUCHES`.
        merge_walks: one initiator's flush calls for several mms in a row are one operation,
            as one shared page table makes of them.
        merge_gap: largest time between two calls of one walk, ns.
    """

    counted: str = "target"
    region: tuple[int, int] | None = None
    keep_unplaced: bool = False
    flush_tlb_all: bool = False
    kind: str = "zap"
    full_pages: int = 512
    page: int = 0
    touch: str = "first"
    merge_walks: bool = False
    merge_gap: int = 1_000_000

    def __post_init__(self) -> None:
        """Checks names and ranges.

        Raises:
            ValueError: an unknown name or a number out of range, naming the option.
        """
        find("choice of counted flushes", self.counted, COUNTED)
        find("choice of touches", self.touch, TOUCHES)
        find("kind of operation", self.kind, dict.fromkeys(KINDS))
        if self.full_pages < 1:
            raise ValueError(f"full pages must be at least 1, not {self.full_pages}")
        if self.page < 0:
            raise ValueError(f"page must be at least 0, not {self.page}")
        if self.merge_gap < 0:
            raise ValueError(f"merge gap must be at least 0 ns, not {self.merge_gap}")


def parse_region(text: str) -> tuple[int, int]:
    """Addresses from ``0x600000000000-0x600000040000`` (end not included).

    Raises:
        ValueError: not two hexadecimal addresses on page borders, the second above the first.
    """
    found = re.fullmatch(r"(?:0x)?([0-9a-fA-F]+)-(?:0x)?([0-9a-fA-F]+)", text.strip())
    start, end = (int(part, 16) for part in found.groups()) if found else (0, 0)
    if end <= start or start % PAGE_SIZE or end % PAGE_SIZE or end >> 63:
        raise ValueError(
            f"region {text!r} must be START-END, hexadecimal user addresses on page borders,"
            " START below END"
        )
    return start, end
