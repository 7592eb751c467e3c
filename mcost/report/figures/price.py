"""What designs cost: the cheapest over the plane, time and lock hold, machines, sensitivity."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import numpy as np
import pandas as pd

from mcost.algebra.cost import NotPriced
from mcost.checks.costs import cost_rows
from mcost.checks.question import given, quantity, sampled
from mcost.checks.sensitivity import sensitivity
from mcost.report.figures.base import Chart, Figure
from mcost.report.labels import decades, end_labels
from mcost.report.setting import Setting
from mcost.report.theme import COLOUR, DASH, PANEL, SHAPE, lighter, scale_of
from mcost.spec.designs import DESIGNS, design
from mcost.spec.hardware import hardware, hardware_names
from mcost.spec.scenario import Scenario

__all__ = ["CHEAPEST", "MACHINES", "SENSITIVITY", "TIMES", "cheapest_at"]

SAFE = tuple(one.name for one in DESIGNS if not one.unsafe and one.tracks != "holders")
"""Designs a kernel could use: safe, and no oracle."""
_SHOWN = ("notifier", "per-mm", "merged", "batched", "region-mask")


def cheapest_at(scenario: Scenario, machine: str, cost: str = "initiator") -> dict[str, object]:
    """The cheapest safe design, its time, and in what share of the prices' spread it is."""
    prices = sampled(hardware(machine))
    found = {}
    for name in SAFE:
        try:
            counted = given(scenario, design(name), hardware(machine))
        except NotPriced:
            continue
        found[name] = quantity(cost, counted, prices)
    table = np.array(list(found.values()))
    best = table.argmin(axis=0)
    return {
        "design": list(found)[best[0]],
        "us": float(table[best[0], 0]) / 1000,
        "sure": float(np.mean(best[1:] == best[0])),
    }


def _plane(setting: Setting) -> pd.DataFrame:
    """One row per (sharers, cpus); ``sure`` is the share of the prices' spread."""
    return pd.DataFrame(
        {"sharers": 4**s, "cpus": 4 * 2**n,
         **cheapest_at(setting.scenario(sharers=4**s, cpus=4 * 2**n), setting.hardware)}
        for s in range(7)
        for n in range(8)
    )  # fmt: skip


def _plane_chart(frame: pd.DataFrame) -> Chart:
    names = [name for name in SAFE if name in set(frame["design"])]
    frame = frame.assign(text=[f"{100 * sure:.0f}%" for sure in frame["sure"]])
    base = alt.Chart(frame).encode(
        alt.X("sharers:O", title="sharers S (processes)").axis(labelAngle=0),
        alt.Y("cpus:O", title="online CPUs N", sort="descending"),
    )
    pale = {name: lighter(COLOUR[name]) for name in names}
    cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
        alt.Color("design:N", scale=scale_of(pale, names), legend=None)
    )
    words = base.mark_text(dy=-6, fontSize=11).encode(text="design:N")
    sure = base.mark_text(dy=8, fontSize=10, color="#444444").encode(text="text:N")
    return alt.layer(cells, words, sure).properties(width=520, height=290)


CHEAPEST = Figure(
    "cheapest",
    "The safe design whose caller waits least, and in what share of the prices' spread it stays so",
    _plane,
    _plane_chart,
    lambda setting: setting.words(["cpus", "sharers"]),
)


def _times(setting: Setting) -> pd.DataFrame:
    """Caller's time and lock hold, us, with 90 % interval, against sharers."""
    rows = []
    for step in range(13):
        scenario = setting.scenario(sharers=2**step)
        found = cost_rows(scenario, _SHOWN, hardware(setting.hardware))
        rows += [
            {"sharers": scenario.sharers, **row}
            for row in found
            if row["component"] in ("initiator", "lock_hold")
        ]
    frame = pd.DataFrame(rows).dropna(subset=["mean_ns"])
    for name in ("mean", "low", "high"):
        frame[f"{name}_us"] = frame[f"{name}_ns"].astype(float) / 1000
    return frame[["sharers", "design", "component", "mean_us", "low_us", "high_us"]]


def _times_chart(frame: pd.DataFrame) -> Chart:
    titles = {"initiator": "time of the caller, us", "lock_hold": "page-table lock held, us"}
    shown = {name: frame[(frame["component"] == name) & (frame["mean_us"] > 0)] for name in titles}
    panels = [_band(shown[name], title) for name, title in titles.items() if len(shown[name])]
    return alt.hconcat(*panels)


def _band(frame: pd.DataFrame, title: str) -> Chart:
    names = [name for name in _SHOWN if name in set(frame["design"])]
    domain = (float(frame["low_us"].min()) / 1.3, float(frame["high_us"].max()) * 1.3)
    labels = end_labels(frame, "sharers", "mean_us", "design", 1.3 * PANEL[1], domain)
    x = alt.X("sharers:Q", title="sharers S (processes)").scale(
        type="log", base=4, domain=[1, float(frame["sharers"].max())], nice=False
    )
    x = x.axis(format="d", grid=False, values=[4**k for k in range(7)])
    y = alt.Y("mean_us:Q", title=title).scale(type="log", domain=list(domain), nice=False)
    y = y.axis(values=decades(*domain), format="~g" if domain[0] < 1 else "~s")
    colour = alt.Color("design:N", scale=scale_of(COLOUR, names), legend=None)
    base = alt.Chart(frame.drop(columns="component"))
    spread = _fourth(frame)
    bars = alt.Chart(spread).mark_rule(strokeWidth=1.5).encode(
        x, alt.Y("low_us:Q"), alt.Y2("high_us:Q"), colour
    )  # fmt: skip
    line = base.mark_line(point=False).encode(
        x, y, colour, alt.StrokeDash("design:N", scale=scale_of(DASH, names), legend=None)
    )
    dots = base.mark_point(filled=True, size=26, opacity=1).encode(
        x, y, colour, alt.Shape("design:N", scale=scale_of(SHAPE, names), legend=None)
    )
    text = alt.Chart(labels).mark_text(align="left", dx=7).encode(
        alt.X("x:Q"), alt.Y("y:Q"), text="label:N",
        color=alt.Color("name:N", scale=scale_of(COLOUR, names), legend=None),
    )  # fmt: skip
    return alt.layer(bars, line, dots, text).properties(width=PANEL[0], height=1.3 * PANEL[1])


def _fourth(frame: pd.DataFrame) -> pd.DataFrame:
    """Points that show their interval: every fourth, another one for each design."""
    places = {value: k for k, value in enumerate(sorted(set(frame["sharers"])))}
    kept = [
        (places[sharers] - _SHOWN.index(name)) % 4 == 0
        for sharers, name in zip(frame["sharers"], frame["design"], strict=True)
    ]
    return frame[kept].drop(columns="component")


TIMES = Figure(
    "times",
    "Time of one operation against sharers, with 90 % intervals over the spread of the prices",
    _times,
    _times_chart,
    lambda setting: setting.words(["sharers"]),
)


def _machines(setting: Setting) -> pd.DataFrame:
    """Caller's time of each safe design on each price list, us."""
    rows: list[dict[str, object]] = []
    for name in hardware_names():
        found = cost_rows(setting.scenario(), [*SAFE, "exact"], hardware(name))
        rows += [{"hardware": name, **row} for row in found if row["component"] == "initiator"]
    frame = pd.DataFrame(rows).dropna(subset=["mean_ns"])
    for name in ("mean", "low", "high"):
        frame[f"{name}_us"] = frame[f"{name}_ns"].astype(float) / 1000
    return frame[["hardware", "design", "mean_us", "low_us", "high_us"]]


def _machines_chart(frame: pd.DataFrame) -> Chart:
    names = [name for name in [*SAFE, "exact"] if name in set(frame["design"])]
    domain = [float(frame["low_us"].min()) / 1.5, float(frame["high_us"].max()) * 1.5]
    panels = [
        _machine(frame[frame["hardware"] == name], name, names, domain)
        for name in dict.fromkeys(frame["hardware"])
    ]
    rows = [alt.hconcat(*panels[at : at + 3]) for at in range(0, len(panels), 3)]
    return alt.vconcat(*rows)


def _machine(frame: pd.DataFrame, title: str, names: list[str], domain: list[float]) -> Chart:
    y = alt.Y("design:N", sort=names, title=None).scale(domain=names)
    x = alt.X("mean_us:Q", title="us per operation").scale(type="log", domain=domain, nice=False)
    x = x.axis(values=_every(decades(*domain)), format="~s")
    colour = alt.Color("design:N", scale=scale_of(COLOUR, names), legend=None)
    base = alt.Chart(frame.drop(columns="hardware"))
    bars = base.mark_rule(strokeWidth=2).encode(alt.X("low_us:Q"), alt.X2("high_us:Q"), y, colour)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x, y, colour, alt.Shape("design:N", scale=scale_of(SHAPE, names), legend=None)
    )
    return alt.layer(bars, dots).properties(width=170, height=19 * len(names), title=title)


def _every(values: Iterable[float]) -> list[float]:
    """At most four ticks."""
    kept = list(values)
    return kept[:: max(1, -(-len(kept) // 4))]


MACHINES = Figure(
    "machines",
    "Time of the caller on every price list, with 90 % intervals; a design without a mark cannot"
    " be priced there",
    _machines,
    _machines_chart,
    lambda setting: setting.words(["hardware"]),
)


def _shares(setting: Setting) -> pd.DataFrame:
    """Sobol indices of the inputs that explain at least 1 % of the spread."""
    rows = []
    for name in ("notifier", "per-mm", "batched"):
        found = sensitivity(
            setting.scenario(), design(name), "initiator", hardware(setting.hardware),
            points=256, seed=setting.seed,
        )  # fmt: skip
        rows += [{"design": name, **vars(one)} for one in found if one.total >= 0.01]
    return pd.DataFrame(rows)


def _shares_chart(frame: pd.DataFrame) -> Chart:
    panels = []
    for name in dict.fromkeys(frame["design"]):
        mine = frame[frame["design"] == name].drop(columns="design")
        order = list(mine.sort_values("total", ascending=False)["name"])
        y = alt.Y("name:N", sort=order, title=None)
        x = alt.X("total:Q", title="share of the spread").scale(domain=[0, 1.15], nice=False)
        x = x.axis(values=[0, 0.25, 0.5, 0.75, 1], format="%")
        bars = alt.Chart(mine).mark_bar(color="#9ecae1").encode(x, y)
        text = (
            alt.Chart(mine)
            .mark_text(align="left", dx=4)
            .encode(x, y, text=alt.Text("total:Q", format=".0%"))
        )
        panels.append(
            alt.layer(bars, text).properties(width=190, height=20 * len(order), title=name)
        )
    return alt.hconcat(*panels)


SENSITIVITY = Figure(
    "sensitivity",
    "Which prices the spread of the caller's time comes from (total Sobol index)",
    _shares,
    _shares_chart,
)
