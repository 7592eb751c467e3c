"""IPIs and rounds of one operation, against sharers and against CPUs."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from mcost.report.figures.base import Chart, Figure
from mcost.report.labels import decades, end_labels
from mcost.report.points import expected, simulated
from mcost.report.setting import Setting
from mcost.report.theme import COLOUR, DASH, PANEL, SHAPE, scale_of
from mcost.spec.designs import design

__all__ = ["FIVE", "SCALING"]

FIVE = ("notifier", "per-mm", "merged", "batched", "exact")
"""The designs that flush, and the lower bound; ``host-mm`` sends nothing and is not safe."""

_COUNTS = ("ipis", "rounds")
_TITLES = {
    "sharers": "sharers S (processes)",
    "cpus": "online CPUs N",
    "ipis": "IPIs per operation",
    "rounds": "serial rounds per operation",
}


def _data(setting: Setting) -> pd.DataFrame:
    """Long form; low and high are the 95 % interval of a simulated mean."""
    designs = [design(name) for name in FIVE]
    rows = []
    for over in ("sharers", "cpus"):
        for value in _grid(over, setting, 3):
            scenario = setting.scenario(**{over: value})
            at = {"over": over, "value": value, "source": "algebra"}
            rows += [{**at, **row} for row in expected(scenario, designs, _COUNTS)]
        for value in _grid(over, setting, 1):
            scenario = setting.scenario(**{over: value})
            at = {"over": over, "value": value, "source": "simulator"}
            rows += [{**at, **row} for row in simulated(scenario, designs, _COUNTS, setting.seed)]
    frame = pd.DataFrame(rows)
    frame["low"] = frame["mean"] - frame["half_width"]
    frame["high"] = frame["mean"] + frame["half_width"]
    return frame


def _grid(over: str, setting: Setting, finer: int) -> list[int]:
    """Powers of four around the setting's value, ``finer`` steps between two of them."""
    low, high = (1, 4096) if over == "sharers" else (4, 256)
    high = max(high, getattr(setting, over))
    steps = int(np.ceil(np.log(high / low) / np.log(4)))
    places = low * 4 ** (np.arange(steps * finer + 1) / finer)
    return sorted({round(float(place)) for place in places})


def _chart(frame: pd.DataFrame) -> Chart:
    rows = [
        alt.hconcat(*(_panel(frame, over, count) for over in ("sharers", "cpus")))
        for count in _COUNTS
    ]
    return alt.vconcat(*rows)


def _panel(frame: pd.DataFrame, over: str, count: str) -> Chart:
    mine = frame[(frame["over"] == over) & (frame["count"] == count) & (frame["mean"] > 0)]
    keep = ["value", "design", "mean"]
    lines = mine[mine["source"] == "algebra"][keep]
    points = mine[mine["source"] == "simulator"][[*keep, "low", "high"]]
    names = [name for name in FIVE if name in set(lines["design"])]
    domain = _domain(mine["mean"])
    labels = end_labels(lines, "value", "mean", "design", PANEL[1], domain)
    right = float(mine["value"].max())
    x = alt.X("value:Q", title=_TITLES[over]).scale(
        type="log", base=4, domain=[float(mine["value"].min()), right], nice=False
    )
    x = x.axis(values=_grid_ticks(float(mine["value"].min()), right), format="d", grid=False)
    y = alt.Y("mean:Q", title=_TITLES[count]).scale(type="log", domain=domain, nice=False)
    y = y.axis(values=decades(*domain), format="~s")
    colour = alt.Color("design:N", scale=scale_of(COLOUR, names), legend=None)
    dash = alt.StrokeDash("design:N", scale=scale_of(DASH, names), legend=None)
    shape = alt.Shape("design:N", scale=scale_of(SHAPE, names), legend=None)
    line = alt.Chart(lines).mark_line().encode(x, y, colour, dash)
    bar = alt.Chart(points).mark_rule(strokeWidth=1.5).encode(
        x, alt.Y("low:Q"), alt.Y2("high:Q"), colour
    )  # fmt: skip
    dot = alt.Chart(points).mark_point(size=36, filled=True, opacity=1).encode(
        x, y, colour, shape
    )  # fmt: skip
    return alt.layer(line, bar, dot, _named(labels, names)).properties(
        width=PANEL[0], height=PANEL[1]
    )


def _named(labels: pd.DataFrame, names: Sequence[str]) -> Chart:
    return (
        alt.Chart(labels)
        .mark_text(align="left", dx=7, baseline="middle")
        .encode(
            alt.X("x:Q"),
            alt.Y("y:Q"),
            alt.Color("name:N", scale=scale_of(COLOUR, list(names)), legend=None),
            text="label:N",
        )
    )


def _domain(values: pd.Series) -> tuple[float, float]:
    """The values with room for the labels."""
    low, high = float(values.min()), float(values.max())
    return low / 1.6, max(high * 1.6, low * 4)


def _grid_ticks(low: float, high: float) -> list[float]:
    steps = round(np.log(high / low) / np.log(4))
    return [low * 4.0**k for k in range(steps + 1)]


SCALING = Figure(
    "scaling",
    "IPIs and rounds of one operation against sharers and CPUs: algebra (lines),"
    " simulator (points with 95 % intervals)",
    _data,
    _chart,
    Setting.counted,
)
