"""Nothing is lost by following one translation: random walks of the plain machine, every CPU
at full grain and every translation kept, stay inside what the compiled search explores."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safety_projection import projected

from mcost.checks.safety.moves import room
from mcost.checks.safety.names import canonical
from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.takes import after
from mcost.checks.safety.plain.world import Machine, Step, start
from mcost.checks.safety.program import as_array
from mcost.checks.safety.state import Rules
from mcost.checks.safety.steps import all_moves, stale
from mcost.checks.safety.words import sentence
from mcost.checks.safety.worlds import KINDS, World, small_world
from mcost.spec.designs import DESIGNS, VARIANTS, design

EAGER_FOR = {"begin", "execute", "send", "skip", "touch", "fault", "loaded", "read-generation"}


@cache
def all_worlds() -> list[World]:
    return [
        small_world(design, kind, masks)
        for design in DESIGNS + VARIANTS
        for kind in KINDS
        for masks in ("eager", "lazy")
    ]


def walk(world: World, seed: int, length: int) -> Iterator[tuple[Machine, Step, Machine]]:
    """A random walk that gets on with operations and switches more than it wanders."""
    rng = np.random.default_rng(seed)
    m = start(world.rules, world.program)
    for _ in range(length):
        steps = list(offers(m))
        weight = np.array([4.0 if step.action in EAGER_FOR else 1.0 for step in steps])
        step = steps[rng.choice(len(steps), p=weight / weight.sum())]
        now = after(m, step)
        yield m, step, now
        m = now


def matched(world: World, view: Rules, followed: int, before: Machine, now: Machine) -> bool:
    """Whether the search, in the image of ``before``, stays or moves to the image of ``now``."""
    old, new = projected(before, view, followed), projected(now, view, followed)
    out = room()
    n = all_moves(np.int64(old), view, as_array(world.program), out)
    return new == old or new in {int(canonical(out.after[k], view)) for k in range(n)}


@settings(max_examples=80, deadline=None)
@given(place=st.integers(0, 10**6), seed=st.integers(0, 2**32 - 1), followed=st.integers(0, 2))
def test_every_step_of_the_plain_machine_is_a_step_of_the_search(
    place: int, seed: int, followed: int
) -> None:
    world = all_worlds()[place % len(all_worlds())]
    for before, step, now in walk(world, seed, 50):
        for view in world.views():
            assert matched(world, view, followed, before, now), (world.design, step, view)
            uses = [use for use in now.stale_uses() if use == Step("use", followed, view.page)]
            here = now.cpus[followed].mm == view.sharer and bool(uses)
            assert stale(np.int64(projected(now, view, followed)), view) == here


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 10**6), seed=st.integers(0, 2**32 - 1))
def test_every_step_can_be_told_in_words(place: int, seed: int) -> None:
    world = all_worlds()[place % len(all_worlds())]
    for before, step, _ in walk(world, seed, 50):
        assert sentence(before, step)
        assert "{" not in sentence(before, step)


@pytest.mark.parametrize("wrong", [{"lazy_masks": 1}, {"filter": 0}, {"blind": 1}, {"overlap": 1}])
def test_the_comparison_notices_a_search_with_other_rules(wrong: dict[str, int]) -> None:
    world = small_world(design("merged"), "pages", "eager")
    assert not all(
        matched(world, view._replace(**wrong), 0, before, now)
        for seed in range(40)
        for before, _, now in walk(world, seed, 50)
        for view in world.views()
    )
