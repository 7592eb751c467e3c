"""Fits of published series: right on made-up data, reproducible, and blind to the checks."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from mcost.calibrate.fits import Parameter, linear_fit
from mcost.calibrate.published import HELD_OUT, USED, fits, flush_size_mix, parameters
from mcost.calibrate.refresh import from_parameter, refreshed
from mcost.checks.published import CHECKS
from mcost.spec.files import data_path
from mcost.spec.hardware import Constant, hardware, hardware_names
from mcost.spec.hardware_text import hardware_toml
from mcost.spec.published import Row, published


def made_up(values) -> list[Row]:
    return [
        Row(f"X-{k}", "", "x86", k, 1, k, "", "", float(value), "ns", "read")
        for k, value in enumerate(values)
    ]


def test_a_fit_finds_what_made_the_data_and_its_interval_covers_it() -> None:
    """Over 200 noisy series the 90 % intervals of the slope cover the truth 85 to 95 %."""
    rng, pages = np.random.default_rng(3), np.arange(1.0, 34.0)
    covered = 0
    for _ in range(200):
        truth = 1000 + 250 * pages
        rows = made_up(truth * (1 + 0.05 * rng.standard_normal(len(pages))))
        fit = linear_fit("x", "", rows, {"fixed": np.ones(len(pages)), "page": pages})
        slope = fit.parameter("page", "ns")
        covered += slope.low <= 250 <= slope.high
    assert 170 <= covered <= 190


def test_without_spare_rows_the_interval_is_the_repeatability() -> None:
    rows = made_up([1000.0, 1500.0])
    fit = linear_fit("x", "", rows, {"fixed": [1, 1], "step": [0, 1]}, repeatability=0.02)
    step = fit.parameter("step", "ns")
    half = 0.02 * np.hypot(1000, 1500)
    assert (step.value, step.high - step.value) == pytest.approx((500, half))
    assert fit.worst == pytest.approx(0, abs=1e-12)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="1 rows cannot tell 2 parameters apart"):
        linear_fit("x", "", made_up([1.0]), {"a": [1], "b": [2]})
    with pytest.raises(ValueError, match="3 rows cannot tell 2 parameters apart"):
        linear_fit("x", "", made_up([1.0, 2.0, 3.0]), {"a": [1, 2, 3], "b": [2, 4, 6]})


def test_fits_agree_with_the_figures_in_published_numbers() -> None:
    """The values that published-numbers.md 1.1 gives, to the digits it gives them in."""
    found = parameters()
    step = fits()["madvise"].interval({"step": 1})[0]
    assert step == pytest.approx(775, abs=0.5)
    assert found["madvise.next"].value == pytest.approx(67.5, abs=0.05)
    assert found["haswell.clock"].value == pytest.approx(2.8, abs=0.05)
    assert fits()["mprotect"].interval({"step": 1})[0] == pytest.approx(2150, abs=5)
    assert found["local.page"].value == pytest.approx(249, rel=0.02)
    pti = fits()["pti"]
    assert pti.interval({"page": 1, "user": 1})[0] == pytest.approx(519, abs=1)
    assert found["pti.user"].value == pytest.approx(138, abs=1.5)
    assert found["refill"].value == pytest.approx(45, abs=0.5)
    assert found["arm.sync"].value == pytest.approx(961, rel=0.03)
    assert found["arm.page"].value == pytest.approx(468, rel=0.01)
    mix = flush_size_mix()
    assert mix[1] == pytest.approx(0.569, abs=0.001)
    assert mix[33] == pytest.approx(0.031, abs=0.001)
    assert 0.98 < sum(mix.values()) < 1


def test_no_held_out_row_calibrates_anything() -> None:
    held = [name for name in published() for p in CHECKS.values() if re.fullmatch(p, name)]
    assert len(held) > 20
    every = [*(i for fit in fits().values() for i in fit.ids),
             *(i for item in parameters().values() for i in item.source)]  # fmt: skip
    assert not set(every) & set(held)
    assert all(name.startswith(USED) for name in every)
    assert not any(name.startswith(HELD_OUT) for name in every)
    for machine in hardware_names():
        for price in hardware(machine).prices.values():
            ends = [part for item in price.source for part in item.split("..")]
            assert not any(end.startswith(HELD_OUT) for end in ends), machine


@pytest.mark.parametrize("name", hardware_names())
def test_bundled_lists_hold_exactly_what_the_fits_give(name) -> None:
    text = data_path("hardware", f"{name}.toml").read_text(encoding="utf-8")
    assert hardware_toml(refreshed(hardware(name))) == text


def test_cycles_become_ns_with_the_spread_of_the_clock() -> None:
    clock = Constant("GHz", 2.0, 1.0, 4.0, "range")
    old = Constant("ns", 1.0, 1.0, 1.0, "fitted", ("S05-01",), "x", 1.5)
    new = from_parameter(Parameter("x", "cycles", 200, 100, 300, ("S05-01",)), old, clock)
    assert (new.value, new.low, new.high) == pytest.approx((100, 25 / 1.5, 300 * 1.5))
    with pytest.raises(ValueError, match="fit x: GHz cannot become ns"):
        from_parameter(Parameter("x", "GHz", 2, 1, 3, ()), old, clock)


def test_a_list_that_names_no_fit_is_refused() -> None:
    machine = hardware("haswell-1s")
    lost = replace(machine.prices["first"], fit="remote.frist")
    with pytest.raises(
        ValueError, match=r"unknown fit 'remote\.frist': nearest valid remote\.first"
    ):
        refreshed(machine.with_prices({"first": lost}))


def test_residuals_show_every_row() -> None:
    fit = fits()["local"]
    assert [item.id for item in fit.residuals] == [f"S05-{k:02d}" for k in range(1, 34)]
    by_id = {item.id: item for item in fit.residuals}
    assert by_id["S05-04"].error == pytest.approx(by_id["S05-04"].fitted / 2447 - 1)
    assert fit.worst < 0.16
