"""Sharers that take turns on their CPUs: the machine at many random moments.

On each CPU one of the threads pinned there is loaded, at a random moment any of them. The
simulated machine is put into such moments and asked what one walk does:

- targets: ``per-mm``, all moments, before the masks' first trim;
- calls of flush_tlb_multi: rounds of ``per-mm-tables``, which skips nobody, so it makes a
  round for just the mms whose mask holds another CPU (KF 8.2: a call is counted even if the
  filter then selects nobody);
- targets when every mm trims (lazy masks, at most once a second and mm).

A real walk takes time, and the threads of a CPU go on taking turns. If they do so ever so
fast, each of the n sharers of a CPU finds it with probability 1/n: the mean number of times
that it is told stays 1, the variance is 1 - 1/n; slower turns give less. The interval is the
range of the moments and ``SIGMAS`` standard deviations of that on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Value, exactly
from mcost.simulator import Prepared, prepare, simulate_parts
from mcost.spec.designs import design
from mcost.spec.kernels import kernel
from mcost.spec.vocabulary import COUNT_NAMES
from mcost.traces.schema import ATTACH, INVALIDATE, KINDS, SWITCH, Trace

__all__ = ["SIGMAS", "Moments", "crowded", "moments", "turn_variance"]

SIGMAS = 3.0
"""Half-width of the walk's part of an interval, in standard deviations."""

_TRIALS, _SEED = 200, 1
_TRIM = 1_000_000_001  # ns after attach: past the first trim time

Ints = npt.NDArray[np.int64]
Sets = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Moments:
    """One walk at random moments.

    Attributes:
        calls, rounds, told, trimmed: per moment, int64 [trials]; rounds are the calls that
            tell somebody.
        variance: of the targets of one walk whose CPUs change hands all the time.
    """

    calls: Ints
    rounds: Ints
    told: Ints
    trimmed: Ints
    variance: float


def crowded(row: Row, sets: Sequence[Sequence[int]]) -> Prediction:
    """Calls and targets of ``reps`` walks, stated as intervals; nothing is local."""
    seen = moments(tuple(map(tuple, sets)), row.cpus, row.variant.name)
    walk = SIGMAS * sqrt(row.reps * seen.variance)
    # Repetitions may meet the same moment: their spreads add up. One trim in a row.
    told = _value(seen.told, row.reps, walk)
    extra = float((seen.trimmed - seen.told).max())
    told = Value(told.mean, told.low, told.high + extra)
    calls = _value(seen.calls, row.reps, walk)
    if extra > 0:  # a trim takes stale bits away; what is loaded stays
        loaded = _value(seen.rounds, row.reps, walk)
        calls = Value(calls.mean, loaded.low, calls.high)
    values = {
        "remote_flush": calls,
        "remote_received": told,
        "tlb_interrupts": told,
        **exactly({"local_all": 0, "local_one": 0}),
    }
    shown = {name: value for name, value in values.items() if name in row.counted}
    return Prediction(shown)


def _value(each: Ints, reps: int, walk: float) -> Value:
    low, high = float(each.min()) * reps, float(each.max()) * reps
    return Value(float(each.mean()) * reps, max(0.0, low - walk), high + walk)


@lru_cache(maxsize=512)
def moments(sets: Sets, cpus: int, kernel_name: str) -> Moments:
    """One walk over sharers pinned to overlapping sets, at 200 random moments."""
    users: dict[int, list[int]] = {}
    for sharer, mine in enumerate(sets):
        for cpu in mine:
            users.setdefault(cpu, []).append(sharer)
    early, late = (_walks(users, len(sets), at) for at in (0, _TRIM))
    variant = kernel(kernel_name)
    counted = {}
    for name, trace, which, count in (
        ("calls", early, "per-mm-tables", "rounds"),
        ("rounds", early, "per-mm", "rounds"),
        ("told", early, "per-mm", "ipis"),
        ("trimmed", late, "per-mm", "ipis"),
    ):
        seen = simulate_parts(trace, design(which), variant, cpus=cpus, sets=1)
        counted[name] = seen[:, COUNT_NAMES.index(count)]
    return Moments(**counted, variance=turn_variance([len(mine) for mine in users.values()]))


def turn_variance(users: Iterable[int]) -> float:
    """Sum of 1 - 1/n over CPUs with n sharers each: turns much faster than the walk."""
    return sum(1 - 1 / n for n in users)


def _walks(users: dict[int, list[int]], sharers: int, at: int) -> Prepared:
    """Trials: attach everybody, let the threads of each CPU run in random order, one walk."""
    rng = np.random.default_rng(_SEED)
    blocks = []
    for _ in range(_TRIALS):
        events = [(ATTACH, 0, sharer) for sharer in range(sharers)]
        for cpu, mine in sorted(users.items()):
            events += [(SWITCH, cpu, mine[i]) for i in rng.permutation(len(mine))]
        events.append((INVALIDATE, 0, 0))
        blocks.append(np.array(events, dtype=np.int64))
    rows = np.concatenate(blocks)
    size = len(blocks[0])
    last = rows[:, 0] == INVALIDATE
    trace = Trace.build(
        time=np.where(last, at, 0), event=rows[:, 0], cpu=rows[:, 1], mm=rows[:, 2],
        pages=np.where(last, 1, 0), kind=np.full(len(rows), KINDS.index("zap")),
    )  # fmt: skip
    return prepare(trace, np.arange(_TRIALS, dtype=np.int64) * size)
