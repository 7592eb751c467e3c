"""A picture of who is interrupted: one moment, one event, every design."""

from __future__ import annotations

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from mcost.report.figures.base import Chart, Figure
from mcost.report.setting import Setting
from mcost.simulator import prepare, simulate_parts
from mcost.spec.designs import DESIGNS, Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.schema import COLUMNS, IDLE, INVALIDATE, SWITCH, Trace, concatenate
from mcost.traces.synthetic import synthesize

__all__ = ["TOLD", "interrupted"]

_CPUS = 32
_IDLE = 0.25
_STATES = ("runs a sharer", "lazy on a sharer", "runs something else")
_SHAPES = ["square", "diamond", "circle"]


def interrupted(trace: Trace, scenario: Scenario, one: Design) -> npt.NDArray[np.int64]:
    """[cpus]: IPIs that each CPU gets, 0 for the one that asks.

    The machine is run once with all CPUs and once without each: what is missing then went to
    the CPU that was left out. Fair where a CPU's state touches nobody else's, as with eager
    masks and touches of the own TLB only.
    """
    cpus = scenario.cpus
    asks = int(trace.cpu[trace.event == INVALIDATE][0])
    others = [cpu for cpu in range(cpus) if cpu != asks]
    less = [_without(trace, cpu) for cpu in others]
    starts = np.cumsum([0, *map(len, less[:-1])])
    column = COUNT_NAMES.index("ipis")
    every = simulate_parts(prepare(trace, np.zeros(1, np.int64)), one, scenario.variant, cpus=cpus)
    parts = simulate_parts(prepare(concatenate(less), starts), one, scenario.variant, cpus=cpus - 1)
    found = np.zeros(cpus, np.int64)
    found[others] = every[0, column] - parts[:, column]
    return found


def _without(trace: Trace, cpu: int) -> Trace:
    """The trace on a machine without one CPU; the later ones move up."""
    from mcost.traces.schema import ATTACH  # noqa: PLC0415 - beside its only use

    kept = (trace.cpu != cpu) | (trace.event == ATTACH)
    columns = {name: getattr(trace, name)[kept] for name in COLUMNS}
    columns["cpu"] = columns["cpu"] - (columns["cpu"] > cpu)
    columns["cpu"] = np.clip(columns["cpu"], 0, None)
    return Trace.build(**columns)


def _states(trace: Trace, scenario: Scenario) -> list[str]:
    """What each CPU was doing, by its last switch and idle."""
    names = [_STATES[2]] * scenario.cpus
    for cpu, event, mm in zip(trace.cpu, trace.event, trace.mm, strict=True):
        if event == SWITCH:
            names[cpu] = _STATES[0] if 0 <= mm < scenario.sharers else _STATES[2]
        elif event == IDLE and names[cpu] == _STATES[0]:
            names[cpu] = _STATES[1]
    return names


def _moment(setting: Setting) -> dict[str, object]:
    """What the picture sets itself; enough idle CPUs that lazy ones are in it."""
    idle = max(setting.idle, min(_IDLE, 1 - setting.share))
    cpus = min(setting.cpus, _CPUS)
    return {"cpus": cpus, "idle": idle, "pages": 1, "operation": "zap", "kernel": "6.12"}


def _data(setting: Setting) -> pd.DataFrame:
    """One row per design and CPU of a machine of at most 32 CPUs; one page is zapped."""
    scenario = setting.scenario(**_moment(setting))
    trace, _ = synthesize(scenario, 1, setting.seed)
    states = _states(trace, scenario)
    asks = int(trace.cpu[trace.event == INVALIDATE][0])
    rows = [
        {"design": one.name, "cpu": cpu, "state": states[cpu], "ipis": int(ipis),
         "role": "asks" if cpu == asks else "interrupted" if ipis else "left alone"}
        for one in DESIGNS
        for cpu, ipis in enumerate(interrupted(trace, scenario, one))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _chart(frame: pd.DataFrame) -> Chart:
    names = list(dict.fromkeys(frame["design"]))
    sums = frame.groupby("design", sort=False)["ipis"].sum().reset_index()
    sums["text"] = sums["ipis"].astype(str) + " IPIs"
    y = alt.Y("design:N", sort=names, title=None).scale(domain=names).axis(grid=False)
    x = alt.X("cpu:Q", title="CPU").scale(domain=[-1, frame["cpu"].max() + 1], nice=False)
    x = x.axis(values=list(range(0, int(frame["cpu"].max()) + 1, 4)), grid=False)
    shape = alt.Shape("state:N", title="CPU").scale(domain=list(_STATES), range=_SHAPES)
    fill = alt.Color("role:N", title="this event").scale(
        domain=["interrupted", "left alone", "asks"], range=["#b30000", "#e9e9e9", "#000000"]
    )
    marks = alt.Chart(frame).mark_point(
        filled=True, size=90, opacity=1, stroke="#777777", strokeWidth=0.6
    ).encode(x, y, shape, fill)  # fmt: skip
    text = (
        alt.Chart(sums)
        .mark_text(align="left")
        .encode(y, x=alt.value(14 * (int(frame["cpu"].max()) + 2) + 4), text="text:N")
    )
    width = 14 * (int(frame["cpu"].max()) + 2)
    return alt.layer(marks, text).properties(width=width, height=22 * len(names)).configure_legend(
        orient="bottom", columns=3, symbolSize=90
    )  # fmt: skip


TOLD = Figure(
    "told",
    "Who is interrupted when one page is zapped: one moment, every design",
    _data,
    _chart,
    lambda setting: setting.words(["hardware"], **_moment(setting)),
)
