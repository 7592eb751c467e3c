"""A recorded kernel trace under every design."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mcost.report.figures.base import Chart, Figure
from mcost.report.labels import decades
from mcost.report.setting import Setting
from mcost.report.theme import COLOUR, SHAPE, scale_of
from mcost.report.workload import told_of, totals

__all__ = ["RECORDED"]

_TITLES = {
    "ipis": "IPIs",
    "rounds": "serial rounds",
    "switch_flushes": "ASID drops at switches",
}


def _data(_: Setting) -> pd.DataFrame:
    wide = totals()
    return wide.melt("design", list(_TITLES), var_name="count", value_name="total")


def _chart(frame: pd.DataFrame) -> Chart:
    panels = [
        _panel(frame[frame["count"] == n], t, not k) for k, (n, t) in enumerate(_TITLES.items())
    ]
    return alt.hconcat(*panels, spacing=30)


def _panel(frame: pd.DataFrame, title: str, named: bool) -> Chart:
    names = list(frame["design"])
    some = frame[frame["total"] > 0].drop(columns="count")
    domain = (float(some["total"].min()) / 1.6, float(some["total"].max()) * 5)
    y = alt.Y("design:N", sort=names, title=None).scale(domain=names)
    y = y if named else y.axis(labels=False, ticks=False)
    x = alt.X("total:Q", title=f"{title} in the recording").scale(
        type="log", domain=list(domain), nice=False
    )
    x = x.axis(values=decades(*domain), format="~s")
    colour = alt.Color("design:N", scale=scale_of(COLOUR, names), legend=None)
    shape = alt.Shape("design:N", scale=scale_of(SHAPE, names), legend=None)
    dots = alt.Chart(some).mark_point(filled=True, size=70, opacity=1).encode(x, y, colour, shape)
    text = alt.Chart(some).mark_text(align="left", dx=8).encode(x, y, text="total:Q")
    zero = frame[frame["total"] == 0][["design"]]
    layers = [dots, text]
    if len(zero):
        layers.append(
            alt.Chart(zero)
            .mark_text(align="left", dx=2, color="#555555")
            .encode(y, x=alt.value(0), text=alt.value("0"))
        )
    return alt.layer(*layers).properties(width=175, height=22 * len(names))


RECORDED = Figure(
    "recorded",
    "A recorded trace (8 processes of 8 threads, 16 CPUs, Linux 6.12) under every design",
    _data,
    _chart,
    lambda _: told_of(),
)
