"""Simulated points with intervals, to be put on the algebra's lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np

from mcost.algebra.counts import expect, mean_sd
from mcost.simulator import prepare, simulate_trials
from mcost.spec.designs import Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.synthetic import synthesize

__all__ = ["expected", "simulated", "trials_for"]

Row = dict[str, object]

_EVENTS = 600_000
_Z = 1.959964
"""Half a 95 % interval of a normal law, in standard deviations."""


def expected(scenario: Scenario, designs: Sequence[Design], counts: Sequence[str]) -> Iterator[Row]:
    """One row per design and count: the algebra's mean and standard deviation.

    Cells without a closed form are left out.
    """
    for one in designs:
        cells = expect(scenario, one)
        for count in counts:
            pair = mean_sd(getattr(cells, count))
            if pair is not None:
                yield {"design": one.name, "count": count, "mean": pair[0], "sd": pair[1]}


def trials_for(scenario: Scenario) -> int:
    """Trials that keep one point cheap: 40 to 400, fewer where a trial is long."""
    touches = scenario.cpus * (scenario.share or 0.0) * scenario.pages * (scenario.held or 0.0)
    return int(np.clip(_EVENTS // (2 * scenario.sharers + 2 * scenario.cpus + touches), 40, 400))


def simulated(
    scenario: Scenario, designs: Sequence[Design], counts: Sequence[str], seed: int
) -> Iterator[Row]:
    """One row per design and count: the machine's mean with its 95 % half-width.

    Every design sees the same trials. The half-width is that of a normal law with the sample's
    standard deviation, 0 when all trials gave the same count.
    """
    trials = trials_for(scenario)
    ready = prepare(*synthesize(scenario, trials, seed))
    for one in designs:
        seen = simulate_trials(ready, one, scenario)
        for count in counts:
            column = seen[:, COUNT_NAMES.index(count)].astype(np.float64)
            yield {
                "design": one.name,
                "count": count,
                "mean": float(column.mean()),
                "half_width": _Z * float(column.std(ddof=1)) / sqrt(trials),
                "trials": trials,
            }
