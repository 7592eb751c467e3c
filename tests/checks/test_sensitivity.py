"""Sensitivity: Sobol indices that are known in closed form, and the verb."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from dataclasses import replace
from math import log

import pytest

from mcost.checks.sensitivity import sensitivity
from mcost.spec.designs import design
from mcost.spec.hardware import Constant, Hardware, hardware
from mcost.spec.scenario import Scenario

SCENARIO = Scenario(cpus=64, sharers=8, share=0.5)


def certain(machine: Hardware, *uncertain: str) -> Hardware:
    """The machine with a spread left on the named prices only."""
    return machine.with_prices(
        {
            name: item if name in uncertain else replace(item, low=item.value, high=item.value)
            for name, item in machine.prices.items()
        }
    )


def factor(value: float, times: float) -> Constant:
    return Constant("ns", value, value / times, value * times, "range")


def test_a_product_splits_the_log_variance_by_its_factors() -> None:
    """refills = drops x live x refill: shares are log(width)^2, without interaction."""
    machine = certain(hardware("haswell-1s"), "refill").with_prices({"refill": factor(16.0, 2.0)})
    live = replace(factor(500.0, 4.0), unit="entries")
    shares = sensitivity(SCENARIO, design("merged"), "refills", machine, live=live, points=4096)
    assert [share.name for share in shares] == ["live", "refill"]
    wide, narrow = log(4.0) ** 2, log(2.0) ** 2
    assert shares[0].first == pytest.approx(wide / (wide + narrow), abs=0.02)
    assert shares[0].total == pytest.approx(wide / (wide + narrow), abs=0.02)
    assert shares[1].total == pytest.approx(narrow / (wide + narrow), abs=0.02)


def test_only_one_uncertain_price_explains_everything() -> None:
    machine = certain(hardware("haswell-1s"), "next")
    shares = sensitivity(SCENARIO, design("notifier"), "initiator", machine)
    assert [share.name for share in shares] == ["next"]
    assert shares[0].total == pytest.approx(1.0, abs=0.02)


def test_nothing_uncertain_has_no_shares() -> None:
    machine = certain(hardware("haswell-1s"))
    assert sensitivity(SCENARIO, design("notifier"), "initiator", machine) == []


def test_scenario_parameters_are_ranked_with_the_prices() -> None:
    shares = sensitivity(
        SCENARIO, design("per-mm"), "initiator", hardware("skylake-2s"),
        {"sharers": (1, 512), "share": (0.1, 0.9)}, points=256,
    )  # fmt: skip
    kinds = {share.name: share.basis for share in shares}
    assert kinds["sharers"] == kinds["share"] == "scenario"
    assert shares[0].name == "sharers"
    assert [share.total for share in shares] == sorted((s.total for s in shares), reverse=True)


def test_the_same_seed_gives_the_same_shares() -> None:
    one, two, other = (
        sensitivity(SCENARIO, design("merged"), "total", hardware("zen3"), points=64, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == two != other


@pytest.mark.parametrize(
    ("vary", "points", "says"),
    [
        ({}, 100, "points: 100 must be a power of two"),
        ({"sharrs": (1, 5)}, 64, "unknown parameter 'sharrs'"),
        ({"sharers": (5, 1)}, 64, "sharers: the range 5 to 1 is empty"),
        ({"share": (0.5, 1.5)}, 64, "share: 1.5 is out of range"),
    ],
)
def test_impossible_questions(vary, points, says) -> None:
    with pytest.raises(ValueError, match=says):
        sensitivity(SCENARIO, design("merged"), "total", hardware("zen3"), vary, points=points)


def run(*more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcost.cli", "sensitivity", "merged", "--cpus", "64", "--sharers",
         "8", "--share", "0.5", "--points", "64", *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_verb_prints_shares() -> None:
    done = run("--hardware", "zen3", "--vary", "sharers=1:100", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {"name", "basis", "first", "total"} == set(rows[0])
    assert "sharers" in {row["name"] for row in rows}


@pytest.mark.parametrize("text", ["sharers=5", "sharers=1:nan"])
def test_a_range_that_is_none_is_one_line(text) -> None:
    done = run("--vary", text)
    assert done.returncode == 2
    assert done.stderr == (f"mcost: --vary: '{text}' must be NAME=LOW:HIGH, as sharers=1:1000\n")
