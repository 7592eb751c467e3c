"""A second simulated machine: plain, slow, and written without looking at the first.

Sources: model.md section 5 and the docstring of ``mcost/simulator/__init__.py``, nothing
else. Dicts, sets and lists say what those texts say, in their order; nothing is indexed,
packed or skipped for speed. ``tests/simulator/test_machine_agrees.py`` compares it with the
compiled machine, count by count.

A page has no stored version: its version is the number of invalidates that covered it so
far, so an entry is outdated when that number has grown since it was inserted.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.kernels import Kernel
from mcost.spec.operations import CEILING, Operation, cut, operation
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.schema import EVENTS, KINDS, Trace

SECOND = 1_000_000_000
SLOTS = 6
RING = 256
UNIT_PAGES = {"pte": 512, "pmd": 512**2, "p4d": 512**3}
BROADCAST_LIMIT = {"invlpgb": 33, "tlbi": 511, "tlbi-range": 2**21}
"""Most pages that a broadcast still drops one by one."""

Entry = tuple[int, int]
"""What the TLB looks up: (slot, page)."""


@dataclass
class Slot:
    """One ASID slot of one CPU."""

    mm: int | None = None
    generation: int = 0
    region_generation: int = 0


@dataclass
class Cpu:
    """One CPU; ``used`` is the slot that the loaded mm runs in."""

    number: int
    loaded: int | None = None
    lazy: bool = False
    used: int = 0
    next_slot: int = 0
    slots: list[Slot] = field(default_factory=lambda: [Slot() for _ in range(SLOTS)])
    sets: dict[int, OrderedDict[Entry, int]] = field(default_factory=dict)
    pending: list[Record] = field(default_factory=list)

    @property
    def slot(self) -> Slot:
        """The slot in use."""
        return self.slots[self.used]

    def entries(self) -> list[tuple[int, int, int]]:
        """Everything in the TLB: (slot, page, version)."""
        return [(*key, version) for each in self.sets.values() for key, version in each.items()]


@dataclass
class Mm:
    """One address space."""

    generation: int = 0
    mask: set[int] = field(default_factory=set)
    next_trim: int = 0
    linked: dict[int, bool] = field(default_factory=dict)
    """Share units by number; a unit that is not named is linked."""


@dataclass
class Done:
    """One invalidate, kept to tell versions: its pages, and records that still wait."""

    first: int
    pages: int
    records: list[Record] = field(default_factory=list)

    def covers(self, page: int) -> bool:
        """Whether it changed the page."""
        return self.first <= page < self.first + self.pages

    @property
    def completed(self) -> bool:
        """Whether every CPU that had to flush has done so."""
        return not any(record.waiting for record in self.records)


@dataclass(eq=False)
class Record:
    """An entry of a deferring CPU's ring: which CPUs have yet to flush which pages."""

    waiting: set[int]
    event: Event


@dataclass
class Event:
    """One flush event of one invalidate."""

    first: int
    pages: int
    freed: bool
    pagewise: bool
    bumps: int
    """Generation increments per sharer, where the design increments at all."""

    def covers(self, page: int) -> bool:
        """Whether the page belongs to the event."""
        return self.first <= page < self.first + self.pages


class ReferenceMachine:
    """The machine of model.md section 5 for one design on one kernel."""

    def __init__(
        self,
        design: Design,
        kernel: Kernel,
        cpus: int,
        sets: int = 128,
        ways: int = 12,
        batch: int = 31,
        apic: str = "cluster",
        share_level: str = "p4d",
        invlpgb_max: int = 8,
    ) -> None:
        self.design, self.kernel = design, kernel
        self.set_count, self.ways, self.batch = sets, ways, batch
        self.cluster = {"cluster": 16, "physical": 1}[apic]
        self.unit_pages = UNIT_PAGES[share_level]
        self.invlpgb_max = invlpgb_max
        self.cpus = [Cpu(number) for number in range(cpus)]
        self.words = math.ceil(cpus / 64)
        self.mms: dict[int, Mm] = {}
        self.sharers: list[int] = []
        self.region_mask: set[int] = set()
        self.region_generation = 0
        self.history: list[Done] = []
        self.rings: dict[int, list[Record]] = {number: [] for number in range(cpus)}
        self.now = 0
        self.changed: Done | None = None
        self.count: Counter[str] = Counter()

    # ------------------------------------------------------------------ trace events

    def run(self, trace: Trace) -> Counts[int]:
        """All events in order; the counts of the whole trace."""
        for row in range(len(trace)):
            self.now = int(trace.time[row])
            cpu = self.cpus[int(trace.cpu[row])]
            mm, page, pages = int(trace.mm[row]), int(trace.page[row]), int(trace.pages[row])
            match EVENTS[trace.event[row]]:
                case "switch":
                    self.sweep(cpu)
                    self.switch(cpu, None if mm == -1 else mm)
                case "idle":
                    self.sweep(cpu)
                    cpu.lazy = cpu.loaded is not None
                case "tick":
                    self.sweep(cpu)
                case "touch":
                    self.touch(cpu, page)
                case "invalidate":
                    self.invalidate(cpu, page, pages, operation(KINDS[trace.kind[row]]))
                case "attach":
                    self.attach(mm)
                case "detach":
                    self.detach(cpu, mm)
        return Counts(**{name: self.count[name] for name in COUNT_NAMES})

    def switch(self, cpu: Cpu, mm: int | None) -> None:
        """``mm`` is loaded, None for no user mm."""
        was_lazy, cpu.lazy = cpu.lazy, False
        if mm == cpu.loaded:
            if was_lazy and self.behind(cpu.slot):
                self.drop_at_switch(cpu)
            return
        self.leave(cpu, mm)
        cpu.loaded = mm
        if mm is None:
            return
        self.mm(mm).mask.add(cpu.number)
        for number, slot in enumerate(cpu.slots):
            if slot.mm == mm:
                cpu.used = number
                if self.behind(slot):
                    self.drop_at_switch(cpu)
                return
        cpu.used, cpu.next_slot = cpu.next_slot, (cpu.next_slot + 1) % SLOTS
        cpu.slot.mm = mm
        self.drop_at_switch(cpu)

    def leave(self, cpu: Cpu, mm: int | None) -> None:
        """Masks and tax of a switch away from what is loaded, to ``mm``."""
        old = cpu.loaded
        if old is not None and not self.kernel.lazy_masks:
            self.mm(old).mask.discard(cpu.number)
        if self.design.tracks != "region":
            return
        leaves, loads = old in self.sharers, mm in self.sharers
        self.count["switch_tax"] += leaves or loads
        if loads:
            self.region_mask.add(cpu.number)
        elif leaves and not self.kernel.lazy_masks:
            self.region_mask.discard(cpu.number)

    def behind(self, slot: Slot) -> bool:
        """Whether a switch to the slot's mm finds a generation that moved."""
        assert slot.mm is not None
        region = self.design.tracks == "region" and slot.mm in self.sharers
        return slot.generation < self.mm(slot.mm).generation or (
            region and slot.region_generation < self.region_generation
        )

    def drop_at_switch(self, cpu: Cpu) -> None:
        self.remove(cpu, lambda slot, _: slot == cpu.used)
        self.catch_up(cpu)
        self.count["switch_flushes"] += 1

    def touch(self, cpu: Cpu, page: int) -> None:
        """A load or store by the loaded mm."""
        if cpu.loaded is None or cpu.lazy:
            return
        ways = cpu.sets.setdefault(page % self.set_count, OrderedDict())
        key = (cpu.used, page)
        if key in ways:
            ways.move_to_end(key)
            since = self.changes(page)[ways[key] :]
            if since:
                stale = any(done.completed for done in since)
                self.count["stale_hits" if stale else "deferred_hits"] += 1
            return
        self.relink(self.mm(cpu.loaded), page)
        self.count["walks"] += 1
        ways[key] = len(self.changes(page))
        if len(ways) > self.ways:
            ways.popitem(last=False)

    def relink(self, mm: Mm, page: int) -> None:
        """The fault of a touch whose share unit is unlinked (``classic``)."""
        if page >= 0 and not mm.linked.get(page // self.unit_pages, True):
            mm.linked[page // self.unit_pages] = True
            self.count["faults"] += 1

    def attach(self, mm: int) -> None:
        """One more sharer."""
        self.sharers.append(mm)
        self.mm(mm).next_trim = self.now + SECOND
        self.mm(mm).linked.clear()
        for cpu in self.running(mm):
            self.region_mask.add(cpu.number)
            cpu.slot.region_generation = self.region_generation

    def detach(self, cpu: Cpu, mm: int) -> None:
        """One sharer less; its mm is flushed with tables freed, whatever the design."""
        self.changed = None
        self.count["flush_events"] += 1
        nothing = Event(first=0, pages=0, freed=True, pagewise=False, bumps=1)
        self.flush_mm(cpu, mm, nothing, bumping=True)
        self.sharers.remove(mm)
        for other in self.running(mm):
            self.region_mask.discard(other.number)

    def invalidate(self, cpu: Cpu, page: int, pages: int, op: Operation) -> None:
        """An operation: versions first, then its flush events in page order."""
        self.changed = Done(page, pages)
        if op.per != "none":  # an upgrade leaves nothing outdated
            self.history.append(self.changed)
        for event in self.flush_events(page, pages, op):
            self.count["flush_events"] += 1
            self.flush(cpu, event)

    def flush_events(self, page: int, pages: int, op: Operation) -> list[Event]:
        """The cut of one operation."""
        rule = cut(op, self.kernel, self.design.hook, self.batch)
        held_back = self.design.hook == "batch" and op.held_back != op.per
        if rule.size == 0:
            return []
        found, at, end = [], page, page + pages
        while at < end:
            stop = end if rule.size is None else at + rule.size
            if rule.aligned and rule.size is not None:
                stop -= at % rule.size
            stop = min(stop, end)
            found.append(self.event(at, stop - at, False, stop - at if held_back else 1))
            at = stop
        if rule.tables:
            found.append(self.event(page, pages, True, 1))
        return found

    def event(self, first: int, pages: int, freed: bool, bumps: int) -> Event:
        fine = self.design.scope in ("pages", "pages-or-asid")
        return Event(first, pages, freed, fine and not freed and pages <= CEILING, bumps)

    # ------------------------------------------------------------------ the designs

    def flush(self, cpu: Cpu, event: Event) -> None:
        """One flush event, by the design's columns."""
        design = self.design
        if design.delivery == "none":
            return
        if design.delivery in BROADCAST_LIMIT:
            self.broadcast(event)
        elif design.delivery == "deferred":
            self.defer(cpu, event)
        elif design.tracks == "holders":
            self.flush_holders(cpu, event)
        elif design.tracks == "each":
            self.flush_each(cpu, event)
        else:
            self.flush_mask(cpu, event)

    def flush_each(self, cpu: Cpu, event: Event) -> None:
        """per-mm, classic: one sharer after another."""
        if self.design.hook == "pair":
            self.unlink(event)
        for mm in self.sharers:
            self.flush_mm(cpu, mm, event, bumping=self.design.bumps)

    def unlink(self, event: Event) -> None:
        last = event.first + event.pages - 1
        for unit in range(event.first // self.unit_pages, last // self.unit_pages + 1):
            for mm in self.sharers:
                self.mm(mm).linked[unit] = False
        self.count["denied_cpus"] += sum(
            cpu.loaded in self.sharers and not cpu.lazy for cpu in self.cpus
        )

    def flush_mm(self, cpu: Cpu, number: int, event: Event, bumping: bool) -> None:
        """Flush of one mm (model.md): bump, choose targets, local flush."""
        mm = self.mm(number)
        self.count["mask_words"] += self.words
        if bumping:
            mm.generation += event.bumps
            self.count["generation_bumps"] += event.bumps
        wanted = mm.generation
        freed = event.freed or self.design.scope == "tables"
        others = [self.cpus[other] for other in sorted(mm.mask - {cpu.number})]
        if not others:
            if cpu.loaded == number:
                self.told_by_name(cpu, number, wanted, event)
            return
        trim = self.kernel.lazy_masks and self.now > mm.next_trim
        if trim:
            mm.next_trim = self.now + SECOND

        def selected(it: Cpu) -> bool:
            return freed or (not it.lazy and (trim or it.loaded == number))

        targets = [other for other in others if selected(other)]
        local = cpu.number in mm.mask and selected(cpu)
        self.interrupt(cpu, targets, lambda it: self.told_by_name(it, number, wanted, event))
        if local:
            self.told_by_name(cpu, number, wanted, event)

    def told_by_name(self, cpu: Cpu, number: int, wanted: int, event: Event) -> None:
        """What a target does when the flush names an mm."""
        mm = self.mm(number)
        if cpu.loaded != number:
            if self.kernel.lazy_masks:
                mm.mask.discard(cpu.number)
            return
        if cpu.lazy:
            self.switch(cpu, None)
            return
        if cpu.slot.generation in (wanted, mm.generation):
            return
        one_step = wanted == cpu.slot.generation + 1 and wanted == mm.generation
        self.bring_up_to_date(cpu, event, event.pagewise and one_step)

    def flush_mask(self, cpu: Cpu, event: Event) -> None:
        """notifier, merged, batched, region-mask: one call to one set of CPUs."""
        mask = self.move(event)
        everything = self.design.scope == "everything"
        too_lazy = set() if event.freed or everything else {it.number for it in self.lazy_cpus()}
        if self.design.tracks == "running" and not event.freed:
            mask = {number for number in mask if self.cpus[number].loaded in self.sharers}
        told = self.drop_everything if everything else self.told_without_name
        local = cpu.number in mask - too_lazy
        targets = [self.cpus[number] for number in sorted(mask - too_lazy - {cpu.number})]
        self.interrupt(cpu, targets, lambda it: told(it, event))
        if local:
            told(cpu, event)

    def move(self, event: Event) -> set[int]:
        """What moves before the IPIs, and the CPUs in the mask that the design reads."""
        if self.design.tracks == "nothing":
            mask = {cpu.number for cpu in self.cpus}
            self.bump_sharers(event)
        elif self.design.tracks == "region":
            mask = set(self.region_mask)
            self.count["mask_words"] += self.words
            if self.design.bumps:
                self.region_generation += 1
                self.count["generation_bumps"] += 1
        else:
            mask = set().union(*(self.mm(mm).mask for mm in self.sharers))
            self.count["mask_words"] += self.words * event.bumps * len(self.sharers)
            self.bump_sharers(event)
        return mask

    def bump_sharers(self, event: Event) -> None:
        if self.design.bumps:
            for mm in self.sharers:
                self.mm(mm).generation += event.bumps
                self.count["generation_bumps"] += event.bumps

    def told_without_name(self, cpu: Cpu, event: Event) -> None:
        """What a told CPU does when the flush names no mm."""
        region = self.design.tracks == "region"
        if region and cpu.loaded not in self.sharers:
            if self.kernel.lazy_masks:
                self.region_mask.discard(cpu.number)
            return
        if cpu.loaded is None:
            return
        if cpu.lazy:
            self.switch(cpu, None)
            return
        if region:
            steps = self.region_generation - cpu.slot.region_generation
        else:
            steps = self.mm(cpu.loaded).generation - cpu.slot.generation
        if steps:
            self.bring_up_to_date(cpu, event, event.pagewise and steps == 1)

    def bring_up_to_date(self, cpu: Cpu, event: Event, by_page: bool) -> None:
        """INVLPG each page, or drop the slot in use; catch up."""
        if by_page:
            self.remove(cpu, lambda slot, page: slot == cpu.used and event.covers(page))
            self.count["page_flushes"] += event.pages
        else:
            self.drop(cpu, lambda slot: slot == cpu.used)
            self.count["full_flushes"] += 1
        self.catch_up(cpu)

    def drop_everything(self, cpu: Cpu, _: Event) -> None:
        self.drop(cpu, lambda slot: True)
        self.count["global_flushes"] += 1

    def flush_holders(self, cpu: Cpu, event: Event) -> None:
        """exact: only where an outdated translation of the event's pages is in use."""

        def invlpg(it: Cpu) -> None:
            self.remove(it, lambda slot, page: slot == it.used and event.covers(page))
            self.count["page_flushes"] += event.pages

        told = [
            it
            for it in self.cpus
            if it.loaded in self.sharers
            and not it.lazy
            and any(
                slot == it.used and event.covers(page) and self.outdated(page, version)
                for slot, page, version in it.entries()
            )
        ]
        self.interrupt(cpu, [it for it in told if it is not cpu], invlpg)
        if cpu in told:
            invlpg(cpu)
        for it in self.cpus:
            for slot, page, version in it.entries():
                if event.covers(page) and self.outdated(page, version):
                    del it.sets[page % self.set_count][slot, page]

    def broadcast(self, event: Event) -> None:
        """INVLPGB and TLBI: the hardware tells every CPU."""
        self.bump_sharers(event)
        fine = self.design.scope in ("pages", "pages-or-asid")
        full = not fine or event.freed or event.pages > BROADCAST_LIMIT[self.design.delivery]
        by_mm: list[int | None] = [None]
        if self.design.tracks == "each":
            by_mm = list(self.sharers)
        for mm in by_mm:
            self.count["broadcasts"] += 1 if full else self.instructions(event.pages)
            for cpu in self.cpus:
                slots = [n for n, slot in enumerate(cpu.slots) if mm is None or slot.mm == mm]
                if full:
                    self.drop(cpu, lambda slot, slots=slots: slot in slots)
                else:
                    self.remove(
                        cpu, lambda slot, page, slots=slots: slot in slots and event.covers(page)
                    )

    def instructions(self, pages: int) -> int:
        """Broadcast instructions for pages that are dropped one by one."""
        if self.design.delivery == "invlpgb":
            return math.ceil(pages / self.invlpgb_max)
        if self.design.delivery == "tlbi":
            return pages
        found = 0
        for scale in (3, 2, 1, 0):
            unit = 2 ** (5 * scale + 1)
            units, pages = divmod(pages, unit)
            found += math.ceil(units / 32)
        return found + pages

    # ------------------------------------------------------------------ deferring

    def defer(self, cpu: Cpu, event: Event) -> None:
        """deferred: recorded, and flushed by each CPU when it next passes by."""
        ring = [record for record in self.rings[cpu.number] if record.waiting]
        self.rings[cpu.number] = ring
        if event.freed or len(ring) >= RING:
            self.flush_mask(cpu, event)
            return
        mask = {number for number in self.move(event) if not self.cpus[number].lazy}
        if self.design.tracks == "running":
            mask = {number for number in mask if self.cpus[number].loaded in self.sharers}
        if cpu.number in mask:
            self.told_without_name(cpu, event)
        record = Record(mask - {cpu.number}, event)
        ring.append(record)
        assert self.changed is not None
        self.changed.records.append(record)
        for number in record.waiting:
            self.cpus[number].pending.append(record)

    def sweep(self, cpu: Cpu) -> None:
        """A recorded CPU passes by: it catches up and leaves all records."""
        pending, cpu.pending = cpu.pending, []
        if pending and cpu.loaded is not None:
            steps = self.mm(cpu.loaded).generation - cpu.slot.generation
            by_page = steps == 1 and len(pending) == 1 and pending[0].event.pagewise
            if steps:
                self.bring_up_to_date(cpu, pending[0].event, by_page)
        for record in pending:
            record.waiting.discard(cpu.number)

    # ------------------------------------------------------------------ told by interrupt

    def interrupt(self, cpu: Cpu, targets: list[Cpu], handle: Callable[[Cpu], None]) -> None:
        """One flush call: its round, its IPIs by receiver, and what the receivers do."""
        if not targets:
            return
        self.count["rounds"] += 1
        self.count["icr_writes"] += self.icr_writes({it.number for it in targets}, cpu.number)
        for target in targets:
            self.count["ipis"] += 1
            self.count["csds"] += 1
            self.count[self.doing(target)] += 1
            before = self.outdated_entries(target)
            handle(target)
            self.count["useful_ipis"] += self.outdated_entries(target) < before

    def icr_writes(self, targets: set[int], initiator: int) -> int:
        if targets | {initiator} == {cpu.number for cpu in self.cpus}:
            return 1
        return len({number // self.cluster for number in targets})

    def doing(self, cpu: Cpu) -> str:
        """The count that an IPI to this CPU belongs to."""
        if cpu.lazy or cpu.loaded is None:
            return "idle_ipis"
        return "sharer_ipis" if cpu.loaded in self.sharers else "bystander_ipis"

    def outdated_entries(self, cpu: Cpu) -> int:
        """Outdated translations of the operation's pages that the CPU holds."""
        if self.changed is None:
            return 0
        return sum(
            self.changed.covers(page) and self.outdated(page, version)
            for _, page, version in cpu.entries()
        )

    # ------------------------------------------------------------------ small helpers

    def mm(self, number: int) -> Mm:
        return self.mms.setdefault(number, Mm())

    def running(self, mm: int) -> Iterable[Cpu]:
        """CPUs that have the mm loaded, lazy or not."""
        return (cpu for cpu in self.cpus if cpu.loaded == mm)

    def lazy_cpus(self) -> Iterable[Cpu]:
        return (cpu for cpu in self.cpus if cpu.lazy)

    def changes(self, page: int) -> list[Done]:
        """Invalidates of the page so far; their number is its version."""
        return [done for done in self.history if done.covers(page)]

    def outdated(self, page: int, version: int) -> bool:
        return version < len(self.changes(page))

    def catch_up(self, cpu: Cpu) -> None:
        """The slot in use holds nothing outdated any more."""
        assert cpu.slot.mm is not None
        cpu.slot.generation = self.mm(cpu.slot.mm).generation
        cpu.slot.region_generation = self.region_generation

    def remove(self, cpu: Cpu, goes: Callable[[int, int], bool]) -> None:
        """Removes the entries (slot, page) that ``goes`` names."""
        for slot, page, _ in cpu.entries():
            if goes(slot, page):
                del cpu.sets[page % self.set_count][slot, page]

    def drop(self, cpu: Cpu, goes: Callable[[int], bool]) -> None:
        """A full or global flush: removes slots, and counts what was live as lost."""
        self.count["lost_entries"] += sum(
            goes(slot) and not self.outdated(page, version) for slot, page, version in cpu.entries()
        )
        self.remove(cpu, lambda slot, _: goes(slot))


def reference(
    trace: Trace, design: Design, kernel: Kernel, *, cpus: int | None = None, **options: object
) -> Counts[int]:
    """What :func:`mcost.simulator.simulate` answers, worked out slowly."""
    machine = ReferenceMachine(design, kernel, cpus or trace.cpus, **options)  # type: ignore[arg-type]
    return machine.run(trace)
