"""Hypothesis strategies of valid traces, small enough to shrink and mean enough to matter."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mcost.spec.operations import OPERATIONS
from mcost.traces.schema import EVENTS, KINDS, Trace

SECOND = 1_000_000_000
TABLE_EDGE = 512
HOT_PAGES = (*range(TABLE_EDGE - 4, TABLE_EDGE + 4), 262143, 262144)
"""Both sides of the edge of a page table, and of a 1 GiB share unit."""

LARGE_RANGES = (512, 1100, 9679, 20000, (1 << 21) + 1)
"""Several tables; more than a gather holds (9678, 9698); more than TLBI ranges cover."""

RING = 256
"""Records a deferring CPU holds; an operation with one event a page fills them."""

ONE_PAGE_KINDS = tuple(entry.name for entry in OPERATIONS if entry.per == "page")
"""Operations with up to one flush event a page: large ranges would only be slow."""


SCALE = float(os.environ.get("MCOST_TEST_SCALE", "1"))
"""Multiplies the examples; above 1 they also differ from run to run, to look elsewhere."""


def bounded(examples: int) -> settings:
    """Settings of a repeatable test with so many examples."""
    return settings(
        max_examples=max(1, int(examples * SCALE)),
        derandomize=SCALE <= 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def seed_of(number: int) -> int:
    """A seed of its own for the ``number``-th run of one test body."""
    return number if SCALE <= 1 else random.SystemRandom().getrandbits(64)


@dataclass
class Writer:
    """Writes events and keeps only what makes the next one valid."""

    rows: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    now: int = 0
    loaded: dict[int, int] = field(default_factory=dict)
    attached: list[int] = field(default_factory=list)
    detaches: bool = True

    def add(
        self, event: str, cpu: int, mm: int = -1, page: int = 0, pages: int = 0, kind: str = "zap"
    ) -> None:
        """One event at the current time."""
        self.rows.append((self.now, cpu, EVENTS.index(event), mm, page, pages, KINDS.index(kind)))

    def switch(self, cpu: int, mm: int) -> None:
        self.loaded[cpu] = mm
        self.add("switch", cpu, mm)

    def touch(self, cpu: int, page: int) -> None:
        """Of the region where the loaded mm may, of a private page elsewhere."""
        allowed = self.loaded.get(cpu, -1) in (*self.attached, -1)
        self.add("touch", cpu, page=page if allowed or page < 0 else -1 - page)

    def toggle(self, cpu: int, mm: int) -> None:
        """Attach, or detach what is attached; CPUs may still have it loaded."""
        if mm in self.attached:
            if self.detaches:
                self.attached.remove(mm)
                self.add("detach", cpu, mm)
        else:
            self.attached.append(mm)
            self.add("attach", cpu, mm)

    def trace(self) -> Trace:
        """The rows as a trace; one with no event gets a tick."""
        rows = self.rows or [(0, 0, EVENTS.index("tick"), -1, 0, 0, 0)]
        names = ("time", "cpu", "event", "mm", "page", "pages", "kind")
        return Trace.build(**dict(zip(names, zip(*rows, strict=True), strict=True)))


STEPS = (
    "nothing",
    *("touch",) * 8,
    *("run",) * 2,
    *("switch",) * 6,
    *("invalidate",) * 6,
    *("idle", "back") * 2,
    *("tick", "toggle", "pause"),
)
"""What a step may be, repeated as often as it should come up; the first is the simplest."""


@st.composite
def traces(
    draw: st.DrawFn,
    kinds: tuple[str, ...] = KINDS,
    most_cpus: int = 6,
    most_steps: int = 60,
    most_mms: int = 8,
    large: bool = True,
    detaches: bool = True,
) -> Trace:
    """A valid trace on 1 to ``most_cpus`` CPUs, with sharers, late sharers and bystanders.

    Args:
        draw: given by Hypothesis.
        kinds: operations to draw from.
        most_cpus: largest machine.
        most_steps: most steps; one may be several events.
        most_mms: mms, more than the six slots of a CPU so that slots are recycled.
        large: allow ranges of many tables.
        detaches: allow attached mms to detach.
    """
    writer = Writer(detaches=detaches)
    cpus = draw(st.integers(1, most_cpus))
    mms = draw(st.integers(1, most_mms))
    for mm in range(draw(st.integers(0, mms))):
        writer.toggle(0, mm)
    for cpu, mm in enumerate(draw(st.lists(st.integers(-1, mms - 1), max_size=cpus))):
        writer.switch(cpu, mm)
        step(writer, "run", cpu, mm, 0, 8, kinds, large)
    plan = st.tuples(
        st.sampled_from(STEPS),
        st.integers(0, cpus - 1),
        st.integers(-1, mms - 1),
        st.integers(0, len(HOT_PAGES) - 1),
        st.integers(0, 11),
    )
    steps = draw(st.integers(0, most_steps))
    for what, cpu, mm, page, size in draw(st.lists(plan, min_size=steps, max_size=steps)):
        step(writer, what, cpu, mm, page, size, kinds, large)
    return writer.trace()


def step(
    writer: Writer,
    what: str,
    cpu: int,
    mm: int,
    page: int,
    size: int,
    kinds: tuple[str, ...],
    large: bool,
) -> None:
    """One step of a plan; ``size`` decides whatever else there is to decide."""
    writer.now += 1000
    if what == "touch":
        writer.touch(cpu, -1 - page if size == 0 else HOT_PAGES[page])
    elif what == "run":
        for number in range(HOT_PAGES[page], HOT_PAGES[page] + size):
            writer.touch(cpu, number)
    elif what == "invalidate":
        kind = kinds[(page + 7 * size + mm) % len(kinds)]
        change(writer, cpu, page, size, kind, large)
    elif what == "pause":
        writer.now += (size + 1) * SECOND // 6
    else:
        schedule(writer, what, cpu, mm)


def schedule(writer: Writer, what: str, cpu: int, mm: int) -> None:
    """What the scheduler does, and attach or detach."""
    if what == "switch":
        writer.switch(cpu, mm)
    elif what == "back":
        writer.switch(cpu, writer.loaded.get(cpu, -1))
    elif what == "toggle":
        writer.toggle(cpu, max(mm, 0))
    elif what != "nothing":
        writer.add(what, cpu)


def change(writer: Writer, cpu: int, page: int, size: int, kind: str, large: bool) -> None:
    """An invalidate; after every other one all CPUs try the first page."""
    first, pages = span(HOT_PAGES[page], page, size, kind, large)
    writer.add("invalidate", cpu, page=first, pages=pages, kind=kind)
    if size % 2:
        for other in sorted(writer.loaded):
            writer.touch(other, first)


def span(hot: int, page: int, size: int, kind: str, large: bool) -> tuple[int, int]:
    """First page and number of pages: few, around the ceiling of 33, or many tables."""
    if size < 8:
        return hot, 1 + size
    if kind in ONE_PAGE_KINDS and (size, page) == (11, 0):
        return TABLE_EDGE - 4, RING + 2
    if size < 11 or kind in ONE_PAGE_KINDS or not large:
        return TABLE_EDGE - 4 * (size % 8), 31 + page % 5
    return TABLE_EDGE - 4, LARGE_RANGES[page % len(LARGE_RANGES)]
