"""What reviewers of the RFC asked, answered with numbers on several machines.

Who asked what is in KF 6.4: the thread of September and October 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mcost.algebra.cost import NotPriced
from mcost.checks.costs import cost_rows
from mcost.checks.crossover import crossover
from mcost.report.questions import MACHINES
from mcost.report.setting import Setting
from mcost.spec.designs import design
from mcost.spec.hardware import hardware

__all__ = ["QUESTIONS", "Question", "answers", "asked"]

_BROADCASTING = ("zen4-invlpgb", "arm64-server")
_US = 1000.0


@dataclass(frozen=True)
class Question:
    """One question of the thread.

    Attributes:
        text: the question, and who asked.
        designs: whose cost answers it; two with a bar between them: the number of sharers from
            which on the other of the two costs less.
        component: of the cost, see ``mcost.algebra.components.COMPONENTS``.
        unit: of the answers.
        machines: price lists.
        each: divide by the pages of the operation.
    """

    text: str
    designs: tuple[str, ...]
    component: str
    unit: str
    machines: tuple[str, ...] = MACHINES
    each: bool = False


QUESTIONS: tuple[Question, ...] = (
    Question(
        "May flush_tlb_all be cheaper than a loop over the sharers, for the caller? (D. Hansen)",
        ("per-mm | notifier",), "initiator", "sharers",
    ),
    Question(
        "And in CPU time of the whole machine?",
        ("per-mm | notifier",), "total", "sharers",
    ),
    Question(
        "What does it take from work unrelated to the region? (A. Yznaga)",
        ("notifier", "merged"), "collateral", "us/operation",
    ),
    Question(
        "How long is the page-table lock held for one flush?",
        ("notifier", "merged", "batched"), "lock_hold", "us/flush",
    ),
    Question(
        "What does the caller wait per reclaimed page?",
        ("notifier", "per-mm", "batched"), "initiator", "us/page", each=True,
    ),
    Question(
        "What do idle and nohz CPUs spend when they are woken?",
        ("notifier", "merged"), "idle", "us/operation",
    ),
    Question(
        "What if the hardware broadcasts: INVLPGB, TLBI? Time of the caller",
        ("notifier", "broadcast", "broadcast-tlbi"), "initiator", "us/operation",
        (*MACHINES, *_BROADCASTING),
    ),
)  # fmt: skip
"""In the order of KF 6.4."""


def asked() -> str:
    """The questions, numbered, as Markdown."""
    return "\n".join(f"{number}. {one.text}" for number, one in enumerate(QUESTIONS, 1))


def answers(setting: Setting) -> pd.DataFrame:
    """Columns: number of the question, design, machine, value, 90 % interval, unit.

    A pair of designs has the cheaper one before and after the value in ``cheaper``; there a
    missing value or end of an interval means that the order does not change in the range
    searched (``mcost.checks.question.SWEPT``). What a machine cannot do has no row.
    """
    rows = [
        {"question": number, "design": name, "hardware": machine, **found, "unit": one.unit}
        for number, one in enumerate(QUESTIONS, 1)
        for name in one.designs
        for machine in one.machines
        for found in _answer(setting, one, name, machine)
    ]
    return pd.DataFrame(rows)


def _answer(setting: Setting, one: Question, name: str, machine: str) -> list[dict[str, object]]:
    if "|" in name:
        return _flip(setting, one, name, machine)
    found = cost_rows(setting.scenario(), [name], hardware(machine))
    over = _US * (setting.pages if one.each else 1)
    return [
        {"cheaper": "", **{key: float(str(row[f"{key}_ns"])) / over
                           for key in ("mean", "low", "high")}}
        for row in found
        if row["component"] == one.component and row["mean_ns"] is not None
    ]  # fmt: skip


def _flip(setting: Setting, one: Question, name: str, machine: str) -> list[dict[str, object]]:
    first, second = name.split(" | ")
    pair = design(first), design(second)
    try:
        found = crossover(setting.scenario(), pair, "sharers", one.component, hardware(machine))
    except NotPriced:
        return []
    order = f"{found.before}, then {found.after}"
    if found.before == found.after:
        order = f"{found.before} throughout"
    return [{"cheaper": order, "mean": found.at, "low": found.low, "high": found.high}]
