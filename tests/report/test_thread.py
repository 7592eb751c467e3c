"""Questions of the RFC thread: a number with an interval each, on at least four machines."""

from __future__ import annotations

import pytest

from mcost.checks.costs import cost_rows
from mcost.report.setting import Setting
from mcost.report.thread import QUESTIONS, answers, asked
from mcost.spec.hardware import hardware

SETTING = Setting(cpus=32, sharers=40, pages=31)


@pytest.fixture(scope="module")
def found():
    return answers(SETTING)


def test_every_question_has_an_interval_on_four_machines(found):
    assert asked().count("\n") == len(QUESTIONS) - 1
    for number in range(1, len(QUESTIONS) + 1):
        rows = found[found["question"] == number]
        assert rows["hardware"].nunique() >= 4, number
    known = found.dropna(subset=["mean", "low", "high"])
    assert (known["low"] <= known["mean"] * (1 + 1e-9)).all()
    assert (known["mean"] <= known["high"] * (1 + 1e-9)).all()
    assert {"zen4-invlpgb", "arm64-server"} <= set(found[found["question"] == 7]["hardware"])


def test_answers_are_the_costs_of_the_setting(found):
    per_page = found[(found["unit"] == "us/page") & (found["design"] == "batched")]
    for row in per_page.itertuples():
        rows = cost_rows(SETTING.scenario(), ["batched"], hardware(row.hardware))
        cost = next(r for r in rows if r["component"] == "initiator")
        assert row.mean == pytest.approx(cost["mean_ns"] / 1000 / SETTING.pages)


def test_a_pair_names_who_is_cheaper(found):
    pairs = found[found["design"].str.contains("|", regex=False)]
    flips = pairs.dropna(subset=["mean"])
    assert len(flips)
    assert flips["cheaper"].str.contains(", then ").all()
    assert pairs[pairs["mean"].isna()]["cheaper"].str.endswith(" throughout").all()
