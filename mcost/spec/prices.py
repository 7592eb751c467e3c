"""The words of the price model: one table of prices, one of bases.

A price is what one unit of a count costs, in ns, on one machine. Names are keys of
``data/hardware/*.toml``, symbols of ``mcost.algebra.cost`` and columns of every output.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BASES", "MACHINE_CONSTANTS", "PRICES", "PRICE_NAMES", "PriceName"]


@dataclass(frozen=True)
class PriceName:
    """One price.

    Attributes:
        name: the key used everywhere.
        unit: of the value; ``ns`` for all prices.
        meaning: what one unit of it pays for, and who pays.
    """

    name: str
    unit: str
    meaning: str


PRICES: tuple[PriceName, ...] = (
    PriceName("flush_call", "ns", "fixed part of one local flush call of the initiator"),
    PriceName("invlpg", "ns", "one INVLPG of the PCID in use, on the CPU that runs it"),
    PriceName("invlpg_user", "ns", "the second flush of that page for the user PCID (PTI)"),
    PriceName("full_flush", "ns", "one drop of one ASID by a CR3 write"),
    PriceName("full_user", "ns", "the second drop for the user PCID (PTI)"),
    PriceName("global_flush", "ns", "one drop of everything (CR4.PGE or INVPCID)"),
    PriceName("first", "ns", "first remote CPU of a round: send to acknowledgement, no flush"),
    PriceName("first_far", "ns", "what a round that reaches another socket waits longer"),
    PriceName("next", "ns", "each further remote CPU on the initiator's socket"),
    PriceName("next_far", "ns", "each further remote CPU on another socket"),
    PriceName("icr", "ns", "each ICR write after the first of a round"),
    PriceName("atomic", "ns", "one atomic increment on a line this CPU owns"),
    PriceName("line", "ns", "fetching a line that another CPU of the socket wrote last"),
    PriceName("line_far", "ns", "fetching a line that a CPU of another socket wrote last"),
    PriceName("mask_word", "ns", "reading or ORing one 64-bit word of a mask in cache"),
    PriceName("responder", "ns", "interrupt entry, handler and exit of a told CPU, no flush in it"),
    PriceName("wake", "ns", "an interrupt that finds a CPU idle: leaving and entering idle again"),
    PriceName("refill", "ns", "one page walk that a lost live entry causes"),
    PriceName("switch_mask", "ns", "keeping a region's mask at one context switch"),
    PriceName("fault", "ns", "one page fault that relinks a shared table"),
    PriceName("broadcast", "ns", "one INVLPGB or TLBI, on the CPU that issues it"),
    PriceName("broadcast_sync", "ns", "one TLBSYNC, or the DSBs around TLBIs, per flush call"),
    PriceName("broadcast_wait", "ns", "what each other CPU that broadcasts adds to one broadcast"),
    PriceName("broadcast_tax", "ns", "stall of every other CPU for one broadcast"),
    PriceName("record", "ns", "writing one deferred flush into the ring"),
    PriceName("sweep", "ns", "one CPU's scan of the rings before it flushes"),
    PriceName("loop_madvise", "ns", "madvise and touch of one page, local flush in it (no cost)"),
    PriceName("call_mprotect", "ns", "mprotect of one page, local flush in it (no cost)"),
)
"""Order of every price vector. The last two price whole benchmark loops of published rows;
no cost contains them."""

PRICE_NAMES: tuple[str, ...] = tuple(price.name for price in PRICES)

MACHINE_CONSTANTS: tuple[PriceName, ...] = (
    PriceName("clock", "GHz", "turns published cycles into ns"),
    PriceName("tlb_entries", "entries", "last-level data TLB: most that one full flush can lose"),
)
"""Constants of a machine that are no prices but carry a spread too."""

BASES = {
    "measured": "read off a machine as it stands",
    "fitted": "a parameter of a fit; `mcost calibrate --published` makes it again",
    "recalled": "from memory or a secondary source, not read again",
    "range": "nobody published it: a wide range",
}
"""Where a constant comes from; every output names the ``range`` ones it depends on."""
