"""A figure: data first, then a chart of that data and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcost.report.provenance import line
from mcost.report.setting import Setting

__all__ = ["Chart", "Figure"]

Chart = Any
"""An Altair chart of any kind; Altair has no common base class that is public."""


@dataclass(frozen=True)
class Figure:
    """One figure of the suite.

    Attributes:
        name: as in options and file names.
        title: what it shows, in one sentence.
        data: the numbers behind it, long form, units in the column names.
        chart: draws such a frame.
        held: what holds for the whole picture, in one line: the parameters that neither vary on
            an axis nor are without effect, or the recording, or the seed.
    """

    name: str
    title: str
    data: Callable[[Setting], pd.DataFrame]
    chart: Callable[[pd.DataFrame], Chart]
    held: Callable[[Setting], str] = Setting.words

    def provenance(self, setting: Setting) -> str:
        """Which figure of which parameters, and who made it."""
        return line(f"figure {self.name}; {self.held(setting)}")

    def draw(self, setting: Setting) -> Chart:
        """The chart for one setting."""
        return self.chart(self.data(setting))
