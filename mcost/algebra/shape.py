"""What prices need to know of a question beside its counts: shares, splits and numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil

from mcost.algebra.splits import event_sizes, near_share, running_share
from mcost.spec.designs import Design
from mcost.spec.operations import CEILING
from mcost.spec.scenario import Scenario

__all__ = ["USUAL", "Conditions", "Shape", "shape_of"]

_WORD_BITS = 64
_WORDS_PER_LINE = 8
BROADCAST_LIMITS = {"invlpgb": CEILING, "tlbi": 511, "tlbi-range": 1 << 21}
"""Pages of the largest event that a broadcast flushes page by page (KF 1.6, 7)."""


@dataclass(frozen=True)
class Conditions:
    """How the operation runs, as far as counts do not say.

    Attributes:
        overlap: the local flush runs while IPIs are under way (kernels from 5.13, KF 9.2).
        early_ack: responders acknowledge before they flush (a 2019 series, not merged).
        contended: masks and generations were last written by another CPU when a flush call
            begins; pages of one batch after the first find them in cache.
        broadcasters: CPUs that broadcast all the time, the initiator included.
    """

    overlap: bool = True
    early_ack: bool = False
    contended: bool = True
    broadcasters: int = 1

    def __post_init__(self) -> None:
        """Refuses fewer than one broadcaster."""
        if self.broadcasters < 1:
            raise ValueError(f"broadcasters: {self.broadcasters} must be at least 1")


USUAL = Conditions()
"""Any kernel from 5.13 on, one CPU at a time."""


@dataclass(frozen=True)
class Shape:
    """Numbers that the cost expressions take beside counts and prices, all per operation.

    Attributes:
        near: probability that a remote CPU sits on the initiator's socket.
        far_rounds: rounds that reach another socket.
        per_round: 1 / rounds, 0 without rounds.
        per_exec: 1 / flush executions of all CPUs, 0 without any.
        local: flush executions of the initiator.
        remote: flush executions of other CPUs.
        flushing: share of rounds with at least one CPU that really flushes.
        hidden: rounds during which the initiator flushes locally.
        ack: 1 when acknowledgements wait for the responders' flush.
        sharer_part, idle_part, bystander_part: who executes the remote flushes; sum 1.
        moved_bumps: generations whose line must be fetched first: each once a flush call.
        moved_lines: lines of masks that must be fetched first: each once a flush call.
        syncs: TLBSYNCs or DSB pairs.
        rivals: other CPUs that broadcast at the same time.
        others: online CPUs beside the initiator.
        running: probability that a CPU runs a sharer.
        records: deferred flushes written down.
        sweeps: scans of the rings that end in a flush.
        drops: flushes that lose live entries, over all CPUs.
        lock_all: 1 when the flush happens under the page-table lock.
        lock_add: 1 when only bumps and masks happen under it.
        per_lock: 1 / times that lock is held.
        per_page: 1 / pages.
    """

    near: float
    far_rounds: float
    per_round: float
    per_exec: float
    local: float
    remote: float
    flushing: float
    hidden: float
    ack: float
    sharer_part: float
    idle_part: float
    bystander_part: float
    moved_bumps: float
    moved_lines: float
    syncs: float
    rivals: float
    others: float
    running: float
    records: float
    sweeps: float
    drops: float
    lock_all: float
    lock_add: float
    per_lock: float
    per_page: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Field names in order."""
        return tuple(item.name for item in fields(cls))


def shape_of(
    number: dict[str, float],
    scenario: Scenario,
    design: Design,
    sockets: int,
    conditions: Conditions,
) -> Shape:
    """The shape of one question for one answer.

    Args:
        number: every count, see :func:`mcost.algebra.splits.filled`.
        scenario: the question.
        design: who is told, how, and how much is dropped.
        sockets: of the machine.
        conditions: overlap, contention, broadcasters.
    """
    sizes, tables = event_sizes(scenario, design)
    near = near_share(scenario.cpus, sockets)
    rounds, events = number["rounds"], number["flush_events"]
    per_round = 1 / rounds if rounds else 0.0
    execs = _executions(number, sizes, design)
    local = _local(scenario, design, events, execs)
    remote = execs - local
    words = ceil(scenario.cpus / _WORD_BITS)
    touched = conditions.contended * events * max(1, scenario.sharers)
    broadcasts = design.delivery in BROADCAST_LIMITS
    lock_all, lock_add, locks = _locks(scenario, design, events)
    return Shape(
        near=near,
        far_rounds=rounds * (1 - near ** (number["ipis"] * per_round)) if rounds else 0.0,
        per_round=per_round,
        per_exec=1 / execs if execs else 0.0,
        local=local,
        remote=remote,
        flushing=min(1.0, remote * per_round),
        hidden=conditions.overlap * local * min(1.0, rounds / events) if events else 0.0,
        ack=float(not conditions.early_ack),
        **_parts(number, design),
        moved_bumps=min(number["generation_bumps"], touched),
        moved_lines=min(number["mask_words"] / words, touched) * ceil(words / _WORDS_PER_LINE),
        syncs=events * (scenario.sharers if design.tracks == "each" else 1) * broadcasts,
        rivals=float(conditions.broadcasters - 1),
        others=float(scenario.cpus - 1),
        running=running_share(scenario),
        records=events * (design.delivery == "deferred"),
        sweeps=remote * (design.delivery == "deferred"),
        drops=_drops(number, scenario, design, sizes, tables),
        lock_all=lock_all,
        lock_add=lock_add,
        per_lock=1 / locks if locks else 0.0,
        per_page=1 / scenario.pages,
    )


def _executions(
    number: dict[str, float], sizes: tuple[tuple[int, int], ...], design: Design
) -> float:
    """Times any CPU ran a flush: drops, and page-wise flushes of one event's pages."""
    wise = [(p, n) for p, n in sizes if design.tracks == "holders" or p <= CEILING]
    times = sum(n for _, n in wise)
    pages = sum(p * n for p, n in wise)
    page_wise = number["page_flushes"] * times / pages if pages else 0.0
    return page_wise + number["full_flushes"] + number["global_flushes"]


def _local(scenario: Scenario, design: Design, events: float, execs: float) -> float:
    """Flush executions of the initiator: at most one an event, when it runs a sharer."""
    if design.scope == "everything" and design.tracks == "nothing":
        return min(events, execs)
    runs = {"sharer": 1.0, "apart": 0.0}.get(scenario.initiator, running_share(scenario))
    if design.tracks == "holders" and scenario.held is not None:
        runs *= scenario.held
    return min(events * runs, execs)


def _parts(number: dict[str, float], design: Design) -> dict[str, float]:
    """Who runs the remote flushes: only sharers' CPUs, unless everything is dropped."""
    if design.scope != "everything" or not number["ipis"]:
        return {"sharer_part": 1.0, "idle_part": 0.0, "bystander_part": 0.0}
    return {
        f"{who}_part": number[f"{who}_ipis"] / number["ipis"]
        for who in ("sharer", "idle", "bystander")
    }


def _drops(
    number: dict[str, float],
    scenario: Scenario,
    design: Design,
    sizes: tuple[tuple[int, int], ...],
    tables: int,
) -> float:
    """Flushes that lose live entries: drops by CPUs, and by broadcasts above their limit."""
    drops = number["full_flushes"] + number["global_flushes"]
    limit = BROADCAST_LIMITS.get(design.delivery)
    if limit is None:
        return drops
    events = sum(times for pages, times in sizes if pages > limit) + tables
    hit = 1.0 if design.tracks == "nothing" else running_share(scenario)
    return drops + events * scenario.cpus * hit


def _locks(scenario: Scenario, design: Design, events: float) -> tuple[float, float, float]:
    """Whether the page-table lock covers the flush or only its recording, and how often.

    Flushes per table or per page happen under it (zap_pte_range, ptep_clear_flush,
    try_to_unmap_one; KF 4.2, 6.3), those of a call, a gather or a batch after it; a held-back
    flush is recorded under it, page by page (arch_tlbbatch_add_pending, KF 3).
    """
    op = scenario.op
    unit = {"event": op.per, "batch": op.held_back, "pair": op.pair}[design.hook]
    if design.hook == "pair" or op.per not in ("table", "page"):
        return 0.0, 0.0, 0.0
    if unit in ("table", "page"):
        return 1.0, 0.0, events
    return 0.0, 1.0, float(scenario.pages)
