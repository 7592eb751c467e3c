"""Measuring this machine: an initiator among threads of one process pinned to other CPUs.

The other threads spin without the GIL, so each of their CPUs runs this process, is not lazy,
and must be interrupted by every flush. Runs are interleaved in rounds; a round gives the
median of each point, and rounds are what the intervals come from.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcost.calibrate import loops

__all__ = ["LONGEST", "PAGES", "Point", "Run", "measure", "sockets_of", "usable_cpus"]

PAGES: tuple[int, ...] = (1, 2, 4, 8, 16, 24, 32, 33, 34, 48, 64, 128, 256, 512)
"""Pages of one operation: on both sides of the ceiling of 33, up to one page table."""

LONGEST = 60.0
"""Seconds a calibration may take."""

_OPERATIONS = {"madvise": loops.time_madvise, "mprotect": loops.time_mprotect}
_CHAIN = 256
_FLUSHED_PAGES = 64
_QUIET_NS = 3000
_FEWEST_RUNS = 8
_MOST_REMOTES = 12
_FEWEST_ROUNDS = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """What one run varied: operation, pages, remote CPUs on the same and on other sockets."""

    operation: str
    pages: int
    near: int
    far: int


@dataclass
class Run:
    """Everything measured, one list entry a round.

    Attributes:
        times: median ns of the call, by point.
        touches: median ns of touching the pages before it, by point.
        busy: ns that one flush of one page takes from a spinning thread, by round and operation.
        refill: ns of one walk after a full flush.
        told: remote CPUs that ran while a flush was due to reach them, summed.
        stalled: the same for those that did not run, which may need no interrupt.
        interrupts: TLB interrupts that the kernel counted meanwhile; None when
            /proc/interrupts has no TLB line.
    """

    times: dict[Point, list[float]] = field(default_factory=dict)
    touches: dict[Point, list[float]] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)
    refill: list[float] = field(default_factory=list)
    told: int = 0
    stalled: int = 0
    interrupts: int | None = None


def usable_cpus() -> list[int]:
    """CPUs this process may run on, in order.

    Raises:
        ValueError: not Linux, or fewer than two CPUs: there is nobody to interrupt.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError(f"calibrate: needs Linux, this is {sys.platform}; use --published")
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise ValueError("calibrate: needs 2 CPUs or more to interrupt one, this has 1")
    return cpus


def sockets_of(cpus: Sequence[int]) -> dict[int, int]:
    """Package of each CPU; 0 where the kernel does not say."""
    found = {}
    for cpu in cpus:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id")
        text = path.read_text(encoding="ascii").strip() if path.exists() else "0"
        found[cpu] = int(text) if text.isdigit() else 0
    return found


def measure(seconds: float, tell: Callable[[float], None] | None = None, seed: int = 0) -> Run:
    """Measures for about ``seconds``, compiling included.

    Args:
        seconds: time to spend, above 0 and at most :data:`LONGEST`.
        tell: called with the share of the time that has passed, between runs.
        seed: of the order of the runs.

    Raises:
        ValueError: a machine that cannot be measured, or seconds out of range.
    """
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"seconds: {seconds} is out of range, must be above 0, to {LONGEST:.0f}")
    cpus = usable_cpus()
    allowed = os.sched_getaffinity(0)
    begin = time.monotonic()
    bench = _Bench(seed)
    run, rng = Run(), np.random.default_rng(seed)
    sets = _target_sets(cpus)
    os.sched_setaffinity(0, {cpus[0]})
    try:
        bench.warm_up()
        before = _tlb_interrupts()
        rounds = 0
        while rounds < _FEWEST_ROUNDS or time.monotonic() - begin < seconds:
            for at in rng.permutation(len(sets)):
                near, far = sets[int(at)]
                bench.one_set(run, near, far, rng)
                passed = time.monotonic() - begin
                if tell:
                    tell(min(1.0, passed / seconds))
                if passed > LONGEST:
                    raise ValueError("calibrate: this machine is too busy to measure in 60 s")
            run.refill.append(bench.refill())
            rounds += 1
        after = _tlb_interrupts()
        if before is not None and after is not None:
            run.interrupts = after - before
    finally:
        os.sched_setaffinity(0, allowed)
    return run


def _target_sets(cpus: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Sets of remote CPUs (near, far): none, 1, 2, 4 ... of each kind, and everybody."""
    packages = sockets_of(cpus)
    near = [cpu for cpu in cpus[1:] if packages[cpu] == packages[cpus[0]]]
    far = [cpu for cpu in cpus[1:] if packages[cpu] != packages[cpus[0]]]
    sets: list[tuple[list[int], list[int]]] = [([], [])]
    sets += [(near[:k], []) for k in _steps(len(near))]
    sets += [([], far[:k]) for k in _steps(len(far))]
    if near and far:
        sets.append((near, far))
    return sets


def _steps(most: int) -> list[int]:
    every = list(range(1, most + 1))
    if most <= _MOST_REMOTES:
        return every
    return sorted({round(k) for k in np.geomspace(1, most, _MOST_REMOTES)})


def _tlb_interrupts() -> int | None:
    """Sum of the TLB line of /proc/interrupts, None without one."""
    try:
        lines = Path("/proc/interrupts").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in lines.splitlines():
        words = line.split()
        if words and words[0] == "TLB:":
            return sum(int(word) for word in words[1:] if word.isdigit())
    return None


class _Bench:
    """Memory and threads of one calibration."""

    def __init__(self, seed: int) -> None:
        self.memory = _pages(max(PAGES))
        self.other = _pages(_FLUSHED_PAGES)
        self.stamp = np.zeros(2, dtype=np.int64)
        self.chain, self.start = _chain(_CHAIN, seed)

    def warm_up(self) -> None:
        """Compiles the loops and makes the pages resident."""
        stop, counters = np.ones(1, dtype=np.int64), np.zeros(loops.LINE, dtype=np.int64)
        loops.spin(stop, counters, 0)
        marks = np.zeros(0, dtype=np.int64)
        for timed in _OPERATIONS.values():
            timed(self.memory, 1, self.stamp, counters, marks, np.zeros((4, 4), dtype=np.int64))
        loops.time_nothing(0, self.stamp, counters, marks, np.zeros((4, 4), dtype=np.int64))
        self.refill()

    def one_set(self, run: Run, near: list[int], far: list[int], rng: np.random.Generator) -> None:
        """Every point with these remote CPUs once."""
        remotes = len(near) + len(far)
        with self._spinning(near + far) as counters:
            marks = counters[:: loops.LINE][:remotes].copy()
            quiet = np.zeros((400, 4), dtype=np.int64)
            loops.time_nothing(_QUIET_NS, self.stamp, counters, marks, quiet)
            ran = quiet[quiet[:, 3] > 0]
            pace = float(np.median(ran[:, 3] / ran[:, 2])) if len(ran) else None
            for operation in sorted(_OPERATIONS):
                for pages in rng.permutation(PAGES):
                    count = int(np.clip(2000 // (8 + pages), _FEWEST_RUNS, 200))
                    out = np.zeros((count, 4), dtype=np.int64)
                    _OPERATIONS[operation](
                        self.memory, int(pages), self.stamp, counters, marks, out
                    )
                    _keep(run, Point(operation, int(pages), len(near), len(far)), out, pace)

    @contextmanager
    def _spinning(self, cpus: list[int]) -> Iterator[npt.NDArray[np.int64]]:
        """Threads that count on the given CPUs; all have started when the block begins."""
        stop = np.zeros(1, dtype=np.int64)
        counters = np.zeros(loops.LINE * max(1, len(cpus)), dtype=np.int64)

        def work(cpu: int, at: int) -> None:
            os.sched_setaffinity(0, {cpu})
            loops.spin(stop, counters, at)

        threads = [
            threading.Thread(target=work, args=(cpu, loops.LINE * k), daemon=True)
            for k, cpu in enumerate(cpus)
        ]
        try:
            for thread in threads:
                thread.start()
            while threads and not counters[:: loops.LINE].all():
                time.sleep(0.0005)
            yield counters
        finally:
            stop[0] = 1
            for thread in threads:
                if thread.ident is not None:
                    thread.join()

    def refill(self) -> float:
        """Time of one walk, ns: dependent loads after a full flush less those without, a page."""
        medians = []
        for flushed in (_FLUSHED_PAGES, 0):
            out = np.zeros(40, dtype=np.int64)
            loops.time_chase(self.chain, self.start, _CHAIN, self.other, flushed, self.stamp, out)
            medians.append(float(np.median(out)))
        return (medians[0] - medians[1]) / _CHAIN


def _keep(run: Run, point: Point, out: npt.NDArray[np.int64], pace: float | None) -> None:
    """Medians of the runs in which every spinning thread ran."""
    remotes = point.near + point.far
    ran = out[out[:, 3] >= 0]
    run.told += len(ran) * remotes
    run.stalled += (len(out) - len(ran)) * remotes
    if len(ran) < _FEWEST_RUNS:
        return
    run.times.setdefault(point, []).append(float(np.median(ran[:, 0])))
    run.touches.setdefault(point, []).append(float(np.median(ran[:, 1])))
    if remotes and pace and point.pages == 1:
        lost = ran[:, 2] - ran[:, 3] / pace
        run.busy.append(float(np.median(lost)) / remotes)


def _chain(pages: int, seed: int) -> tuple[npt.NDArray[np.int64], int]:
    """One closed walk over ``pages`` pages in random order, each on another cache line."""
    order = np.random.default_rng(seed).permutation(pages)
    chain = _pages(pages).view(np.int64)
    entries = order * (loops.PAGE // 8) + (order * loops.LINE) % (loops.PAGE // 8)
    chain[entries] = np.roll(entries, -1)
    return chain, int(entries[0])


def _pages(count: int) -> npt.NDArray[np.uint8]:
    """Private anonymous memory without huge pages, written once."""
    area = mmap.mmap(-1, count * loops.PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(mmap.MADV_NOHUGEPAGE)
    memory = np.frombuffer(area, dtype=np.uint8)
    memory[:: loops.PAGE] = 1
    return memory
