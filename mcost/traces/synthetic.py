"""Traces whose flush sees exactly one placement's law, many independent trials at once.

Each trial is a small trace for a fresh machine: attach S sharers, put mms on CPUs, let CPUs
that run a sharer touch the pages, then one ``invalidate``. Why the law holds exactly:

- ``pinned``: the threads are switched in, in order, so the last one on a CPU is loaded.
- ``snapshot``: every CPU's state is drawn independently and switched to once, so masks hold
  just the loaded mm, with both mask policies.
- ``uniform``: visits are switched in, in a random order of sharers; a bystander follows with
  probability 1 - share. A sharer that asks is one of M_1's CPUs, switched back to it last.
- ``roaming``: moves come at Poisson times to uniform CPUs; a sharer that leaves hands its
  CPU to another sharer that is there, else to a bystander. A sharer that asks is switched
  to last, so it runs.

CPUs with nothing to do for the region run one bystander mm. Touches are drawn per CPU and
page with probability ``held``; lazy CPUs touch nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.spec.scenario import Scenario
from mcost.traces.schema import ATTACH, IDLE, INVALIDATE, KINDS, SWITCH, TOUCH, Trace

__all__ = ["synthesize"]

Ints = npt.NDArray[np.int64]
Block = dict[str, Ints]
"""Events of many trials: columns, ``trial`` and ``order`` (place inside the trial)."""

_SECOND = 1_000_000_000


def synthesize(scenario: Scenario, trials: int, seed: int) -> tuple[Trace, Ints]:
    """``trials`` independent trials of one scenario, one after another.

    Args:
        scenario: placement, initiator, pages; its kernel does not matter here.
        trials: how many, at least 1.
        seed: of NumPy's default generator; the same seed gives the same bytes.

    Returns:
        The trace, and the first event of each trial (for ``simulator.prepare``).
    """
    rng = np.random.default_rng(seed)
    blocks, running, initiator = _PLACERS[scenario.placement](scenario, trials, rng)
    blocks.append(_touches(scenario, running, rng))
    blocks.append(
        _block(
            np.arange(trials),
            order=3 << 40,
            cpu=initiator,
            event=INVALIDATE,
            page=scenario.offset,
            pages=scenario.pages,
            kind=KINDS.index(scenario.operation),
        )
    )
    return _assemble(scenario, blocks, trials)


def _block(trial: Ints, **columns: npt.ArrayLike) -> Block:
    names = ("order", "cpu", "event", "mm", "page", "pages", "kind", "time")
    filled = {name: np.broadcast_to(columns.get(name, 0), trial.shape) for name in names}
    return {"trial": trial, **filled}


def _assemble(scenario: Scenario, blocks: list[Block], trials: int) -> tuple[Trace, Ints]:
    """Attaches first, then the blocks in trial order; time is the age of the masks."""
    mms = np.tile(np.arange(scenario.sharers), trials)
    attach = _block(
        np.repeat(np.arange(trials), scenario.sharers), order=mms - (1 << 40), event=ATTACH, mm=mms
    )
    parts = [attach, *blocks]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in attach}
    sequence = np.lexsort((columns["order"], columns["trial"]))
    sorted_columns = {name: values[sequence] for name, values in columns.items()}
    starts = np.searchsorted(sorted_columns.pop("trial"), np.arange(trials))
    sorted_columns.pop("order")
    last = (sorted_columns["event"] == INVALIDATE) | (sorted_columns["event"] == TOUCH)
    now = int((scenario.age or 0) * _SECOND)
    sorted_columns["time"] = np.where(last, now, sorted_columns["time"])
    return Trace.build(**sorted_columns), starts


def _touches(scenario: Scenario, running: npt.NDArray[np.bool_], rng: np.random.Generator) -> Block:
    """Each running CPU touches each page with probability ``held``."""
    trial, cpu = np.nonzero(running)
    drawn = rng.random((len(trial), scenario.pages)) < (scenario.held or 0)
    at, page = np.nonzero(drawn)
    order = (2 << 40) + cpu[at] * scenario.pages + page
    return _block(trial[at], order=order, cpu=cpu[at], event=TOUCH, page=page + scenario.offset)


def _everywhere(trials: int, cpus: int) -> tuple[Ints, Ints]:
    return np.repeat(np.arange(trials), cpus), np.tile(np.arange(cpus), trials)


def _bystanders(scenario: Scenario, trials: int) -> Block:
    trial, cpu = _everywhere(trials, scenario.cpus)
    return _block(trial, order=cpu - (1 << 30), cpu=cpu, event=SWITCH, mm=scenario.sharers)


Placed = tuple[list[Block], npt.NDArray[np.bool_], Ints]
"""(events, [trials, cpus] whether a sharer runs there, initiator of each trial)."""


def _pinned(scenario: Scenario, trials: int, rng: np.random.Generator) -> Placed:
    threads = scenario.sharers * scenario.threads
    number = np.tile(np.arange(threads), trials)
    trial = np.repeat(np.arange(trials), threads)
    visits = _block(
        trial,
        order=number,
        cpu=number % scenario.cpus,
        event=SWITCH,
        mm=number // scenario.threads,
    )
    used = min(scenario.cpus, threads)
    running = np.broadcast_to(np.arange(scenario.cpus) < used, (trials, scenario.cpus))
    low, high = {
        "outside": (0, scenario.cpus),
        "sharer": (0, used),
        "apart": (used, scenario.cpus),
    }[scenario.initiator]
    initiator = rng.integers(low, high, trials)
    return [_bystanders(scenario, trials), visits], running, initiator


def _snapshot(scenario: Scenario, trials: int, rng: np.random.Generator) -> Placed:
    shape = (trials, scenario.cpus)
    share, idle = scenario.share or 0.0, scenario.idle or 0.0
    draw = rng.random(shape)
    initiator = rng.integers(0, scenario.cpus, trials)
    if scenario.initiator == "sharer":
        draw[np.arange(trials), initiator] = -1.0
    elif scenario.initiator == "apart":
        draw[np.arange(trials), initiator] = 2.0
    running, loaded = draw < share, draw < share + idle
    if scenario.initiator == "sharer":
        running[np.arange(trials), initiator] = loaded[np.arange(trials), initiator] = True
    if scenario.sharers == 0:
        running, loaded = np.zeros(shape, bool), np.zeros(shape, bool)
    mm = np.where(loaded, rng.integers(0, max(1, scenario.sharers), shape), scenario.sharers)
    trial, cpu = _everywhere(trials, scenario.cpus)
    switches = _block(trial, order=cpu, cpu=cpu, event=SWITCH, mm=mm.ravel())
    lazy_trial, lazy_cpu = np.nonzero(loaded & ~running)
    lazy = _block(lazy_trial, order=(1 << 40) + lazy_cpu, cpu=lazy_cpu, event=IDLE)
    return [switches, lazy], running, initiator


def _uniform(scenario: Scenario, trials: int, rng: np.random.Generator) -> Placed:
    sharers, threads, cpus = scenario.sharers, scenario.threads, scenario.cpus
    keys = rng.random((trials, sharers, cpus))
    visited = np.argsort(keys, axis=2)[:, :, :threads]
    turn = np.argsort(rng.random((trials, sharers)), axis=1)
    rank = np.argsort(turn, axis=1)
    order = rank[:, :, None] * threads + np.arange(threads)
    trial = np.repeat(np.arange(trials), sharers * threads)
    mm = np.broadcast_to(np.arange(sharers)[:, None], visited.shape)
    visits = _block(trial, order=order.ravel(), cpu=visited.ravel(), event=SWITCH, mm=mm.ravel())
    covered = np.zeros((trials, cpus), bool)
    covered[trial, visited.ravel()] = True
    left = rng.random((trials, cpus)) >= (1.0 if scenario.share is None else scenario.share)
    left_trial, left_cpu = np.nonzero(left)
    follow = _block(left_trial, order=(1 << 40) + left_cpu, cpu=left_cpu, event=SWITCH, mm=sharers)
    running = covered & ~left
    initiator = rng.integers(0, cpus, trials)
    blocks = [_bystanders(scenario, trials), visits, follow]
    if scenario.initiator == "sharer":
        initiator = visited[np.arange(trials), 0, rng.integers(0, threads, trials)]
        running[np.arange(trials), initiator] = True
        blocks.append(_back_to_first(initiator))
    return blocks, running, initiator


def _back_to_first(initiator: Ints, time: int = 0) -> Block:
    trial = np.arange(len(initiator))
    return _block(trial, order=(1 << 41) - 1, cpu=initiator, event=SWITCH, mm=0, time=time)


def _roaming(scenario: Scenario, trials: int, rng: np.random.Generator) -> Placed:
    rate, age = scenario.rate or 0.0, scenario.age or 0.0
    moves = rng.poisson(rate * age, (trials, scenario.sharers))
    first = rng.integers(0, scenario.cpus, (trials, scenario.sharers))
    trial, sharer = (np.repeat(index.ravel(), moves.ravel()) for index in np.indices(moves.shape))
    when = rng.random(len(trial)) * age * _SECOND
    sequence = np.lexsort((when, trial))
    trial, sharer, when = trial[sequence], sharer[sequence], when[sequence].astype(np.int64)
    target = rng.integers(0, scenario.cpus, len(trial))
    position = first.copy()
    loaded = np.full((trials, scenario.cpus), scenario.sharers, dtype=np.int64)
    for one in range(scenario.sharers):
        loaded[np.arange(trials), first[:, one]] = one
    resumed = _move_about(position, loaded, trial, sharer, target)
    start = _block(
        np.repeat(np.arange(trials), scenario.sharers),
        order=np.tile(np.arange(scenario.sharers), trials),
        cpu=first.ravel(),
        event=SWITCH,
        mm=np.tile(np.arange(scenario.sharers), trials),
    )
    place = (1 << 20) + 2 * np.arange(len(trial))
    left, by = resumed[:, 0], resumed[:, 1]
    leave = _block(trial, order=place, cpu=left, event=SWITCH, mm=by, time=when)
    arrive = _block(trial, order=place + 1, cpu=target, event=SWITCH, mm=sharer, time=when)
    running = loaded < scenario.sharers
    initiator = rng.integers(0, scenario.cpus, trials)
    blocks = [_bystanders(scenario, trials), start, leave, arrive]
    if scenario.initiator == "sharer":
        initiator = position[:, 0]
        blocks.append(_back_to_first(initiator, int(age * _SECOND)))
    return blocks, running, initiator


@njit(cache=True)
def _move_about(position: Ints, loaded: Ints, trial: Ints, sharer: Ints, target: Ints) -> Ints:
    """Applies the moves in order; returns (CPU left, mm that runs there then) of each."""
    left = np.empty((len(trial), 2), np.int64)
    nobody = position.shape[1]
    for at in range(len(trial)):
        t, s = trial[at], sharer[at]
        old = position[t, s]
        position[t, s] = target[at]
        if loaded[t, old] == s:
            loaded[t, old] = nobody
            for other in range(nobody):
                if position[t, other] == old and other != s:
                    loaded[t, old] = other
                    break
        left[at, 0], left[at, 1] = old, loaded[t, old]
        loaded[t, target[at]] = s
    return left


_PLACERS: dict[str, Callable[[Scenario, int, np.random.Generator], Placed]] = {
    "pinned": _pinned,
    "snapshot": _snapshot,
    "uniform": _uniform,
    "roaming": _roaming,
}
