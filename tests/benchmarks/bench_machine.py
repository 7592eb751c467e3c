"""The full-rule machine beside an equal loop in C, libCacheSim and SimPy.

Timed: ``simulate`` of a prepared trace, compiled before: it makes the machine's memory and
runs the loop, with the stale-hit check, which no option turns off. Not timed: making the
trace, and checking and preparing it, which has a row of its own. The C loop obeys the same
rules and counts the same, with the check, but asks every CPU of the union at each flush; the
machine visits those that may hold the page, so its lead grows with N.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import libcachesim
import numpy as np
import pytest
from c_loop import DESIGNS as IN_C
from c_loop import c_simulate
from simpy_model import simpy_counts
from workload import EVENTS, PAGES, SETS, WAYS, only_touches, prepared, region_trace, touched

from mcost.simulator import Prepared, prepare, simulate
from mcost.spec.counts import Counts
from mcost.spec.designs import DESIGNS, design
from mcost.spec.kernels import kernel
from mcost.traces.checks import check_trace
from mcost.traces.schema import Trace

Measure = Callable[..., Any]

MILLION = 1_000_000
RATE = "M events/s"
LRU = "libCacheSim LRU, 64 entries, accesses alone"
SHORT = 200_000
"""Events of the SimPy run."""


def machine(trace: Prepared | Trace, name: str, **geometry: int) -> Counts[int]:
    """The machine on eager masks."""
    geometry = {"sets": SETS, "ways": WAYS} | geometry
    return simulate(trace, design(name), kernel("6.12"), **geometry)


def where(name: str, cpus: int, sharers: int) -> str:
    """A cell of the grid, for people."""
    return f"{name}, N = {cpus}, S = {sharers}"


@pytest.mark.parametrize("name", IN_C)
@pytest.mark.parametrize("cpus", [64, 1024])
def test_c_loop(measure: Measure, cpus: int, name: str) -> None:
    """machine.c, one thread; its counts are the machine's."""
    trace = prepared(cpus, 64)
    call = partial(c_simulate, trace, name, cpus)
    counts = measure(f"C loop, {where(name, cpus, 64)}", RATE, EVENTS / MILLION, call)
    assert counts == machine(trace, name)
    assert counts.useful_ipis > 0


@pytest.mark.parametrize("name", IN_C)
@pytest.mark.parametrize("cpus", [64, 256, 1024, 8192])
@pytest.mark.parametrize("sharers", [64, 1500, 100_000])
def test_machine(measure: Measure, cpus: int, sharers: int, name: str) -> None:
    """Events per second, one thread; fewer events where each unmap interrupts 8,191 CPUs."""
    events = EVENTS if cpus <= 1024 else EVENTS // 10
    trace = prepared(cpus, sharers, events)
    against = [(f"C loop, {where(name, cpus, sharers)}", ">= 0.8")]
    if cpus > 64:
        aim = ">= 0.5" if cpus == 1024 else ""
        against.append((f"machine, {where(name, 64, sharers)}", aim))
    if sharers > 64:
        against.append((f"machine, {where(name, cpus, 64)}", ""))
    label, call = f"machine, {where(name, cpus, sharers)}", partial(machine, trace, name)
    counts = measure(label, RATE, events / MILLION, call, rounds=5, against=tuple(against))
    assert counts.stale_hits == 0
    assert counts.ipis > 0


def test_preparation(measure: Measure) -> None:
    """What comes before the loop: believing the trace, and dense numbers; once a trace."""
    trace = region_trace(64, 64)

    def ready() -> Prepared:
        check_trace(trace, None)
        return prepare(trace)

    got = measure("check and prepare a trace, N = 64", RATE, EVENTS / MILLION, ready, rounds=5)
    assert got.cpus == 64


def test_libcachesim(measure: Measure, tmp_path: Path) -> None:
    """Native LRU over a binary trace file; a machine of one CPU and one set misses as often."""
    pages = touched(prepared(64, 64))
    reader = _requests(pages, tmp_path / "accesses.oracleGeneral")

    def read() -> float:
        reader.reset()
        return float(libcachesim.LRU(cache_size=SETS * WAYS).process_trace(reader)[0])

    missed = measure(LRU, RATE, len(pages) / MILLION, read)
    alone = machine(prepare(only_touches(pages, 1)), "host-mm", sets=1, ways=SETS * WAYS)
    assert round(missed * len(pages)) == alone.walks


def _requests(pages: np.ndarray, path: Path) -> libcachesim.TraceReader:
    """The accesses as libCacheSim's own 24-byte records."""
    fields = [("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")]
    rows = np.zeros(len(pages), np.dtype(fields))
    rows["object"], rows["size"], rows["next"] = pages + 1, 1, -1
    rows.tofile(path)
    kind = libcachesim.TraceType.ORACLE_GENERAL_TRACE
    options = libcachesim.ReaderInitParam(ignore_obj_size=True)
    return libcachesim.TraceReader(str(path), kind, options)


def test_accesses(measure: Measure) -> None:
    """The machine on what libCacheSim had, on 64 CPUs with 64 entries each."""
    trace = prepare(only_touches(touched(prepared(64, 64)), 64))
    call = partial(machine, trace, "per-mm")
    label, amount = "machine, accesses alone, N = 64", len(trace.events.cpu) / MILLION
    counts = measure(label, RATE, amount, call, against=((LRU, ">= 3.0"),))
    assert counts.walks > PAGES


def test_simpy(measure: Measure) -> None:
    """A process a CPU, dictionaries, the same counts."""
    trace = region_trace(64, 64, SHORT)
    call = partial(simpy_counts, trace)
    seen = measure("SimPy, per-mm, N = 64, S = 64", RATE, SHORT / MILLION, call, rounds=3)
    counts = machine(trace, "per-mm")
    assert seen["useful_ipis"] > 0
    assert seen == {name: getattr(counts, name) for name in seen}


@pytest.mark.parametrize("threads", [1, 2])
def test_ten_designs(measure: Measure, threads: int) -> None:
    """Ten designs over one trace in memory: the loop leaves the interpreter to other threads."""
    trace = prepared(64, 64)

    def all_designs() -> list[Counts[int]]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(partial(machine, trace), [one.name for one in DESIGNS]))

    amount = len(DESIGNS) * EVENTS / MILLION
    label = "ten designs over one trace, {} thread{}"
    against = ((label.format(1, ""), ""),) if threads > 1 else ()
    got = measure(
        label.format(threads, "s" * (threads > 1)),
        RATE,
        amount,
        all_designs,
        rounds=3,
        against=against,
    )
    assert got == [machine(trace, one.name) for one in DESIGNS]
