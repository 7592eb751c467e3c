"""How rounds of a walk over the sharers grow to their limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
from sympy import Expr, limit, oo

from mcost.algebra.formula import formula
from mcost.algebra.symbols import SYMBOL
from mcost.report.figures.base import Chart, Figure
from mcost.report.points import expected, simulated
from mcost.report.setting import Setting
from mcost.report.theme import PANEL
from mcost.spec.designs import design

__all__ = ["LIMITS", "rounds_limit"]

_SHARES = (0.1, 0.3, 0.6, 1.0)
_FIXED: dict[str, Any] = {"idle": 0.0, "operation": "protect"}
"""One flush event a call, of CPUs that run a sharer or something else."""


@lru_cache(maxsize=1)
def _limit() -> Expr:
    found = formula(design("per-mm"), "rounds", "snapshot", operation="protect")
    return limit(found, SYMBOL["sharers"], oo)


def rounds_limit(cpus: int, share: float) -> float:
    """Rounds of one ``per-mm`` flush event as S grows without bound, from the closed form."""
    return float(_limit().subs({SYMBOL["cpus"]: cpus, SYMBOL["share"]: share}))


def _data(setting: Setting) -> pd.DataFrame:
    """Rounds of one flush event against sharers, by share; the limit in ``limit``."""
    rows = []
    for share in _SHARES:
        ends = rounds_limit(setting.cpus, share)
        for step in range(25):
            scenario = setting.scenario(sharers=round(2 ** (step / 2)), share=share, **_FIXED)
            at = {"sharers": scenario.sharers, "share": share, "limit": ends}
            rows += [
                {**at, "source": "algebra", **row}
                for row in expected(scenario, [design("per-mm")], ["rounds"])
            ]
            if step % 4 == 0:
                found = simulated(scenario, [design("per-mm")], ["rounds"], setting.seed)
                rows += [{**at, "source": "simulator", **row} for row in found]
    frame = pd.DataFrame(rows).drop_duplicates(["sharers", "share", "source"])
    frame["low"] = frame["mean"] - frame["half_width"]
    frame["high"] = frame["mean"] + frame["half_width"]
    return frame


def _chart(frame: pd.DataFrame) -> Chart:
    keep = ["sharers", "share", "mean"]
    lines = frame[frame["source"] == "algebra"][keep]
    points = frame[frame["source"] == "simulator"][[*keep, "low", "high"]]
    ends = lines[lines["sharers"] == lines["sharers"].max()].copy()
    ends["text"] = [f"rho = {share:g}" for share in ends["share"]]
    limits = frame[["share", "limit"]].drop_duplicates()
    x = alt.X("sharers:Q", title="sharers S (processes)").scale(
        type="log", base=4, domain=[1, float(frame["sharers"].max())], nice=False
    )
    x = x.axis(format="d", grid=False, values=[4**k for k in range(7)])
    y = alt.Y("mean:Q", title="rounds of one per-mm flush event")
    line = alt.Chart(lines).mark_line(color="#0072b2").encode(x, y, alt.Detail("share:N"))
    bars = alt.Chart(points).mark_rule(strokeWidth=2).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
    dots = alt.Chart(points).mark_point(filled=True, color="black", size=22, opacity=1).encode(x, y)
    rule = alt.Chart(limits).mark_rule(strokeDash=[2, 3], color="#777777").encode(y="limit:Q")
    text = alt.Chart(ends).mark_text(align="left", dx=6).encode(x, y, text="text:N")
    layers = alt.layer(rule, line, bars, dots, text)
    return layers.properties(width=1.6 * PANEL[0], height=1.3 * PANEL[1])


LIMITS = Figure(
    "limits",
    "Rounds of a walk over all sharers, and their limit rho (N - 1) (dashed): algebra (lines),"
    " simulator (points with 95 % intervals)",
    _data,
    _chart,
    lambda setting: setting.words(["hardware", "sharers", "share", "pages", "held"], **_FIXED),
)
