"""Predicted against seen, for all three judges: simulator, real kernels, published numbers."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from mcost.checks.grid import grid
from mcost.checks.published import judge_short_list
from mcost.report.figures.base import Chart, Figure
from mcost.report.judges import kernel_verdicts
from mcost.report.points import expected, simulated
from mcost.report.setting import Setting
from mcost.spec.designs import DESIGNS
from mcost.spec.vocabulary import COUNTS

__all__ = ["PARITY", "SCORES", "scores"]

_JUDGES = (
    "simulator (mean counts)",
    "kernels, fixed by the setting",
    "kernels, left to scheduling",
    "published (ns, IPIs, ...)",
)
_SIZE = 8  # CPUs of the largest scenario whose trials are cheap enough for a figure


def scores(seed: int) -> pd.DataFrame:
    """Simulated against expected on part of the agreement grid.

    Columns: scenario (its place in the quick grid), design, count, expected, seen, z (in
    standard errors by the algebra's variance; NaN where the count is certain).
    """
    counts = [entry.name for entry in COUNTS if entry.closed_form]
    rows = []
    for at, scenario in enumerate(grid(quick=True)):
        if scenario.cpus > _SIZE or scenario.pages > _SIZE:
            continue
        found = simulated(scenario, DESIGNS, counts, seed + at)
        seen = {(row["design"], row["count"]): row for row in found}
        for row in expected(scenario, DESIGNS, counts):
            other = seen[row["design"], row["count"]]
            rows.append({"scenario": at, **row, "seen": other["mean"], "trials": other["trials"]})
    frame = pd.DataFrame(rows).rename(columns={"mean": "expected"})
    error: pd.Series[float] = frame["sd"].astype(float) / frame["trials"].astype(float) ** 0.5
    frame["z"] = ((frame["seen"] - frame["expected"]) / error).where(error > 1e-9)
    return frame


def _data(setting: Setting) -> pd.DataFrame:
    """Pairs in bins, with how many fell into each.

    A bin is a tenth of a decade of the predicted value and of the ratio seen / predicted, so a
    pair that agrees within 12 % is drawn on the line. Counters that a setting leaves to the
    scheduler have a panel of their own, drawn at their expected value.
    """
    frame = scores(setting.seed)
    pairs = [(_JUDGES[0], a, b) for a, b in zip(frame["expected"], frame["seen"], strict=True)]
    pairs += [
        (_JUDGES[1 if one.interval is None else 2], one.predicted, one.counted)
        for one in kernel_verdicts()
    ]
    pairs += [(_JUDGES[3], c.predicted.value, c.published) for c in judge_short_list().cases]
    table = pd.DataFrame(pairs, columns=["judge", "predicted", "seen"])
    table = table[(table["predicted"] > 0) & (table["seen"] > 0)]
    place = _tenth(table["predicted"])
    seen = place * _tenth(table["seen"] / table["predicted"])
    binned = table.assign(predicted=place, seen=seen).round({"predicted": 9, "seen": 9})
    where = ["judge", "predicted", "seen"]
    return binned.groupby(where, sort=True).size().rename("pairs").reset_index()


def _tenth(values: pd.Series[float]) -> pd.Series[float]:
    """Values rounded to tenths of a decade."""
    return pd.Series(10 ** (np.round(10 * np.log10(values.astype(float))) / 10), values.index)


def _chart(frame: pd.DataFrame) -> Chart:
    panels = [_panel(frame[frame["judge"] == name], name) for name in _JUDGES]
    return alt.concat(*panels, columns=2)


def _panel(frame: pd.DataFrame, name: str) -> Chart:
    low = float(frame[["predicted", "seen"]].min().min()) / 1.5
    high = float(frame[["predicted", "seen"]].max().max()) * 1.5
    ticks = [10.0**k for k in range(-3, 10) if low <= 10.0**k <= high]
    ticks = ticks if len(ticks) < 6 else ticks[::2]
    x, y = (
        channel(f"{column}:Q", title=column)
        .scale(type="log", domain=[low, high], nice=False)
        .axis(values=ticks, format="~s")
        for channel, column in ((alt.X, "predicted"), (alt.Y, "seen"))
    )
    size = alt.Size("pairs:Q", legend=None).scale(
        type="log", domain=[1, max(10, int(frame["pairs"].max()))], range=[12, 130]
    )
    dots = alt.Chart(frame[["predicted", "seen", "pairs"]]).mark_point(
        filled=True, opacity=1, color="#9ecae1", stroke="#08519c", strokeWidth=0.7
    ).encode(x, y, size)  # fmt: skip
    same = pd.DataFrame({"predicted": [low, high], "seen": [low, high]})
    line = alt.Chart(same).mark_line(color="black", strokeWidth=1).encode(x, y)
    total = f"{int(frame['pairs'].sum())} pairs"
    return alt.layer(line, dots).properties(
        width=250, height=205, title=alt.TitleParams(name, subtitle=total)
    )


PARITY = Figure(
    "parity",
    "Predicted against seen, by three judges; dot area grows with the pairs in it, the line is"
    " equality",
    _data,
    _chart,
    lambda setting: f"seed {setting.seed}",
)


def _z_data(setting: Setting) -> pd.DataFrame:
    """Histogram of z in steps of 0.5, and what a normal law would give."""
    from scipy.stats import norm  # noqa: PLC0415 - only here

    frame = scores(setting.seed).dropna(subset=["z"])
    # Designs that send the same IPIs in the same trials give one z, not several.
    z = frame.assign(z=frame["z"].round(9)).drop_duplicates(["scenario", "z"])["z"].clip(-4.9, 4.9)
    edges = np.arange(-5, 5.01, 0.5)
    seen, _ = np.histogram(z, edges)
    normal = len(z) * np.diff(norm.cdf(edges))
    return pd.DataFrame({"z": edges[:-1], "to": edges[1:], "cells": seen, "normal": normal})


def _z_chart(frame: pd.DataFrame) -> Chart:
    middle = frame.assign(z=(frame["z"] + frame["to"]) / 2)
    bars = alt.Chart(frame).mark_rect(color="#9ecae1", stroke="white").encode(
        alt.X("z:Q", title="(simulated - expected) / standard error").scale(domain=[-5, 5]),
        alt.X2("to:Q"),
        alt.Y("cells:Q", title="cells (scenario x design x count)"),
        y2=alt.datum(0),
    )  # fmt: skip
    base = alt.Chart(middle).encode(alt.X("z:Q"), alt.Y("normal:Q"))
    line = base.mark_line(color="black", strokeDash=[4, 2])
    dots = base.mark_point(color="black", size=18, filled=True, opacity=1)
    text = (
        alt.Chart(middle[middle["z"] == 1.25])
        .mark_text(align="left", dx=8, dy=-6)
        .encode(alt.X("z:Q"), alt.Y("normal:Q"), text=alt.value("normal law"))
    )
    return alt.layer(bars, line, dots, text).properties(width=420, height=210)


SCORES = Figure(
    "scores",
    "Deviations of the simulated machine from the closed forms, in standard errors (bars), and"
    " what chance alone gives (dashed)",
    _z_data,
    _z_chart,
    lambda setting: f"seed {setting.seed}",
)
