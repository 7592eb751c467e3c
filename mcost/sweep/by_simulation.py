"""Answers by the machine: many trials of one scenario, the same ones for every design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcost.simulator import prepare, simulate_trials
from mcost.spec.designs import Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.sweep.asked import Asked
from mcost.sweep.rows import Rows
from mcost.sweep.sizes import events_of
from mcost.traces.synthetic import synthesize

__all__ = ["Seen", "add_simulated", "simulated"]

_EVENTS_AT_ONCE = 2_000_000


@dataclass
class Seen:
    """What the trials of one scenario under one design showed.

    Attributes:
        mean, sd: [counts], per trial; sd of the sample, NaN for one trial.
    """

    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]


def add_simulated(
    rows: Rows, place: int, scenario: Scenario, asked: Asked, seed: int
) -> npt.NDArray[np.float64]:
    """Adds the counts of one scenario; returns their means, [designs, counts]."""
    found = simulated(scenario, asked.designs, asked.trials, seed, (asked.sets, asked.ways))
    for design, seen in zip(asked.designs, found, strict=True):
        for name in asked.counts_by("simulation"):
            count = COUNT_NAMES.index(name)
            rows.add(
                place,
                design=design.name,
                by="simulation",
                quantity=name,
                mean_count=seen.mean[count],
                sd_count=seen.sd[count],
                error_count=seen.sd[count] / asked.trials**0.5,
                trials=asked.trials,
                seed=seed,
            )
    return np.array([seen.mean for seen in found])


def simulated(
    scenario: Scenario,
    designs: Sequence[Design],
    trials: int,
    seed: int,
    geometry: tuple[int, int],
) -> list[Seen]:
    """Runs the trials under each design.

    Args:
        scenario: the question.
        designs: who answers.
        trials: at least 1.
        seed: of the trials.
        geometry: sets and ways of each TLB; 0 sets for enough to hold all pages.
    """
    size = (len(designs), len(COUNT_NAMES))
    total, square = np.zeros(size, np.int64), np.zeros(size)
    done, at_once = 0, max(1, _EVENTS_AT_ONCE // events_of(scenario))
    while done < trials:
        some = min(at_once, trials - done)
        ready = prepare(*synthesize(scenario, some, seed + done))
        for at, one in enumerate(designs):
            seen = simulate_trials(ready, one, scenario, sets=geometry[0], ways=geometry[1])
            total[at] += seen.sum(axis=0)
            square[at] += (seen.astype(np.float64) ** 2).sum(axis=0)
        done += some
    mean = total / trials
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(square / trials - mean**2, 0) * trials / np.float64(trials - 1)
    return [Seen(mean[at], np.sqrt(variance[at])) for at in range(len(designs))]
