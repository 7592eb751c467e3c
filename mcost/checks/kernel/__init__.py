"""Counters of running kernels, predicted row by row from the row's setting alone.

Sources of the rules: ``data/kernel-counts/README.md`` and the workloads it describes, KF, and
the kernel functions named at each rule. :mod:`.rows` reads files, :mod:`.setting` names what
a row was run with, one module a kind of workload says which operations, placements and
designs that setting is, :mod:`.counters` turns Counts into the kernel's counters,
:mod:`.mechanisms` says which misses have a cause, :mod:`.judge` compares.
"""

from __future__ import annotations

from mcost.checks.kernel.judge import Verdict, judge, summary
from mcost.checks.kernel.rows import COUNTERS, Row, RowError, bundled, read_rows

__all__ = ["COUNTERS", "Row", "RowError", "Verdict", "bundled", "judge", "read_rows", "summary"]
