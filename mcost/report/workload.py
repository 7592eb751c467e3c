"""A recorded trace under every design: what its processes would have paid with mshare."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from mcost.report.provenance import digest
from mcost.simulator import prepare, simulate
from mcost.spec.designs import DESIGNS
from mcost.spec.files import data_path
from mcost.spec.kernels import kernel

if TYPE_CHECKING:
    from mcost.traces.importers import Imported

__all__ = ["BUNDLED", "KERNEL", "SHARERS", "imported", "recording", "told_of", "totals"]

BUNDLED = "k6.12_n16_threads_s8c8"
"""The recording that is shown: 8 processes of 8 threads on 16 CPUs."""
SHARERS = "s0*"
KERNEL = "6.12"
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
    return f"trace {path.name} {digest(path)}, sharers {SHARERS}, kernel {KERNEL}"


def totals(name: str = BUNDLED) -> pd.DataFrame:
    """One row per design: totals over the whole recording."""
    found = imported(name)
    ready = prepare(found.trace)
    rows = []
    for one in DESIGNS:
        counts = simulate(ready, one, kernel(KERNEL), cpus=found.summary.cpus)
        rows.append({"design": one.name, **{count: getattr(counts, count) for count in _COUNTS}})
    return pd.DataFrame(rows)


def recording(name: str = BUNDLED) -> pd.DataFrame:
    """What the importer counted in a bundled recording."""
    return pd.DataFrame(imported(name).summary.rows())
