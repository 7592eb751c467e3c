"""Do the two strangers agree: the simulated mean of many trials against the expression.

For every cell (scenario, design, count) that has a closed form the half-width of the
interval is

    sqrt(2 v L / n) + b L / (3 n),        L = ln(2 cells / risk)

(Bernstein's inequality): ``cells`` of the whole run, certain ones too, n trials, v the
variance (the algebra's where it has one, else the sample's), b the largest deviation a trial
showed, at least 1. Where only the sample gives v, an event too rare to have been seen is
allowed for: b is at least the expected value and v at least b times the difference, which
weighs only when that is below 2 b L / n.

All intervals together miss with probability ``risk`` when the algebra is right, however many
cells there are. A count without variance must be equal. Trials are added until each
half-width is at most 1 % of the expected value, or 0.05 per flush event where that is more
(counts near 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from math import ceil, log, sqrt

import numpy as np
import numpy.typing as npt

from mcost.algebra.counts import expect
from mcost.algebra.moments import Moment
from mcost.checks.grid import grid
from mcost.simulator import prepare, simulate_trials
from mcost.spec.designs import DESIGNS, VARIANTS, Design
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES, COUNTS
from mcost.spec.workers import process_pool
from mcost.traces.synthetic import synthesize

__all__ = ["RISK", "Cell", "agree", "cells_of", "judge", "summary"]

RISK = 0.01
"""Probability that any interval of a whole run misses although the algebra is right."""

RELATIVE, ABSOLUTE = 0.01, 0.05
"""Widest half-width: 1 % of the expected value, or 0.05 per flush event if that is more."""

_PILOT, _MOST = 4_000, 400_000  # trials


@dataclass(frozen=True)
class Cell:
    """One comparison.

    Attributes:
        design, placement, initiator, operation, kernel: names.
        cpus, sharers, pages: of the scenario.
        count: which count.
        expected: the algebra's mean. simulated: the machine's.
        half_width: of the interval around ``simulated``; 0 when the count is certain.
        holds: whether ``expected`` lies in the interval and the interval is narrow enough.
        trials: independent trials behind ``simulated``.
    """

    design: str
    placement: str
    initiator: str
    operation: str
    kernel: str
    cpus: int
    sharers: int
    pages: int
    count: str
    expected: float
    simulated: float
    half_width: float
    holds: bool
    trials: int

    @property
    def strain(self) -> float:
        """|simulated - expected| in half-widths; above 1 the cell fails."""
        off = abs(self.simulated - self.expected)
        return off / self.half_width if self.half_width else (0.0 if self.holds else np.inf)


def judge(
    quick: bool = False,
    seed: int = 1,
    designs: Sequence[Design] = DESIGNS + VARIANTS,
    workers: int = 1,
) -> Iterator[list[Cell]]:
    """All cells of the grid, one scenario at a time (so that a caller can show progress).

    Args:
        quick: a stated subset.
        seed: of the first scenario's trials; each scenario has its own.
        designs: who answers.
        workers: processes, of up to 0.8 GB each; the cells do not depend on it.
    """
    scenarios = grid(quick)
    seeds = range(seed, seed + len(scenarios))
    cells = repeat(cells_of(len(scenarios), designs))
    with process_pool(workers, ["mcost.checks.agreement"]) as pool:
        yield from pool.map(agree, scenarios, repeat(designs), seeds, cells)


def cells_of(scenarios: int, designs: Sequence[Design]) -> int:
    """The most cells that a run of so many scenarios can have."""
    return scenarios * len(designs) * sum(count.closed_form for count in COUNTS)


def agree(
    scenario: Scenario, designs: Sequence[Design], seed: int, cells: int | None = None
) -> list[Cell]:
    """Cells of one scenario: each design's closed forms against many trials.

    Args:
        scenario: the question.
        designs: who answers.
        seed: of the trials; the same trials are given to every design.
        cells: of the whole run, at least 1, see :func:`cells_of`; None when this is all of it.
    """
    expected = {one.name: _moments(scenario, one) for one in designs}
    weight = log(2 * (cells or cells_of(1, designs)) / RISK)
    trials = min(_MOST, max(_PILOT, _enough(expected, weight)))
    sums = _Sums(scenario, designs, weight)
    done = 0
    while done < trials:
        some = min(trials - done, max(64, 4_000_000 // _events(scenario)))
        sums.add(some, seed + 7919 * done)
        done += some
        if done >= _PILOT:
            trials = min(_MOST, max(trials, sums.enough(expected)))
    return [
        _cell(scenario, one, count, moment, sums, float(expected[one.name]["flush_events"].mean))
        for one in designs
        for count, moment in expected[one.name].items()
    ]


class _Sums:
    """Running sums of what the machine counted, per design; ``weight`` is L."""

    def __init__(self, scenario: Scenario, designs: Sequence[Design], weight: float) -> None:
        self.scenario, self.designs, self.weight = scenario, designs, weight
        shape = (len(designs), len(COUNT_NAMES))
        self.n = 0
        self.total = np.zeros(shape)
        self.square = np.zeros(shape)
        self.low = np.full(shape, np.inf)
        self.high = np.full(shape, -np.inf)

    def add(self, trials: int, seed: int) -> None:
        """Simulates more trials under every design."""
        scenario = self.scenario
        ready = prepare(*synthesize(scenario, trials, seed))
        self.n += trials
        for at, one in enumerate(self.designs):
            seen = simulate_trials(ready, one, scenario).astype(np.float64)
            self.total[at] += seen.sum(axis=0)
            self.square[at] += (seen**2).sum(axis=0)
            self.low[at] = np.minimum(self.low[at], seen.min(axis=0))
            self.high[at] = np.maximum(self.high[at], seen.max(axis=0))

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean per trial, [designs, counts]."""
        return np.asarray(self.total / self.n)

    @property
    def variance(self) -> npt.NDArray[np.float64]:
        """Sample variance per trial."""
        return np.maximum(0.0, self.square / self.n - self.mean**2) * self.n / max(1, self.n - 1)

    def enough(self, expected: dict[str, dict[str, Moment]]) -> int:
        """Trials that cells without an expected variance need, by the sample's."""
        need = 0
        for at, one in enumerate(self.designs):
            for count, moment in expected[one.name].items():
                if moment.variance is None:
                    variance = float(self.variance[at, COUNT_NAMES.index(count)])
                    events = float(expected[one.name]["flush_events"].mean)
                    need = max(need, _trials(float(moment.mean), variance, events, self.weight))
        return need


def _moments(scenario: Scenario, one: Design) -> dict[str, Moment]:
    return {
        name: value for name, value in expect(scenario, one).items() if isinstance(value, Moment)
    }


def _limit(mean: float, events: float) -> float:
    return max(RELATIVE * abs(mean), ABSOLUTE * max(1.0, events))


def _trials(mean: float, variance: float, events: float, weight: float) -> int:
    """Trials after which the variance term is 0.85 of the limit."""
    return ceil(2 * variance * weight / (0.85 * _limit(mean, events)) ** 2)


def _enough(expected: dict[str, dict[str, Moment]], weight: float) -> int:
    known = [
        _trials(
            float(m.mean), max(0.0, float(m.variance)), float(cells["flush_events"].mean), weight
        )
        for cells in expected.values()
        for m in cells.values()
        if m.variance is not None
    ]
    return max(known, default=0)


def _events(scenario: Scenario) -> int:
    held = scenario.held if scenario.held is not None else 1.0
    moves = (scenario.rate or 0.0) * (scenario.age or 0.0) * scenario.sharers * 2
    return int(
        2 * scenario.sharers
        + scenario.cpus * (2 + scenario.pages * held)
        + scenario.sharers * scenario.threads
        + moves
    )


def _cell(
    scenario: Scenario, one: Design, count: str, moment: Moment, sums: _Sums, events: float
) -> Cell:
    at, column = sums.designs.index(one), COUNT_NAMES.index(count)
    expected, simulated = float(moment.mean), float(sums.mean[at, column])
    spread = sums.variance[at, column] if moment.variance is None else float(moment.variance)
    certain = moment.variance is not None and spread < 1e-18
    width = 0.0
    if not certain:
        seen = max(sums.high[at, column] - expected, expected - sums.low[at, column], 1.0)
        if moment.variance is None:
            seen = max(seen, expected)
            spread = max(spread, abs(simulated - expected) * seen)
        part = sums.weight / sums.n
        width = sqrt(2 * max(0.0, spread) * part) + seen * part / 3
    off = abs(simulated - expected)
    holds = (
        off <= 1e-9 * max(1.0, expected) if certain else off <= width <= _limit(expected, events)
    )
    return Cell(
        design=one.name,
        placement=scenario.placement,
        initiator=scenario.initiator,
        operation=scenario.operation,
        kernel=scenario.kernel,
        cpus=scenario.cpus,
        sharers=scenario.sharers,
        pages=scenario.pages,
        count=count,
        expected=expected,
        simulated=simulated,
        half_width=width,
        holds=bool(holds),
        trials=sums.n,
    )


def summary(cells: Sequence[Cell]) -> list[dict[str, object]]:
    """One row per design: cells, how many hold, how many are exact, the worst strain."""
    rows: list[dict[str, object]] = []
    for name in dict.fromkeys(cell.design for cell in cells):
        mine = [cell for cell in cells if cell.design == name]
        worst = max(mine, key=lambda cell: (not cell.holds, cell.strain))
        rows.append(
            {
                "design": name,
                "cells": len(mine),
                "hold": sum(cell.holds for cell in mine),
                "exact": sum(cell.half_width == 0 for cell in mine),
                "worst |diff|/half-width": round(worst.strain, 3),
                "in": f"{worst.count} {worst.placement} {worst.operation} {worst.kernel}",
            }
        )
    return rows


def as_row(cell: Cell) -> dict[str, object]:
    """The cell as a table row."""
    return asdict(cell)
