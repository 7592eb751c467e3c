"""Saturation of a whole machine: rates are those of its costs, and safe at the edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcost.checks.costs import cost_rows
from mcost.checks.rates import rate_rows
from mcost.spec.designs import DESIGNS, design
from mcost.spec.hardware import hardware
from mcost.spec.scenario import Scenario

SCENARIO = Scenario(
    cpus=64, sharers=20, share=0.5, idle=0.1, held=0.5, pages=31, operation="reclaim"
)
MACHINE = hardware("skylake-2s")


def cost(name, component, scenario=SCENARIO):
    rows = cost_rows(scenario, [name], MACHINE)
    return next(row["mean_ns"] for row in rows if row["component"] == component)


@pytest.mark.parametrize("name", ["notifier", "per-mm", "batched", "deferred"])
def test_limit_is_the_busiest_ones_time(name):
    row = rate_rows(SCENARIO, [design(name)], MACHINE, 10)[0]
    others = sum(cost(name, part) for part in ("responders", "bystanders", "idle"))
    most = max(cost(name, "initiator"), others / (SCENARIO.cpus - 1))
    assert row["most_per_s"] == pytest.approx(1e9 / most)
    assert row["low_per_s"] <= row["most_per_s"] <= row["high_per_s"]
    assert row["taken_percent"] == pytest.approx(100 * 10 * others / 1e9 / (SCENARIO.cpus - 1))
    assert row["response_us"] > cost(name, "initiator") / 1e3


def test_above_saturation_nobody_answers_and_ipis_stop_growing():
    one = [design("per-mm")]
    most = rate_rows(SCENARIO, one, MACHINE, 1)[0]["most_per_s"]
    beyond, further = (rate_rows(SCENARIO, one, MACHINE, most * k)[0] for k in (1.01, 100))
    assert beyond["response_us"] is None
    assert beyond["ipis_per_s"] == pytest.approx(further["ipis_per_s"])


def test_a_wider_price_never_narrows_the_rate():
    price = MACHINE.prices["next_far"]
    wider = replace(price, low=price.low / 2, high=price.high * 2)
    machine = replace(MACHINE, prices={**MACHINE.prices, "next_far": wider})
    narrow, wide = (
        rate_rows(SCENARIO, [design("notifier")], one, 10)[0] for one in (MACHINE, machine)
    )
    assert wide["low_per_s"] <= narrow["low_per_s"]
    assert wide["high_per_s"] >= narrow["high_per_s"]


def test_edges():
    alone = rate_rows(replace(SCENARIO, cpus=1), DESIGNS, MACHINE, 10)
    assert all(row["taken_percent"] == 0 and row["ipis_per_s"] == 0 for row in alone)
    names = [row["design"] for row in rate_rows(SCENARIO, DESIGNS, MACHINE, 10)]
    assert "host-mm" not in names  # its caller does nothing
    assert "broadcast" not in names  # the machine has none
    with pytest.raises(ValueError, match="per_second: 0 must be above 0"):
        rate_rows(SCENARIO, DESIGNS, MACHINE, 0)
