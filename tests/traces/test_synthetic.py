"""Synthetic traces obey the law they are named after."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mcost.checks.grid import grid
from mcost.spec.scenario import Scenario
from mcost.traces.checks import check_trace
from mcost.traces.schema import COLUMNS, INVALIDATE, SWITCH, Trace
from mcost.traces.synthetic import synthesize


def trials_of(trace: Trace, starts: np.ndarray) -> list[Trace]:
    """The independent trials, each a trace of its own."""
    bounds = [*starts, len(trace)]
    return [
        Trace(**{name: getattr(trace, name)[low:high] for name in COLUMNS})
        for low, high in pairwise(bounds)
    ]


@pytest.mark.parametrize("scenario", grid(quick=True)[::3], ids=str)
def test_every_trial_is_a_valid_trace_with_one_operation(scenario):
    for trial in trials_of(*synthesize(scenario, 5, seed=2)):
        check_trace(trial, scenario.cpus)
        assert (trial.event == INVALIDATE).sum() == 1
        assert trial.event[-1] == INVALIDATE
        assert len(trial.sharers) == scenario.sharers


def test_same_seed_same_bytes_other_seed_other_trials():
    scenario = Scenario(16, 5, share=0.5)
    first, again, other = (synthesize(scenario, 20, seed)[0] for seed in (7, 7, 8))
    assert all((getattr(first, name) == getattr(again, name)).all() for name in COLUMNS)
    assert not np.array_equal(first.mm, other.mm)


def test_snapshot_runs_the_stated_share():
    scenario = Scenario(50, 5, share=0.4, idle=0.1)
    trace, _ = synthesize(scenario, 2_000, seed=3)
    loaded = trace.mm[trace.event == SWITCH] < 5
    half_width = 5 * (0.5 * 0.5 / loaded.size) ** 0.5
    assert abs(loaded.mean() - 0.5) <= half_width


def test_roaming_moves_at_the_stated_rate():
    scenario = Scenario(16, 6, placement="roaming", rate=5.0, age=0.8)
    trials = 3_000
    trace, _ = synthesize(scenario, trials, seed=4)
    moves = ((trace.event == SWITCH) & (trace.time > 0) & (trace.mm < 6)).sum()
    # arrivals, and sharers that resume on a CPU that another one left
    assert moves / (trials * 6) >= 5.0 * 0.8 * 0.97


def test_uniform_visits_are_subsets_of_the_stated_size():
    scenario = Scenario(9, 4, 3, placement="uniform")
    for trial in trials_of(*synthesize(scenario, 50, seed=5)):
        visits = (trial.event == SWITCH) & (trial.mm < 4)
        for mm in range(4):
            cpus = trial.cpu[visits & (trial.mm == mm)]
            assert len(set(cpus.tolist())) == len(cpus) == 3
