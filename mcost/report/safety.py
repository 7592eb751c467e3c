"""What the safety search of small worlds finds, as frames."""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap

import pandas as pd

from mcost.checks.safety import MUTANTS, SafetyReport, run_safety
from mcost.report.figures.timeline import steps_of
from mcost.report.prose import Text, text_of
from mcost.spec.designs import DESIGNS
from mcost.spec.lookup import find

__all__ = ["bug_rows", "design_rows", "stories", "story"]


_WIDTH = 100


@lru_cache(maxsize=1)
def _found() -> SafetyReport:
    """The ten designs and all seeded bugs in worlds of 2 CPUs."""
    return run_safety(quick=True, designs=DESIGNS)


def design_rows() -> pd.DataFrame:
    """One row per design: verdict, states explored, steps to the shortest violation."""
    rows = [row for row in _found().rows() if row["check"] == "design"]
    return pd.DataFrame(rows)[["name", "verdict", "states", "depth", "violations", "steps"]]


def bug_rows() -> pd.DataFrame:
    """One row per seeded bug: what is wrong, and whether the search and the replay saw it."""
    return pd.DataFrame(
        {
            "name": one.mutant.name,
            "base": one.mutant.base,
            "bug": _short(one.mutant.bug),
            "caught": "yes" if one.caught else "NO",
            "steps": None if one.counterexample is None else len(one.counterexample.replay.rows),
        }
        for one in _found().mutants
    )


def _short(text: str, width: int = 64) -> str:
    return text if len(text) <= width else text[: width - 2].rstrip() + ".."


def stories() -> Text:
    """Every seeded bug with the shortest way to a stale translation that the search found."""
    lines: list[str] = []
    for one in _found().mutants:
        lines += wrap(f"{one.mutant.name}: {one.mutant.bug}", _WIDTH, subsequent_indent="  ")
        steps = steps_of(one)
        width = max(map(len, steps["lane"]))
        lines += [f"{row.step:4}  {row.lane:{width}}  {row.text}" for row in steps.itertuples()]
        lines.append("")
    return text_of(lines[:-1])


def story(name: str) -> Text:
    """What a seeded bug is, and where it was made or warned of."""
    one = find("bug", name, {entry.name: entry for entry in MUTANTS})
    return text_of([f"{one.name}: {one.bug}", f"source: {one.source}"])
