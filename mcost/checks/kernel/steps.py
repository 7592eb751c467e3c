"""What a row's setting comes down to: steps that the algebra counts, and values to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mcost.algebra.counts import expect
from mcost.algebra.flush_events import if_page_wise, plan
from mcost.algebra.moments import Moment
from mcost.algebra.symbols import numeric
from mcost.checks.kernel.rows import Row
from mcost.spec.designs import Design, design
from mcost.spec.operations import CEILING
from mcost.spec.scenario import Scenario

__all__ = [
    "Prediction",
    "Predictor",
    "Step",
    "Value",
    "count_steps",
    "exactly",
    "on_cpus",
    "own",
    "own_alone",
    "walk",
]


@dataclass(frozen=True)
class Value:
    """A predicted counter.

    Attributes:
        mean: what is expected, over all repetitions of the row.
        low, high: ends of the stated interval; both the mean where nothing is left to chance.
    """

    mean: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether the setting leaves no choice."""
        return self.low == self.high

    def holds(self, counted: int) -> bool:
        """Whether ``counted`` lies in the interval."""
        return self.low <= counted <= self.high


@dataclass(frozen=True)
class Prediction:
    """What a setting predicts.

    Attributes:
        values: by counter; counters that no rule covers are left out.
        allows: names of the mechanisms (``mechanisms.py``) that this setting can show.
        pages: pages of one flush event, which a cut splits in two.
        walks: walks of one repetition that a reschedule can cut.
        calls, told: flush calls and targets that one cut adds.
    """

    values: Mapping[str, Value]
    allows: tuple[str, ...] = ()
    pages: int = 1
    walks: int = 1
    calls: int = 1
    told: int = 0


Predictor = Callable[[Row], Prediction]
"""Setting of a row -> prediction; raises ``RowError`` for a setting it does not know."""


@dataclass(frozen=True)
class Step:
    """One operation under one design, several times.

    Attributes:
        scenario: ``pinned``; initiator ``sharer`` when the operator's own mm is flushed.
        design: how this kernel path tells: ``per-mm``, ``batched``, ``notifier`` ...
        times: how often.
        local: (local_all, local_one) of one event where its hull is not the pages: a flush of
            the whole mm is (1, 0).
    """

    scenario: Scenario
    design: Design
    times: int = 1
    local: tuple[int, int] | None = None


def own(
    row: Row,
    operation: str,
    pages: int,
    name: str = "per-mm",
    times: int = 1,
    local: tuple[int, int] | None = None,
) -> Step:
    """The operator's own mm, its threads on CPUs 0 .. T-1, the operator's one of them."""
    threads = row.cpus_per_sharer
    asked = Scenario(
        cpus=row.cpus, sharers=1, threads=threads, pages=pages, operation=operation,
        placement="pinned", initiator="sharer", kernel=row.variant.name,
    )  # fmt: skip
    return Step(asked, design(name), times, local)


def walk(
    row: Row, operation: str, pages: int, name: str = "per-mm", offset: int = 0, times: int = 1
) -> Step:
    """S sharers on disjoint CPUs, the operator on a CPU of its own (``apart``)."""
    asked = Scenario(
        cpus=row.cpus, sharers=row.sharers, threads=row.cpus_per_sharer, pages=pages,
        offset=offset, operation=operation, placement="pinned", initiator="apart",
        kernel=row.variant.name,
    )  # fmt: skip
    return Step(asked, design(name), times)


def exactly(counted: Mapping[str, int], reps: int = 1) -> dict[str, Value]:
    """Values without an interval, ``reps`` times each."""
    return {name: Value(n * reps, n * reps, n * reps) for name, n in counted.items()}


def count_steps(steps: Iterable[Step], ceiling: int = CEILING) -> dict[str, int]:
    """The five counters, and ``ipi`` (handlers of the test module), summed over steps."""
    total: dict[str, int] = {}
    for step in steps:
        for name, number in _counters(step, ceiling).items():
            total[name] = total.get(name, 0) + number * step.times
    names = ("remote_flush", "remote_received", "local_all", "local_one", "tlb_interrupts", "ipi")
    return {name: total.get(name, 0) for name in names}


@lru_cache(maxsize=8192)
def _counters(step: Step, ceiling: int) -> dict[str, int]:
    """Counts of one step as the kernel counts them (KF 8.1).

    - flush_tlb_multi: remote_flush +1 a call; each handler remote_received and the TLB line.
    - flush_tlb_all: remote_flush +1; remote_received also for the caller; TLB line unmoved.
    - a handler of the test module through smp_call_function_many (lab_mn.c, mode 3): none.
    - the initiator's own flush: local_all, or local_one once a page within the ceiling
      (flush_tlb_func, arch/x86/mm/tlb.c, 6.1 and 6.12).
    """
    counts = expect(step.scenario, step.design)
    rounds, ipis = _whole(counts.rounds), _whole(counts.ipis)
    if step.design.scope == "everything":
        if step.design.tracks == "nothing":
            calls = _whole(counts.flush_events)
            return {"remote_flush": calls, "remote_received": _whole(counts.global_flushes)}
        return {"ipi": ipis}
    if step.design.delivery != "ipi":
        return {}
    local_all, local_one = _local(step, ceiling)
    return {
        "remote_flush": rounds,
        "remote_received": ipis,
        "tlb_interrupts": ipis,
        "local_all": local_all,
        "local_one": local_one,
    }


def _whole(value: object) -> int:
    """A certain count as an int."""
    if not isinstance(value, Moment) or not value.mean.is_number:
        raise TypeError(f"a pinned setting has certain counts, not {value!r}")
    return int(value.mean)


def _local(step: Step, ceiling: int) -> tuple[int, int]:
    """(local_all, local_one) of the initiator, whose CPU runs an mm of its own or none."""
    asked = step.scenario
    if asked.initiator != "sharer":
        return 0, 0
    events = plan(asked.op, asked.variant, step.design, numeric(asked))
    if step.local is not None:
        return step.local
    if step.design.scope != "pages-or-asid":
        return int(events.total), 0
    ones = events.sum(lambda size: if_page_wise(size, size, 0 * size, limit=ceiling))
    alls = events.sum(lambda size: if_page_wise(size, 0 * size, 1 + 0 * size, limit=ceiling))
    return int(alls) + events.freed, int(ones)


def own_alone(row: Row, operation: str, pages: int) -> Step:
    """The operator's own mm, which only its own CPU has loaded."""
    asked = Scenario(
        cpus=row.cpus, sharers=1, threads=1, pages=pages, operation=operation,
        placement="pinned", initiator="sharer", kernel=row.variant.name,
    )  # fmt: skip
    return Step(asked, design("per-mm"))


def on_cpus(row: Row, cpus: int, operation: str, name: str) -> Step:
    """``cpus`` CPUs that each run a sharer, one page, the operator apart.

    For a union: eager masks are disjoint, so who shares a CPU with whom does not matter.
    """
    asked = Scenario(
        cpus=row.cpus, sharers=cpus, threads=1, pages=1, operation=operation,
        placement="pinned", initiator="apart", kernel=row.variant.name,
    )  # fmt: skip
    return Step(asked, design(name))
