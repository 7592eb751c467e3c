"""Crossovers: the exact first value, its interval, and its formula where there is one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from mcost.checks.crossover import crossover
from mcost.checks.question import at_values, given, means, quantity, sampled, scenario_at
from mcost.spec.designs import design
from mcost.spec.hardware import hardware
from mcost.spec.scenario import Scenario

PAIR = (design("per-mm"), design("notifier"))
PINNED = Scenario(cpus=64, sharers=1, placement="pinned")


def gap(scenario: Scenario, machine, over: str, value: float, cost: str = "initiator") -> float:
    prices = at_values(sampled(machine))
    at = scenario_at(scenario, over, value)
    one, two = (quantity(cost, given(at, each, machine), prices)[0] for each in PAIR)
    return float(one - two)


@pytest.mark.parametrize("name", ["haswell-1s", "skylake-2s", "kvm-guest"])
def test_the_first_flip_is_what_trying_every_value_finds(name) -> None:
    machine = hardware(name)
    found = crossover(PINNED, PAIR, "sharers", "initiator", machine, (2, 60))
    tried = [s for s in range(2, 61) if gap(PINNED, machine, "sharers", s) > 0]
    assert found.at == tried[0]
    assert (found.before, found.after) == ("per-mm", "notifier")
    assert found.low is not None
    assert found.low <= found.at


def test_wide_ranges_find_the_same_value() -> None:
    machine = hardware("haswell-1s")
    narrow = crossover(PINNED, PAIR, "sharers", "initiator", machine, (2, 60))
    wide = crossover(PINNED, PAIR, "sharers", "initiator", machine, (2, 4000))
    assert wide.at == narrow.at


def test_the_formula_gives_the_value() -> None:
    machine = hardware("haswell-1s")
    found = crossover(PINNED, PAIR, "sharers", "initiator", machine, (2, 60))
    assert found.formula.count("/") == 1
    exact = _evaluate(found.formula, machine)
    assert found.at is not None
    assert found.at - 1 < exact <= found.at + 1e-9
    assert abs(gap(PINNED, machine, "sharers", found.at - 1)) > 0


def _evaluate(formula: str, machine) -> float:
    text = re.sub(r"([\d.]+) ([a-z_]+)", r"\1 * \2", formula)
    names = {name: item.value for name, item in machine.prices.items()}
    return float(eval(text, {"__builtins__": {}}, names))


def test_a_real_parameter_has_a_root() -> None:
    machine, scenario = hardware("haswell-1s"), Scenario(cpus=64, sharers=8, share=0.5)
    found = crossover(scenario, PAIR, "share", "initiator", machine)
    assert found.at is not None
    assert 0.01 < found.at < 1
    assert abs(gap(scenario, machine, "share", found.at)) < 1e-3
    assert found.formula == ""


def test_no_flip_is_said() -> None:
    found = crossover(PINNED, PAIR, "sharers", "bystanders", hardware("haswell-1s"), (2, 60))
    assert (found.at, found.low, found.high, found.never) == (None, None, None, 1.0)
    assert (found.before, found.after) == ("per-mm", "per-mm")


def test_equal_costs_have_no_order() -> None:
    same = (design("merged"), design("batched"))
    found = crossover(PINNED, same, "sharers", "initiator", hardware("haswell-1s"), (2, 60))
    assert (found.at, found.before, found.after, found.never) == (None, "", "", 1.0)


def test_counts_cross_without_any_spread() -> None:
    scenario = Scenario(cpus=16, sharers=1, placement="uniform", threads=4, operation="zap_free")
    found = crossover(scenario, PAIR, "sharers", "ipis", hardware("haswell-1s"), (1, 64))
    assert found.at is not None
    assert found.low == found.at == found.high
    below, above = (
        means(replace(scenario, sharers=int(found.at) - k), PAIR[0]).ipis for k in (1, 0)
    )
    limit = means(scenario, PAIR[1]).ipis
    assert below is not None
    assert above is not None
    assert limit is not None
    assert below <= limit < above


@pytest.mark.parametrize(
    ("over", "cost", "limits", "says"),
    [
        ("sharrs", "initiator", (None, None), "unknown parameter 'sharrs'"),
        ("sharers", "initator", (None, None), "unknown cost 'initator': nearest valid initiator"),
        ("sharers", "initiator", (9, 3), "sharers: the range 9 to 3 is empty"),
        ("share", "initiator", (0.1, 0.5), "share: placement pinned has no use for it"),
    ],
)
def test_impossible_questions(over, cost, limits, says) -> None:
    with pytest.raises(ValueError, match=says):
        crossover(PINNED, PAIR, over, cost, hardware("haswell-1s"), limits)


def test_the_verb_prints_one_row_a_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "crossover", "per-mm", "notifier", "--cpus", "64",
         "--sharers", "1", "--placement", "pinned", "--from", "2", "--to", "60", "--json",
         "--hardware", "haswell-1s", "--hardware", "skylake-2s"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)["crossovers"]
    assert [row["hardware"] for row in answer] == ["haswell-1s", "skylake-2s"]
    machine = hardware("haswell-1s")
    assert answer[0]["at"] == crossover(PINNED, PAIR, "sharers", "initiator", machine, (2, 60)).at
    assert "first" in answer[0]["formula"]
