"""The designs of a reply side by side: IPIs and rounds with their intervals."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mcost.report.asked import asked_of
from mcost.report.figures.base import Chart, Figure
from mcost.report.labels import decades
from mcost.report.measure import measure
from mcost.report.setting import Setting
from mcost.report.theme import COLOUR, SHAPE, scale_of
from mcost.spec.vocabulary import COUNTS

__all__ = ["COMPARED"]

_COUNTS = ("ipis", "rounds")


def _data(setting: Setting) -> pd.DataFrame:
    """The bundled question's designs in this setting."""
    designs = asked_of(setting).designs
    found = measure(setting.scenario(), designs, _COUNTS, setting.seed)
    return pd.DataFrame([vars(cell) for cell in found.cells])


def _chart(frame: pd.DataFrame) -> Chart:
    return alt.hconcat(*(_panel(frame[frame["count"] == count], count) for count in _COUNTS))


def _panel(frame: pd.DataFrame, count: str) -> Chart:
    names = list(frame["design"])
    positive = frame[frame["mean"] > 0].copy()
    positive["low"] = positive["mean"] - positive["half_width"]
    positive["high"] = positive["mean"] + positive["half_width"]
    low, high = float(positive["low"].min()), float(positive["high"].max())
    domain = (low / 2, high * 6)
    unit = next(entry.unit for entry in COUNTS if entry.name == count)
    y = alt.Y("design:N", sort=names, title=None).scale(domain=names)
    x = alt.X("mean:Q", title=f"{unit} per operation").scale(type="log", domain=list(domain))
    x = x.axis(values=decades(*domain), format="~s")
    colour = alt.Color("design:N", scale=scale_of(COLOUR, names), legend=None)
    shape = alt.Shape("design:N", scale=scale_of(SHAPE, names), legend=None)
    base = alt.Chart(positive)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x, y, colour, shape)
    bars = base.mark_rule(strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q"), y, colour)
    text = base.mark_text(align="left", dx=9).encode(x, y, text=alt.Text("mean:Q", format=",.4~r"))
    none = alt.Chart(frame[frame["mean"] == 0]).mark_text(align="left", dx=2).encode(
        y, x=alt.value(0), text=alt.value("0")
    )  # fmt: skip
    layers = [bars, dots, text] + ([none] if (frame["mean"] == 0).any() else [])
    return alt.layer(*layers).properties(width=270, height=24 * len(names))


COMPARED = Figure(
    "compared",
    "Designs side by side, per operation: simulated means with 95 % intervals",
    _data,
    _chart,
    Setting.counted,
)
