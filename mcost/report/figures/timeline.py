"""A counterexample of the safety check, as a timeline of CPUs."""

from __future__ import annotations

from functools import lru_cache

import altair as alt
import pandas as pd

from mcost.checks.safety import MUTANTS, check_mutant
from mcost.checks.safety.report import MutantResult
from mcost.report.figures.base import Chart, Figure
from mcost.report.setting import Setting
from mcost.spec.lookup import find

__all__ = ["SHOWN_BUG", "TIMELINE", "bug", "steps_of"]

SHOWN_BUG = "merged-unloaded-unbumped"
_CPUS = 2


@lru_cache(maxsize=32)
def bug(name: str) -> MutantResult:
    """A seeded bug, searched for in a small world."""
    return check_mutant(find("bug", name, {one.name: one for one in MUTANTS}), _CPUS)


def steps_of(result: MutantResult) -> pd.DataFrame:
    """Steps of a counterexample: step, lane (who acts), text, last (the forbidden use).

    Raises:
        ValueError: the bug was not caught, so there is nothing to draw.
    """
    if result.counterexample is None:
        raise ValueError(f"{result.mutant.name}: has no counterexample")
    rows = result.counterexample.replay.as_rows()
    frame = pd.DataFrame(
        {
            "step": [row["step"] for row in rows],
            "lane": [_lane(row["cpu"], row["operation"]) for row in rows],
            "text": [_text(str(row["text"]), str(row["note"])) for row in rows],
        }
    )
    frame["last"] = frame["step"] == frame["step"].max()
    return frame


def _lane(cpu: int | str | None, operation: int | str | None) -> str:
    return f"operation {operation}" if operation is not None else f"CPU {cpu}"


def _text(text: str, note: str) -> str:
    _, sep, rest = text.partition(": ")
    told = rest if sep and text.startswith("operation") else text
    return f"{told}  [{note}]" if note else told


def _data(_: Setting) -> pd.DataFrame:
    return steps_of(bug(SHOWN_BUG))


def _chart(frame: pd.DataFrame) -> Chart:
    lanes = sorted(set(frame["lane"]))
    shapes = ["circle", "square", "triangle-up", "diamond", "cross"][: len(lanes)]
    width, height = 78 * len(lanes), 19 * len(frame)
    x = alt.X("lane:N", title=None, sort=lanes).axis(orient="top", labelAngle=0, grid=True)
    y = alt.Y("step:Q", title="step").scale(
        domain=[int(frame["step"].max()) + 0.5, 0.5], nice=False
    )
    y = y.axis(values=list(frame["step"]), format="d", grid=False)
    path = alt.Chart(frame).mark_line(color="#bbbbbb", strokeWidth=1).encode(
        x, y, alt.Order("step:Q")
    )  # fmt: skip
    colour = alt.Color("last:N", legend=None).scale(
        domain=[False, True], range=["#333333", "#b30000"]
    )
    dots = alt.Chart(frame).mark_point(filled=True, size=80, opacity=1).encode(
        x, y, colour, alt.Shape("lane:N", legend=None).scale(domain=lanes, range=shapes)
    )  # fmt: skip
    words = alt.Chart(frame).mark_text(align="left", baseline="middle", limit=640).encode(
        y, colour, x=alt.value(width + 10), text="text:N"
    )  # fmt: skip
    return alt.layer(path, dots, words).properties(
        width=width, height=height, padding={"left": 6, "top": 6, "right": 90, "bottom": 6}
    )  # the words may be wider in a browser's own font


TIMELINE = Figure(
    "timeline",
    f"The shortest way to a stale translation that the search found for the seeded bug {SHOWN_BUG}",
    _data,
    _chart,
    lambda _: f"world of {_CPUS} CPUs, every interleaving",
)
