"""Questions that notebooks ask more than once, answered as frames or numbers."""

from __future__ import annotations

import pandas as pd

from mcost.report.figures.stale import stale_map
from mcost.report.points import expected
from mcost.report.setting import Setting
from mcost.spec.designs import DESIGNS, design

__all__ = ["per_operation", "stale_share"]

_COLUMNS = ("flush_events", "rounds", "ipis", "useful_ipis", "bystander_ipis", "generation_bumps")


def per_operation(setting: Setting, counts: tuple[str, ...] = _COLUMNS) -> pd.DataFrame:
    """Mean counts of one operation: a row per design, a column per count (NaN: no closed form)."""
    frame = pd.DataFrame(expected(setting.scenario(), DESIGNS, counts))
    wide = frame.pivot(index="design", columns="count", values="mean")
    wide = wide.reindex(index=[one.name for one in DESIGNS], columns=list(counts))
    return wide.reset_index().rename_axis(columns=None)


def stale_share(setting: Setting, name: str) -> tuple[int, int]:
    """(stale uses, uses) of a design after one operation: every CPU, every page, once each."""
    found = stale_map(setting.scenario(), design(name), setting.seed)
    return int(found.sum()), int(found.size)
