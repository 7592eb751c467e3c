"""Answers by formulas: scenarios of one form together, the few hard ones one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from mcost.algebra.compiled import FREE, Setting, evaluate, setting_of
from mcost.algebra.counts import expect, mean_sd
from mcost.spec.designs import Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.sweep.asked import Asked
from mcost.sweep.rows import Rows

__all__ = ["Question", "add_formulas"]

Floats = npt.NDArray[np.float64]


Answers = tuple[Floats, Floats]
"""(means, standard deviations), [counts, scenarios]."""


class Question:
    """The scenarios of a chunk, grouped by the form of their formulas.

    Attributes:
        scenarios: in order.
    """

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        """Groups the scenarios."""
        self.scenarios = scenarios
        self._alone: list[int] = []
        groups: dict[Setting, list[int]] = {}
        for at, one in enumerate(scenarios):
            setting = setting_of(one)
            if setting is None:
                self._alone.append(at)
            else:
                groups.setdefault(setting, []).append(at)
        self._groups = {setting: np.array(at) for setting, at in groups.items()}
        self._columns = {
            name: np.array([getattr(one, name) or 0 for one in scenarios], np.float64)
            for name in FREE
        }

    def answer(self, design: Design) -> Answers:
        """Means and standard deviations of every count, [counts, scenarios]; NaN unknown."""
        means = np.full((len(COUNT_NAMES), len(self.scenarios)), np.nan)
        sds = np.full_like(means, np.nan)
        hard = list(self._alone)
        for setting, at in self._groups.items():
            columns = {name: self._columns[name][at] for name in setting.free}
            mean, variance = evaluate(design, setting, columns, len(at))
            means[:, at], sds[:, at] = mean, np.sqrt(np.maximum(variance, 0))
            failed = np.isinf(mean).any(axis=0) | np.isinf(variance).any(axis=0)
            hard += at[failed].tolist()
        for at_one in hard:
            means[:, at_one], sds[:, at_one] = _one(self.scenarios[at_one], design)
        return means, sds


def add_formulas(
    rows: Rows, places: npt.NDArray[np.int32], scenarios: Sequence[Scenario], asked: Asked
) -> Floats:
    """Adds the counts of many scenarios; returns their means, [designs, counts, scenarios]."""
    question = Question(scenarios)
    found = []
    for design in asked.designs:
        means, sds = question.answer(design)
        found.append(means)
        for name in asked.counts_by("algebra"):
            count = COUNT_NAMES.index(name)
            rows.add(
                places,
                design=design.name,
                by="algebra",
                quantity=name,
                mean_count=means[count],
                sd_count=sds[count],
            )
    return np.array(found)


def _one(scenario: Scenario, design: Design) -> Answers:
    pairs = [mean_sd(value) or (None, None) for _, value in expect(scenario, design).items()]
    unknown = partial(np.array, dtype=np.float64)
    return unknown([mean for mean, _ in pairs]), unknown([sd for _, sd in pairs])
