"""Simulating traces: one trace, or many small ones at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcost.simulator.codes import cuts, rules, unit_pages
from mcost.simulator.layout import Needs, allocate
from mcost.simulator.machine import run
from mcost.simulator.prepare import Prepared, prepare
from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.kernels import Kernel
from mcost.spec.lookup import find
from mcost.spec.operations import DEFAULT_BATCH
from mcost.spec.scenario import APIC_MODES, DEFAULT_INVLPGB_MAX, Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.checks import check_trace
from mcost.traces.schema import Trace

__all__ = ["simulate", "simulate_parts", "simulate_trials"]


_FIT = 8
"""Pages for each set of a TLB that is to hold them all; it has more ways than that."""


def simulate(
    trace: Trace | Prepared,
    design: Design,
    kernel: Kernel,
    *,
    cpus: int | None = None,
    sets: int = 128,
    ways: int = 12,
    batch: int = DEFAULT_BATCH,
    apic: str = "cluster",
    share_level: str = "p4d",
    invlpgb_max: int = DEFAULT_INVLPGB_MAX,
) -> Counts[int]:
    """What happens when ``design`` runs ``trace``, counted exactly.

    Args:
        trace: any trace, checked first since the compiled loop trusts it; or a checked one
            made ready by :func:`prepare` for many designs.
        design: who is told, how, and how much is dropped.
        kernel: mask policy, gather capacity, migration batch.
        cpus: online CPUs; None for the highest CPU of the trace + 1. With 1 nobody can be
            interrupted.
        sets, ways: geometry of every TLB, default 128 x 12 = 1,536 entries (Skylake's
            second level, published.csv R-tlb).
        batch: clean pages of one held-back reclaim flush.
        apic: ``cluster`` or ``physical`` (ICR writes).
        share_level: ``pte``, ``pmd`` or ``p4d``: what ``classic`` unlinks.
        invlpgb_max: pages of one INVLPGB.

    Returns:
        Totals over the whole trace, in the units of ``vocabulary.COUNTS``.

    Raises:
        TraceError: a rule of :func:`mcost.traces.checks.check_trace` is broken.
        ValueError: geometry below 1, unknown mode, or ``cpus`` too small for the trace.
    """
    if not isinstance(trace, Prepared):
        check_trace(trace, cpus)
    counts = simulate_parts(
        trace if isinstance(trace, Prepared) else prepare(trace),
        design,
        kernel,
        cpus=cpus,
        sets=sets,
        ways=ways,
        batch=batch,
        apic=apic,
        share_level=share_level,
        invlpgb_max=invlpgb_max,
    )
    return Counts(*(int(value) for value in counts[0]))


def simulate_parts(
    trace: Prepared,
    design: Design,
    kernel: Kernel,
    *,
    cpus: int | None = None,
    sets: int = 128,
    ways: int = 12,
    batch: int = DEFAULT_BATCH,
    apic: str = "cluster",
    share_level: str = "p4d",
    invlpgb_max: int = DEFAULT_INVLPGB_MAX,
) -> npt.NDArray[np.int64]:
    """As :func:`simulate`, each independent part of the trace on a fresh machine.

    Returns:
        int64 [parts, counts], columns in the order of ``COUNT_NAMES``.
    """
    online = trace.cpus if cpus is None else cpus
    for name, value in (("cpus", online), ("sets", sets), ("ways", ways), ("batch", batch)):
        if value < 1:
            raise ValueError(f"{name}: {value} is out of range, must be at least 1")
    if invlpgb_max < 1:
        raise ValueError(f"invlpgb_max: {invlpgb_max} is out of range, must be at least 1")
    if online < trace.cpus:
        raise ValueError(f"cpus: {online} is too few, the trace uses CPU {trace.cpus - 1}")
    unit = unit_pages(share_level)
    find("apic mode", apic, APIC_MODES)
    columns = rules(design, kernel, online, sets, ways, APIC_MODES[apic], invlpgb_max, unit)
    table = np.array(cuts(design, kernel, batch), dtype=np.int64)
    pages = trace.pages(sets, unit)
    needs = Needs(trace.mms, trace.attaches, _flush_events(trace, table))
    memory = allocate(columns, needs, pages)
    out = np.empty((len(trace.events.starts) - 1, len(COUNT_NAMES)), dtype=np.int64)
    with np.errstate(over="ignore"):  # mask arithmetic wraps; seen only with the JIT off
        run(memory, table, trace.events, out)
    return out


def simulate_trials(
    trials: Prepared, design: Design, scenario: Scenario, *, sets: int = 0, ways: int = 12
) -> npt.NDArray[np.int64]:
    """As :func:`simulate_parts`, on the machine that a scenario describes.

    Args:
        trials: one part a trial, as ``synthesize`` makes them.
        design: who answers.
        scenario: kernel, CPUs, batch, APIC mode and INVLPGB limit.
        sets: sets of each TLB; 0 for enough to hold all pages of the operation.
        ways: entries of each set.
    """
    return simulate_parts(
        trials,
        design,
        scenario.variant,
        cpus=scenario.cpus,
        sets=sets or -(-scenario.pages // _FIT),
        ways=ways,
        batch=scenario.batch,
        apic=scenario.apic,
        invlpgb_max=scenario.invlpgb_max,
    )


def _flush_events(trace: Prepared, table: npt.NDArray[np.int64]) -> int:
    """Upper limit of flush events: every cut falls inside the operation."""
    pages, kind = trace.events.changes[:, 1], trace.events.changes[:, 2]
    size = table[kind, 0]
    return int(np.where(size > 0, pages // np.maximum(size, 1) + 2, 2).sum())
