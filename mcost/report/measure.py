"""Designs against a baseline: simulated means with intervals, and what the algebra expects."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from mcost.algebra.counts import expect, mean_sd
from mcost.report.points import trials_for
from mcost.simulator import prepare, simulate_trials
from mcost.spec.designs import Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.schema import COLUMNS, TOUCH, Trace, concatenate
from mcost.traces.synthetic import synthesize

__all__ = ["Measured", "Result", "measure", "stale_uses"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measured:
    """One count of one design.

    Attributes:
        design, count: which.
        mean: simulated, per operation.
        half_width: half of its 95 % interval; 0 when every trial gave the same.
        model: the algebra's mean, None without a closed form.
        change: percent against the baseline, minus is less; None where that is 0.
        significant: whether the 95 % interval of the paired difference leaves 0 out.
        trials: independent trials behind the mean.
        sd: standard deviation of one trial, the algebra's where it has one, else the sample's.
        reach: largest deviation of a trial from the model, at least 1; 0 without a model.
    """

    design: str
    count: str
    mean: float
    half_width: float
    model: float | None
    change: float | None
    significant: bool
    trials: int
    sd: float
    reach: float

    def joint(self, cells: int) -> float:
        """Half-width (Bernstein) of which ``cells`` together miss with 5 %; 0 when certain.

        The 95 % interval is not used for this: where no trial showed a rare case, it is 0.
        """
        weight = log(2 * cells / (1 - CONFIDENCE))
        if self.sd < 1e-9 and self.mean == self.model:
            return 0.0
        return self.sd * sqrt(2 * weight / self.trials) + self.reach * weight / (3 * self.trials)


@dataclass(frozen=True)
class Result:
    """What one comparison found.

    Attributes:
        cells: designs x counts, designs in the order given, the baseline first.
        digest: first 12 hexadecimal digits of the SHA-256 of the simulated trials.
    """

    cells: tuple[Measured, ...]
    digest: str

    def of(self, count: str) -> list[Measured]:
        """One count of every design."""
        return [cell for cell in self.cells if cell.count == count]

    def agreement(self) -> tuple[int, int, float]:
        """(cells inside their interval, cells, largest difference in percent of the model).

        The intervals are those of :meth:`Measured.joint`, so that all of them together miss
        with at most 5 % when the model is right.
        """
        known = [(cell, cell.model) for cell in self.cells if cell.model is not None]
        held = sum(
            abs(cell.mean - model) <= cell.joint(len(known)) + 1e-9 * max(1, model)
            for cell, model in known
        )
        worst = max((abs(cell.mean - model) / model for cell, model in known if model), default=0.0)
        return held, len(known), 100 * worst


def measure(
    scenario: Scenario, designs: Sequence[Design], counts: Sequence[str], seed: int
) -> Result:
    """Simulates every design on the same trials; the first design is the baseline."""
    trials = trials_for(scenario)
    trace, starts = synthesize(scenario, trials, seed)
    ready = prepare(trace, starts)
    columns = [COUNT_NAMES.index(count) for count in counts]
    seen = {
        one.name: simulate_trials(ready, one, scenario)[:, columns].astype(np.float64)
        for one in designs
    }
    base = seen[designs[0].name]
    cells = [
        _cell(scenario, one, count, seen[one.name][:, at], base[:, at])
        for one in designs
        for at, count in enumerate(counts)
    ]
    return Result(tuple(cells), _digest(trace))


def _cell(
    scenario: Scenario,
    one: Design,
    count: str,
    values: npt.NDArray[np.float64],
    base: npt.NDArray[np.float64],
) -> Measured:
    mean, half = _interval(values)
    apart, width = _interval(values - base)
    pair = mean_sd(getattr(expect(scenario, one), count))
    zero = float(base.mean())
    return Measured(
        design=one.name,
        count=count,
        mean=mean,
        half_width=half,
        model=None if pair is None else pair[0],
        change=100 * apart / zero if zero else None,
        significant=abs(apart) > width,
        trials=len(values),
        sd=float(pair[1]) if pair is not None and pair[1] is not None else float(values.std()),
        reach=0.0 if pair is None else max(1.0, float(np.abs(values - pair[0]).max())),
    )


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    sd = float(values.std(ddof=1))
    return float(values.mean()), _quantile(len(values)) * sd / sqrt(len(values))


def _quantile(trials: int) -> float:
    return float(student.ppf((1 + CONFIDENCE) / 2, trials - 1))


def _digest(trace: Trace) -> str:
    held = hashlib.sha256()
    for name in COLUMNS:
        held.update(np.ascontiguousarray(getattr(trace, name)).tobytes())
    return held.hexdigest()[:12]


def stale_uses(scenario: Scenario, one: Design, seed: int) -> tuple[int, int]:
    """(stale uses, uses): after one operation every CPU uses every page once."""
    trace, starts = synthesize(scenario, 1, seed)
    cpu, page = np.indices((scenario.cpus, scenario.pages)).reshape(2, -1)
    uses = Trace.build(
        time=np.full(cpu.size, trace.time[-1]),
        cpu=cpu,
        event=np.full(cpu.size, TOUCH),
        page=page + scenario.offset,
    )
    seen = simulate_trials(prepare(concatenate([trace, uses]), starts), one, scenario)
    return int(seen[0, COUNT_NAMES.index("stale_hits")]), int(cpu.size)
