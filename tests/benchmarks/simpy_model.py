"""The same trace in plain SimPy: a process a CPU, dictionaries for TLBs, per-mm flushes."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Generator
from typing import Any

import simpy
from workload import SETS, WAYS

from mcost.traces.schema import ATTACH, INVALIDATE, SWITCH, Trace

__all__ = ["Cpu", "Region", "simpy_counts"]

SLOTS = 6
Row = tuple[int, int, int, int]


class Cpu:
    """One CPU: what it has loaded, its ASID slots, and a TLB of (slot, page) -> version."""

    def __init__(self) -> None:
        self.loaded = -1
        self.slot = 0
        self.next = 0
        self.owner = [-1] * SLOTS
        self.generation = [0] * SLOTS
        self.tlb: list[OrderedDict[tuple[int, int], int]] = [OrderedDict() for _ in range(SETS)]

    def drop(self, slot: int) -> None:
        """Drops a slot's translations."""
        for held in self.tlb:
            for key in [key for key in held if key[0] == slot]:
                del held[key]


class Region:
    """The shared region, its sharers (running ones by mm) and the counts."""

    def __init__(self, env: simpy.Environment, cpus: int) -> None:
        self.env = env
        self.cpus = [Cpu() for _ in range(cpus)]
        self.sharers: set[int] = set()
        self.bumps = 0
        self.version: Counter[int] = Counter()
        self.counts: Counter[str] = Counter()

    def follow(self, number: int, rows: list[Row]) -> Generator[simpy.Event, Any, None]:
        """One CPU's events, each at its time."""
        for time, event, mm, page in rows:
            yield self.env.timeout(time - self.env.now)
            if event == ATTACH:
                self.sharers.add(mm)
            elif event == SWITCH:
                self.switch(self.cpus[number], mm)
            elif event == INVALIDATE:
                self.unmap(number, page)
            else:
                self.touch(self.cpus[number], page)

    def switch(self, cpu: Cpu, mm: int) -> None:
        """Loads an mm in its slot, or in the next one."""
        if cpu.loaded == mm:
            return
        cpu.loaded = mm
        if mm in cpu.owner:
            cpu.slot = cpu.owner.index(mm)
            if cpu.generation[cpu.slot] == self.bumps:
                return
        else:
            cpu.slot, cpu.next = cpu.next, (cpu.next + 1) % SLOTS
        cpu.drop(cpu.slot)
        self.counts["switch_flushes"] += 1
        cpu.owner[cpu.slot], cpu.generation[cpu.slot] = mm, self.bumps

    def touch(self, cpu: Cpu, page: int) -> None:
        """A hit or a walk; least recently used goes first."""
        held, key = cpu.tlb[page % SETS], (cpu.slot, page)
        if key in held:
            held.move_to_end(key)
            self.counts["stale_hits"] += held[key] < self.version[page]
            return
        self.counts["walks"] += 1
        if len(held) == WAYS:
            held.popitem(last=False)
        held[key] = self.version[page]

    def unmap(self, initiator: int, page: int) -> None:
        """One page goes: each sharer's mm is flushed on the CPUs that have it loaded."""
        self.version[page] += 1
        self.bumps += 1
        told = set()
        for number, cpu in enumerate(self.cpus):
            if cpu.loaded not in self.sharers:
                continue
            cpu.generation[cpu.slot] = self.bumps
            gone = cpu.tlb[page % SETS].pop((cpu.slot, page), None)
            self.counts["page_flushes"] += 1
            if number != initiator:
                told.add(cpu.loaded)
                self.counts["ipis"] += 1
                self.counts["useful_ipis"] += gone is not None
        self.counts["rounds"] += len(told)


def simpy_counts(trace: Trace) -> Counter[str]:
    """What per-mm on eager masks counts, for a trace with an event at a time."""
    env = simpy.Environment()
    region = Region(env, trace.cpus)
    rows: list[list[Row]] = [[] for _ in region.cpus]
    columns = (trace.cpu, trace.time, trace.event, trace.mm, trace.page)
    for cpu, *row in zip(*(column.tolist() for column in columns), strict=True):
        rows[cpu].append(tuple(row))
    for number, of_cpu in enumerate(rows):
        env.process(region.follow(number, of_cpu))
    env.run()
    return region.counts
