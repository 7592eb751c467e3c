"""A recorded trace under every design: what its processes would have paid with mshare."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from mcost.checks.kernel.release import variant_of
from mcost.checks.whatif import WhatIf, compare_designs, findings
from mcost.report.provenance import digest
from mcost.simulator import prepare, simulate
from mcost.spec.designs import DESIGNS
from mcost.spec.files import data_path
from mcost.spec.kernels import Kernel

if TYPE_CHECKING:
    from mcost.traces.importers import Imported

__all__ = [
    "BUNDLED",
    "SHARERS",
    "assumptions",
    "imported",
    "plugged",
    "recording",
    "told_of",
    "totals",
    "variant",
]

BUNDLED = "k6.12_n16_threads_s8c8"
"""The recording that is shown: 8 processes of 8 threads on 16 CPUs."""
SHARERS = "s0*"
"""Who shares in every bundled recording: its workload's processes are called s000 and so on."""
_GAP_NS = 1_000_000
"""Longest pause inside one walk over the sharers."""
_WINDOWS = 10
_COUNTS = (
    "flush_events",
    "rounds",
    "ipis",
    "useful_ipis",
    "bystander_ipis",
    "idle_ipis",
    "generation_bumps",
    "switch_flushes",
    "lost_entries",
    "stale_hits",
    "deferred_hits",
)


@lru_cache(maxsize=2)
def imported(name: str = BUNDLED) -> Imported:
    """A bundled recording as a trace: switches as they happened, one invalidate per flush."""
    from mcost.traces.importers import import_trace  # noqa: PLC0415 - pulls the parsers in

    return import_trace(data_path("traces", f"{name}.txt.gz"), SHARERS)


def told_of(name: str = BUNDLED) -> str:
    """Which recording, in one line: file, digest, sharers, kernel."""
    path = data_path("traces", f"{name}.txt.gz")
    return f"trace {path.name} {digest(path)}, sharers {SHARERS}, kernel {variant(name).name}"


def variant(name: str = BUNDLED) -> Kernel:
    """The kernel variant that a recording was made on."""
    return variant_of(imported(name).summary.kernel)


@lru_cache(maxsize=2)
def _whatif(name: str) -> WhatIf:
    from mcost.traces.importers import ImportOptions, import_trace  # noqa: PLC0415 - as above

    options = ImportOptions(merge_walks=True, merge_gap=_GAP_NS)
    return WhatIf.of(import_trace(data_path("traces", f"{name}.txt.gz"), SHARERS, options))


def plugged(name: str = BUNDLED) -> pd.DataFrame:
    """Per operation and design: closed form fed with averages, simulated, counted by the kernel.

    The kernel ran private tables, so only ``per-mm`` has what it counted, a lower bound. See
    ``mcost.checks.whatif``; a walk over all sharers is one operation here.
    """
    found = compare_designs(_whatif(name))
    return found[found["count"].isin(["rounds", "ipis"])].reset_index(drop=True)


def assumptions(name: str = BUNDLED) -> pd.DataFrame:
    """What the closed form assumes of the schedule, and what the recording says."""
    return findings(_whatif(name), _WINDOWS)


def totals(name: str = BUNDLED) -> pd.DataFrame:
    """One row per design: totals over the whole recording."""
    found = imported(name)
    ready = prepare(found.trace)
    rows = []
    for one in DESIGNS:
        counts = simulate(ready, one, variant(name), cpus=found.summary.cpus)
        rows.append({"design": one.name, **{count: getattr(counts, count) for count in _COUNTS}})
    return pd.DataFrame(rows)


def recording(name: str = BUNDLED) -> pd.DataFrame:
    """What the importer counted in a bundled recording."""
    return pd.DataFrame(imported(name).summary.rows())
