"""Which CPUs still use a translation that an operation took away."""

from __future__ import annotations

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from mcost.report.figures.base import Chart, Figure
from mcost.report.setting import Setting
from mcost.simulator import prepare, simulate_trials
from mcost.spec.designs import Design, design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.schema import TOUCH, Trace, concatenate
from mcost.traces.synthetic import synthesize

__all__ = ["STALE", "stale_map"]

SHOWN = ("host-mm", "merged")
_PAGES, _CPUS = 32, 64
"""Largest map that can be read; bigger settings are shown by their first part."""


def stale_map(scenario: Scenario, one: Design, seed: int) -> npt.NDArray[np.bool_]:
    """[cpus, pages]: whether a CPU that uses a page after the operation gets the old one.

    One trial of the placement is repeated for every CPU and page with one more event: that
    CPU touches that page. So the machine itself says what is stale.
    """
    trace, _ = synthesize(scenario, 1, seed)
    probes = [(cpu, page) for cpu in range(scenario.cpus) for page in range(scenario.pages)]
    last = int(trace.time[-1])
    parts: list[Trace] = []
    for cpu, page in probes:
        touch = Trace.build(time=last, cpu=cpu, event=TOUCH, page=page + scenario.offset)
        parts += [trace, touch]
    starts = np.arange(len(probes), dtype=np.int64) * (len(trace) + 1)
    seen = simulate_trials(prepare(concatenate(parts), starts), one, scenario)
    stale = seen[:, COUNT_NAMES.index("stale_hits")] > 0
    return np.asarray(stale.reshape(scenario.cpus, scenario.pages))


def _part(setting: Setting) -> dict[str, int]:
    return {"cpus": min(setting.cpus, _CPUS), "pages": min(setting.pages, _PAGES)}


def _data(setting: Setting) -> pd.DataFrame:
    """Columns: design, cpu, page, stale."""
    scenario = setting.scenario(**_part(setting))
    frames = []
    for name in SHOWN:
        found = stale_map(scenario, design(name), setting.seed)
        cpu, page = np.indices(found.shape)
        cells = {"cpu": cpu.ravel(), "page": page.ravel(), "stale": found.ravel()}
        frames.append(pd.DataFrame({"design": name, **cells}))
    return pd.concat(frames, ignore_index=True)


def _chart(frame: pd.DataFrame) -> Chart:
    return alt.hconcat(*(_panel(frame[frame["design"] == name], name) for name in SHOWN))


def _panel(frame: pd.DataFrame, name: str) -> Chart:
    cpus, pages = int(frame["cpu"].max()) + 1, int(frame["page"].max()) + 1
    stale = frame[frame["stale"]]
    title = alt.TitleParams(
        name, subtitle=f"{len(stale)} of {cpus * pages} uses are stale, on"
        f" {stale['cpu'].nunique()} of {cpus} CPUs",
    )  # fmt: skip
    width, height = 5 * cpus, 6 * pages
    return (
        alt.Chart(stale[["cpu", "page"]], title=title)
        .mark_square(size=14, color="#b30000", opacity=1)
        .encode(
            alt.X("cpu:Q", title="CPU").scale(domain=[-1, cpus], nice=False).axis(
                values=list(range(0, cpus, 8)), grid=True
            ),
            alt.Y("page:Q", title="page of the region").scale(
                domain=[-1, pages], nice=False
            ).axis(values=list(range(0, pages, 8))),
        )
        .properties(width=width, height=height)
    )  # fmt: skip


STALE = Figure(
    "stale",
    "Uses of freed pages that still hit an old translation, by CPU and page, after one operation",
    _data,
    _chart,
    lambda setting: setting.words(["hardware"], **_part(setting)),
)
