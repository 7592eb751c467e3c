"""Draws: quantiles are where the constants say, seeds decide everything else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcost.algebra.spread import draw, estimate, quantile
from mcost.spec.hardware import Constant


def constant(value: float, down: float, up: float, shape: str = "log") -> Constant:
    return Constant("ns", value, value * down, value * up, "range", shape=shape)


@given(
    st.floats(0.1, 1e5), st.floats(0.01, 1.0), st.floats(1.0, 50.0),
    st.sampled_from(["log", "linear"]),
)  # fmt: skip
def test_low_value_and_high_are_the_quantiles(value, down, up, shape) -> None:
    item = constant(value, down, up, shape)
    found = quantile(item, np.array([0.05, 0.5, 0.95]))
    assert found == pytest.approx([item.low, item.value, item.high], rel=1e-9)


@given(st.floats(0.01, 1.0), st.floats(1.0, 50.0), st.sampled_from(["log", "linear"]))
def test_quantiles_rise_and_stay_positive(down, up, shape) -> None:
    found = quantile(constant(10.0, down, up, shape), np.linspace(1e-6, 1 - 1e-6, 200))
    assert (np.diff(found) >= 0).all()
    assert (found >= 0).all()


def test_an_interval_that_reaches_zero_needs_the_linear_shape() -> None:
    found = quantile(Constant("ns", 5.0, 0.0, 10.0, "range", shape="linear"), np.array([1e-9, 0.9]))
    assert found[0] == 0.0
    assert found[1] == pytest.approx(5 + 0.4 / 0.45 * 5)


def test_draws_hit_their_quantiles_and_repeat() -> None:
    item = {"first": constant(100.0, 0.5, 3.0)}
    one, two, other = (draw(item, 1024, seed)["first"] for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()
    assert np.quantile(one, [0.05, 0.5, 0.95]) == pytest.approx([50, 100, 300], rel=0.01)


def test_a_name_keeps_its_draws_whatever_else_is_drawn() -> None:
    first, next_ = constant(100.0, 0.5, 3.0), constant(7.0, 0.5, 3.0)
    alone = draw({"first": first}, 64, 1)["first"]
    among = draw({"next": next_, "first": first}, 64, 1)["first"]
    assert (alone == among).all()


def test_the_number_of_draws_must_be_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="points: 100 must be a power of two"):
        draw({"first": constant(1.0, 0.5, 2.0)}, 100, 1)


def test_an_estimate_always_contains_its_value() -> None:
    assert estimate(1.0, np.array([2.0, 3.0, 4.0])).low == 1.0
    assert estimate(9.0, 9.0).high == 9.0
    assert str(estimate(1234.5, 1234.5)) == "1234 (1234 to 1234)"
