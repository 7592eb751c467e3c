"""Compiled formulas against the same formulas worked in 40 digits, point by point."""

from __future__ import annotations

import numpy as np
import pytest

from mcost.algebra.compiled import BLOCK, evaluate, formulas, setting_of
from mcost.algebra.counts import expect, mean_sd
from mcost.spec.designs import DESIGNS, Design, design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

LAWS = {
    "pinned": {"threads": 2, "held": 0.9},
    "snapshot": {"share": 0.7, "idle": 0.1, "held": 0.5},
    "uniform": {"threads": 3, "share": 0.9},
    "roaming": {"rate": 4.0, "age": 0.4},
}
SIZES = ((3, 2), (8, 3), (17, 40), (64, 12), (200, 200), (1024, 1500))


def scenarios(placement: str, **more: object) -> list[Scenario]:
    known = {"pages": 40, "offset": 500, "placement": placement, **LAWS[placement], **more}
    return [Scenario(cpus=cpus, sharers=sharers, **known) for cpus, sharers in SIZES]


def compiled(asked: list[Scenario], who: Design) -> tuple[np.ndarray, np.ndarray]:
    setting = setting_of(asked[0])
    assert setting is not None and all(setting_of(one) == setting for one in asked)
    columns = {
        name: np.array([float(getattr(one, name)) for one in asked]) for name in setting.free
    }
    return evaluate(who, setting, columns, len(asked))


@pytest.mark.parametrize("placement", LAWS)
@pytest.mark.parametrize("operation", ["zap", "reclaim"])
def test_equal_to_the_exact_ones(placement: str, operation: str) -> None:
    asked = scenarios(placement, operation=operation)
    for who in DESIGNS[operation == "reclaim" :: 2]:
        means, variances = compiled(asked, who)
        for at, one in enumerate(asked):
            for count, (name, value) in enumerate(expect(one, who).items()):
                pair = mean_sd(value)
                where = f"{who.name} {name} {one}"
                if pair is None:
                    assert np.isnan(means[count, at]), where
                    continue
                if np.isinf(means[count, at]):
                    assert placement == "uniform" and one.threads == one.cpus, where  # 0 / 0
                    continue
                assert means[count, at] == pytest.approx(pair[0], rel=1e-11, abs=1e-11), where
                if pair[1] is not None and not np.isnan(variances[count, at]):
                    close = pytest.approx(pair[1] ** 2, rel=1e-9, abs=1e-9 * max(1, pair[0] ** 2))
                    assert variances[count, at] == close, where


def test_edge_values_have_forms_of_their_own() -> None:
    asked = {
        "S": Scenario(cpus=8, sharers=0, share=0.5),
        "N": Scenario(cpus=1, sharers=3, share=0.5),
        "rho": Scenario(cpus=8, sharers=3, share=1.0),
        "z": Scenario(cpus=8, sharers=3, share=0.5, idle=0.2),
        "h": Scenario(cpus=8, sharers=3, share=0.5, held=0.5),
        "P": Scenario(cpus=8, sharers=3, share=0.5, pages=2),
        "plain": Scenario(cpus=8, sharers=3, share=0.5),
    }
    assert len({setting_of(one) for one in asked.values()}) == len(asked)
    assert setting_of(Scenario(cpus=9, sharers=4, share=0.4)) == setting_of(asked["plain"])


def test_where_doubles_fail_is_marked() -> None:
    # Alternating sums over many visited CPUs are left to 40 digits.
    assert setting_of(Scenario(cpus=64, sharers=3, threads=40, placement="uniform")) is None
    far = [Scenario(cpus=10**9, sharers=2, threads=2, placement="uniform")]
    means, _ = compiled(far, design("per-mm"))
    exact, _ = mean_sd(expect(far[0], design("per-mm")).rounds) or (0.0, None)
    rounds = means[COUNT_NAMES.index("rounds"), 0]
    assert np.isinf(rounds) or rounds == pytest.approx(exact, rel=1e-6)


def test_blocks_do_not_show() -> None:
    setting = setting_of(Scenario(cpus=64, sharers=12, share=0.5))
    assert setting is not None
    size = 2 * BLOCK + 7
    columns = {
        "cpus": np.linspace(3, 5000, size),
        "sharers": np.full(size, 12.0),
        "share": np.full(size, 0.5),
    }
    whole, _ = evaluate(design("merged"), setting, columns, size)
    for part in (slice(0, 5), slice(BLOCK - 2, BLOCK + 2), slice(size - 3, size)):
        some = {name: values[part] for name, values in columns.items()}
        again, _ = evaluate(design("merged"), setting, some, len(some["cpus"]))
        np.testing.assert_array_equal(whole[:, part], again)


def test_compiled_once() -> None:
    asked = scenarios("snapshot")
    setting = setting_of(asked[0])
    assert setting is not None
    assert formulas(design("merged"), setting) is formulas(design("merged"), setting)
