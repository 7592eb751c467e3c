"""What if the processes of a recording shared a region: three answers beside one another.

- plug-in: the closed forms of one placement, fed with what the recording says on average:
  its share of CPU time, its lazy share, its mask sizes, the pages of each operation;
- simulated: every design on the recorded schedule itself;
- recorded: what the kernel counted for those operations. It ran private tables, so it is to
  be held against ``per-mm``; a sharer without a PTE there got no flush, and a handler with
  nothing to do traces nothing (KF 8.2), so it is a lower bound.

A plug-in is right when the schedule is stationary and independent of the operations. Where it
is not, :func:`windows` and :func:`findings` say by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcost.algebra.counts import expect, mean_sd
from mcost.checks.kernel.release import variant_of
from mcost.checks.schedule import Schedule, operations, schedule
from mcost.simulator import prepare, simulate
from mcost.spec.designs import DESIGNS, Design
from mcost.spec.kernels import Kernel, kernel
from mcost.spec.operations import TABLE_PAGES
from mcost.spec.scenario import Scenario
from mcost.traces.importers import Calls, Imported
from mcost.traces.schema import KINDS, Trace

__all__ = [
    "COUNTED",
    "WhatIf",
    "compare_designs",
    "each_operation",
    "findings",
    "plug_in",
    "windows",
]

COUNTED: tuple[str, ...] = (
    "flush_events",
    "rounds",
    "ipis",
    "sharer_ipis",
    "idle_ipis",
    "bystander_ipis",
    "page_flushes",
    "full_flushes",
    "global_flushes",
    "generation_bumps",
)
"""Counts that both answers have, and that do not depend on which pages were touched."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WhatIf:
    """One recording, ready for the questions.

    Attributes:
        imported: trace, summary and the kernel's own calls; with ``merge_walks`` an
            operation is one walk over all sharers.
        variant: mask policy and capacities to answer with.
        cpus: online CPUs.
        runs: where sharers ran.
    """

    imported: Imported
    variant: Kernel
    cpus: int
    runs: Schedule

    @classmethod
    def of(cls, imported: Imported, kernel_name: str | None = None) -> WhatIf:
        """Takes the kernel from the recording's head unless one is named.

        Raises:
            ValueError: no or an unknown kernel, or no operation to ask about.
        """
        if not kernel_name and not imported.summary.kernel:
            raise ValueError(f"{imported.summary.file}: names no kernel; give one, such as 6.12")
        found = kernel(kernel_name) if kernel_name else variant_of(imported.summary.kernel)
        if not imported.summary.invalidates:
            raise ValueError(
                f"{imported.summary.file}: no flush call counts as an operation on the region;"
                " choose other sharers or another --region"
            )
        cpus = max(imported.summary.cpus, imported.trace.cpus)
        return cls(imported, found, cpus, schedule(imported.trace, cpus))

    @property
    def trace(self) -> Trace:
        """The imported trace."""
        return self.imported.trace

    @property
    def rows(self) -> Ints:
        """Rows of its operations."""
        return operations(self.trace)

    @property
    def initiators(self) -> Ints:
        """CPU that asked, for each operation."""
        return np.asarray(self.trace.cpu[self.rows], dtype=np.int64)

    @property
    def moments(self) -> Ints:
        """Time of each operation, ns."""
        return self.trace.time[self.rows]


def plug_in(
    asked: WhatIf, pages: int, offset: int, kind: str, share: float | None = None
) -> Scenario:
    """The scenario that stands for the recording's average.

    Eager masks: ``snapshot`` with the measured share and lazy share. Lazy masks:
    ``uniform`` with as many CPUs a sharer as its recorded masks had on average (without a
    recorded mask: ``snapshot``, whose masks hold no stale bits).

    Args:
        asked: the recording.
        pages, offset, kind: of the operation.
        share: instead of the whole recording's.
    """
    summary = asked.imported.summary
    rho = min(1.0, summary.share if share is None else share)
    size = _mask_size(asked.imported.calls)
    common = {
        "cpus": asked.cpus, "sharers": len(summary.sharers), "pages": pages, "offset": offset,
        "operation": kind, "kernel": asked.variant.name,
    }  # fmt: skip
    if asked.variant.lazy_masks and size:
        return Scenario(**common, placement="uniform", threads=min(asked.cpus, size), share=rho)  # type: ignore[arg-type]
    idle = min(summary.lazy, 1.0 - rho)
    return Scenario(**common, placement="snapshot", share=rho, idle=idle)  # type: ignore[arg-type]


def _mask_size(calls: Calls) -> int:
    """Mean size of the recorded masks of single mms, initiator apart, at least 1; 0 if none."""
    known = (calls.mask >= 0) & (calls.mm >= 0)
    return max(1, round(float(calls.mask[known].mean()))) if known.any() else 0


def compare_designs(asked: WhatIf, designs: Sequence[Design] = DESIGNS) -> pd.DataFrame:
    """Counts per operation of every design: plug-in, simulated, recorded.

    Returns:
        One row a (design, count): ``plug_in`` (NaN without a closed form), ``simulated``,
        ``off_percent`` of the plug-in from the simulation (NaN where that is 0), and
        ``recorded`` where the kernel counted that for ``per-mm``.
    """
    operations_done = len(asked.rows)
    ready = prepare(asked.trace)
    seen = _recorded(asked)
    rows = []
    for one in designs:
        expected = _expected(asked, one)
        ran = simulate(ready, one, asked.variant, cpus=asked.cpus)
        for count in COUNTED:
            simulated = getattr(ran, count) / operations_done
            guess = expected[count]
            off = 100 * (guess / simulated - 1) if simulated else np.nan
            recorded = seen.get(count, np.nan) if one.name == "per-mm" else np.nan
            rows.append((one.name, count, guess, simulated, off, recorded))
    return pd.DataFrame(
        rows, columns=["design", "count", "plug_in", "simulated", "off_percent", "recorded"]
    )


def _expected(asked: WhatIf, one: Design) -> dict[str, float]:
    """Plug-in means per operation, over the operations' own pages."""
    trace, rows = asked.trace, asked.rows
    each = np.column_stack([trace.pages[rows], trace.page[rows] % TABLE_PAGES, trace.kind[rows]])
    different, times = np.unique(each, axis=0, return_counts=True)
    total = dict.fromkeys(COUNTED, 0.0)
    for (pages, offset, kind), number in zip(different.tolist(), times.tolist(), strict=True):
        found = expect(plug_in(asked, pages, offset, KINDS[kind]), one)
        for count in COUNTED:
            moment = mean_sd(getattr(found, count))
            total[count] += np.nan if moment is None else moment[0] * number
    return {count: value / len(rows) for count, value in total.items()}


def _recorded(asked: WhatIf) -> dict[str, float]:
    """What the kernel counted per operation: calls that told somebody, and whom."""
    table = each_operation(asked)
    return {"rounds": float(table["rounds"].mean()), "ipis": float(table["told"].mean())}


def each_operation(asked: WhatIf) -> pd.DataFrame:
    """One row an operation, as recorded and as the schedule was at its moment.

    Returns:
        ``time_s`` since the start; ``cpu`` that asked; ``pages``; ``calls`` of the kernel and
        ``rounds`` among them that told somebody; ``told``: CPUs told (csd_queue_cpu where
        recorded, else receptions); ``lasted_us`` from its first call to its last;
        ``running``: other CPUs that ran a sharer at its first call; ``sharers``: sharers
        that ran there.
    """
    calls = asked.imported.calls
    ours = np.flatnonzero(calls.row >= 0)
    rows = asked.rows
    which = np.searchsorted(rows, calls.row[ours])
    told = np.where(calls.targets[ours] >= 0, calls.targets[ours], calls.received[ours])
    size = len(rows)
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.full(size, -1)
    np.minimum.at(first, which, calls.time[ours])
    np.maximum.at(last, which, calls.time[ours])
    moments = asked.moments
    return pd.DataFrame(
        {
            "time_s": (moments - asked.runs.start) / 1e9,
            "cpu": asked.initiators,
            "pages": asked.trace.pages[rows],
            "calls": np.bincount(which, minlength=size),
            "rounds": np.bincount(which, weights=told > 0, minlength=size).astype(np.int64),
            "told": np.bincount(which, weights=told, minlength=size).astype(np.int64),
            "lasted_us": (last - first) / 1e3,
            "running": asked.runs.running(moments, asked.initiators),
            "sharers": asked.runs.sharers_seen(moments, asked.initiators),
        }
    )


def windows(asked: WhatIf, count: int = 10) -> pd.DataFrame:
    """The recording cut into equal windows: is it stationary?

    Returns:
        Per window ``start_s``, ``share`` and ``lazy`` of CPU time, ``operations``, and per
        operation ``running`` (others running a sharer), ``told`` (recorded),
        ``plug_in_window`` and ``plug_in_whole``: (N - 1) x share of the window and of the
        whole, what ``per-mm`` and ``merged`` interrupt in the snapshot.

    Raises:
        ValueError: fewer than one window.
    """
    if count < 1:
        raise ValueError(f"windows: {count} is out of range, must be at least 1")
    edges = np.linspace(asked.runs.start, asked.runs.end, count + 1).astype(np.int64)
    table = each_operation(asked)
    at = np.clip(np.searchsorted(edges, asked.moments, side="right") - 1, 0, count - 1)
    grouped = table.groupby(at)[["running", "told"]].mean().reindex(range(count))
    share = asked.runs.share(edges)
    whole = asked.runs.share(edges[[0, -1]])[0]
    return pd.DataFrame(
        {
            "start_s": (edges[:-1] - asked.runs.start) / 1e9,
            "share": share,
            "lazy": asked.runs.share(edges, lazy=True),
            "operations": np.bincount(at, minlength=count),
            "running": grouped["running"].to_numpy(),
            "told": grouped["told"].to_numpy(),
            "plug_in_window": (asked.cpus - 1) * share,
            "plug_in_whole": (asked.cpus - 1) * whole,
        }
    )


def _each_call(asked: WhatIf) -> tuple[float, float]:
    """Per call whose mm is known: CPUs that ran it, CPUs that the kernel told."""
    calls = asked.imported.calls
    known = (calls.row >= 0) & (calls.running >= 0)
    if not known.any():
        return np.nan, np.nan
    told = np.where(calls.targets >= 0, calls.targets, calls.received)
    return float(calls.running[known].mean()), float(told[known].mean())


def findings(asked: WhatIf, count: int = 10) -> pd.DataFrame:
    """Each assumption of the plug-in beside what the recording shows.

    Returns:
        ``assumption``, ``assumed`` and ``seen`` (numbers), ``off_percent``, ``meaning``.
    """
    table, parts = each_operation(asked), windows(asked, count)
    others = asked.cpus - 1
    edges = np.array([asked.runs.start, asked.runs.end])
    share = float(asked.runs.share(edges)[0])
    usual = int(np.bincount(asked.initiators).argmax())
    rest = float(asked.runs.share(edges, without=usual)[0])
    spread = float(table["running"].var(ddof=0))
    sharers = len(asked.imported.summary.sharers)
    loaded = sharers * (1 - (1 - rest / sharers) ** others) if sharers else 0.0
    rows = [
        ("share of other CPUs = share of all", share, rest,
         f"CPU {usual} asks most and is one of those that a share averages over"),
        ("operations meet the average share", others * rest, float(table["running"].mean()),
         "below: they come when CPUs idle; above: when sharers are busy"),
        ("every window has the same share, lowest", share, float(parts["share"].min()),
         f"{count} windows of equal length"),
        ("every window has the same share, highest", share, float(parts["share"].max()),
         f"{count} windows of equal length"),
        ("CPUs run sharers independently, variance", others * rest * (1 - rest), spread,
         "of the CPUs that run one when an operation comes; binomial if independent"),
        ("each CPU runs any sharer alike", loaded, float(table["sharers"].mean()),
         "sharers that run somewhere when an operation comes; fewer: threads of one keep together"),
        ("an operation reaches every sharer that runs: calls", float(table["sharers"].mean()),
         float(table["calls"].mean()),
         "recorded calls; fewer: on private tables a sharer without a PTE is left out"),
        ("a call tells the CPUs that run its mm", *_each_call(asked),
         "schedule at the moment, recorded; fewer: lazy, gone, or nothing to do and not traced"),
        ("nobody is told twice: most told", float(others), float(table["told"].max()),
         "above N - 1 only when a CPU changes hands during a walk"),
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=["assumption", "assumed", "seen", "meaning"])
    off = 100 * (made["seen"] / made["assumed"].where(made["assumed"] != 0) - 1)
    made.insert(3, "off_percent", off)
    return made
