"""W2: a hole is punched in, or the end cut off, a file that S processes map.

The rmap walk flushes each mm in turn: ``per-mm``. The operator sits on CPU 0 and maps nothing
(``apart``), or maps the file too, which is one more mm, loaded where the operator runs.
"""

from __future__ import annotations

from dataclasses import replace

from mcost.checks.kernel.layout import random_sets
from mcost.checks.kernel.moments import crowded
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Step, count_steps, exactly, own_alone, walk
from mcost.spec.operations import TABLE_PAGES

__all__ = ["predict_w2"]

_BELOW = 16
"""Pages below the page-table boundary of a straddling area (w123.c, w2_point)."""


def predict_w2(row: Row) -> Prediction:
    """Disjoint sets: certain. Random, overlapping ones: :func:`.moments.crowded`."""
    if row.op not in ("punch", "truncate"):
        raise row.error(f"op {row.op!r} is not known in w2, must be punch or truncate")
    layout = row.extra.get("layout", "disjoint")
    if layout == "random":
        sets = random_sets(row.cpus, row.sharers, row.cpus_per_sharer, row.flag("seed"))
        return replace(crowded(row, sets), allows=_after_fork(row))
    if layout != "disjoint":
        raise row.error(f"extra: layout is {layout!r}, must be disjoint or random")
    if row.busy > row.cpus - 1:
        raise row.error(f"sharers need {row.busy} CPUs, must be at most cpus - 1")
    steps = [_walk(row)]
    if row.flag("main_maps"):
        steps.append(own_alone(row, steps[0].scenario.operation, row.pages))
    counted = count_steps(steps, row.ceiling)
    return Prediction(
        values=exactly({name: n for name, n in counted.items() if name in row.counted}, row.reps),
        allows=("lazy", "cut", *_after_fork(row)),
        pages=row.pages,
        walks=max(1, counted["remote_flush"]),
        told=row.cpus_per_sharer,
    )


def _after_fork(row: Row) -> tuple[str, ...]:
    """The first point after the sharers were forked (w123.c, w2_point)."""
    return ("cow",) if (row.op, row.pages, row.run) == ("punch", 1, 0) else ()


def _walk(row: Row) -> Step:
    """Written pages are dirty in every mm: a flush a page table. Read ones wait for the end."""
    if row.flag("read"):
        return walk(row, "zap_clean", row.pages)
    offset = TABLE_PAGES - _BELOW if row.flag("straddle") else 0
    return walk(row, "zap", row.pages, offset=offset)
