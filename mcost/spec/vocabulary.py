"""The words of the model: one table of symbols, one table of counts.

Every column, axis, option and JSON key of mcost takes its name from here
(model.md section 2; "KF" below is the kernel-facts page bundled as
``data/kernel-facts.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COUNTS", "COUNT_NAMES", "SIMULATED_ONLY", "SYMBOLS", "CountName", "Symbol"]


@dataclass(frozen=True)
class Symbol:
    """A quantity a question is asked in.

    Attributes:
        letter: how formulas print it.
        name: its name in code, options and columns.
        kind: ``"integer"`` (a count), ``"share"`` (0 to 1) or ``"real"``.
        unit: unit of the value, ``"1"`` for pure numbers.
        meaning: one line for people.
    """

    letter: str
    name: str
    kind: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class CountName:
    """One thing that is counted, per operation or per trace.

    Attributes:
        name: the key used everywhere.
        unit: what one unit of the count is.
        meaning: model.md section 2, shortened.
        closed_form: False when only the simulated machine counts it.
    """

    name: str
    unit: str
    meaning: str
    closed_form: bool = True


SYMBOLS: tuple[Symbol, ...] = (
    Symbol("N", "cpus", "integer", "CPUs", "online logical CPUs"),
    Symbol("S", "sharers", "integer", "processes", "processes attached to the region"),
    Symbol("T", "threads", "integer", "threads", "runnable threads of one sharer"),
    Symbol("P", "pages", "integer", "pages", "4 KiB pages whose translation one operation changes"),
    Symbol("o", "offset", "integer", "pages", "place of the first page in its 512-entry table"),
    Symbol("B", "batch", "integer", "pages", "pages per flush when the design batches reclaim"),
    Symbol("X", "invlpgb_max", "integer", "pages", "pages one INVLPGB covers"),
    Symbol("rho", "share", "share", "1", "probability that a CPU runs some sharer"),
    Symbol("z", "idle", "share", "1", "probability that a CPU is lazy with a sharer still loaded"),
    Symbol("h", "held", "share", "1", "probability that a CPU running a sharer holds a given page"),
    Symbol("w", "rate", "real", "1/s", "moves of one sharer to another CPU per second"),
    Symbol("t", "age", "real", "s", "time since the masks were last trimmed"),
)

COUNTS: tuple[CountName, ...] = (
    CountName("flush_events", "events", "times the operation asks for a flush"),
    CountName("rounds", "rounds", "flush calls that interrupt at least one remote CPU"),
    CountName("ipis", "IPIs", "remote CPUs interrupted, summed over rounds"),
    CountName("useful_ipis", "IPIs", "receivers that dropped an outdated translation of the pages"),
    CountName("sharer_ipis", "IPIs", "receivers with a sharer loaded and not lazy"),
    CountName("idle_ipis", "IPIs", "receivers that were lazy or had nothing loaded"),
    CountName("bystander_ipis", "IPIs", "receivers with another mm loaded"),
    CountName("csds", "entries", "call-single entries queued"),
    CountName("icr_writes", "writes", "APIC ICR writes that send the IPIs (KF 9.7)"),
    CountName("page_flushes", "INVLPGs", "INVLPG executions, all CPUs, initiator included"),
    CountName("full_flushes", "flushes", "drops of one ASID, all CPUs, initiator included"),
    CountName("global_flushes", "flushes", "drops of a whole TLB, all CPUs, initiator included"),
    CountName("generation_bumps", "increments", "tlb_gen increments of sharers or the region"),
    CountName("mask_words", "words", "64-bit cpumask words read or ORed"),
    CountName("broadcasts", "instructions", "INVLPGB or TLBI instructions issued"),
    CountName("faults", "faults", "page faults that relink an unlinked shared table", False),
    CountName("denied_cpus", "CPUs", "CPUs running a sharer while the shared table is unlinked"),
    CountName("switch_tax", "switches", "context switches that touch the region's mask", False),
    CountName("switch_flushes", "flushes", "ASID drops that a context switch pays", False),
    CountName("walks", "walks", "TLB misses", False),
    CountName("lost_entries", "entries", "live translations dropped by a full flush", False),
    CountName("stale_hits", "hits", "uses of a translation after its page was let go", False),
    CountName("deferred_hits", "hits", "uses of an old translation before the flush passed", False),
)

COUNT_NAMES: tuple[str, ...] = tuple(count.name for count in COUNTS)
"""Order of every count vector and table."""

SIMULATED_ONLY: tuple[str, ...] = tuple(count.name for count in COUNTS if not count.closed_form)
"""Counts that depend on what happens between operations, so no placement gives them."""
