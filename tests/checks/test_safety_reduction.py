"""Nothing is lost by following one translation: random walks of the plain machine, every CPU
at full grain and every translation kept, stay inside what the compiled search explores."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from safety_projection import projected

from mcost.checks.safety.moves import room
from mcost.checks.safety.names import canonical
from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.takes import after
from mcost.checks.safety.plain.world import Machine, start
from mcost.checks.safety.program import as_array
from mcost.checks.safety.state import Rules
from mcost.checks.safety.steps import all_moves, stale
from mcost.checks.safety.worlds import KINDS, World, small_world
from mcost.spec.designs import DESIGNS, VARIANTS

WORLDS = [
    small_world(design, kind, masks, cpus=3, operations=2, overlap=2)
    for design in DESIGNS + VARIANTS
    for kind in KINDS
    for masks in ("eager", "lazy")
]


def matched(world: World, view: Rules, followed: int, before: Machine, now: Machine) -> bool:
    """Whether the search, in the image of ``before``, stays or moves to the image of ``now``."""
    old, new = projected(before, view, followed), projected(now, view, followed)
    out = room()
    n = all_moves(np.int64(old), view, as_array(world.program), out)
    return new == old or new in {int(canonical(out.after[k], view)) for k in range(n)}


@settings(max_examples=60, deadline=None)
@given(world=st.sampled_from(WORLDS), seed=st.integers(0, 2**32 - 1), followed=st.integers(0, 2))
def test_every_step_of_the_plain_machine_is_a_step_of_the_search(
    world: World, seed: int, followed: int
) -> None:
    rng = np.random.default_rng(seed)
    m = start(world.rules, world.program)
    for _ in range(40):
        steps = list(offers(m))
        step = steps[rng.integers(len(steps))]
        now = after(m, step)
        for view in world.views():
            assert matched(world, view, followed, m, now), (world.design, step)
            mine = [use for use in now.stale_uses() if use.cpu == followed]
            if stale(np.int64(projected(now, view, followed)), view):
                assert mine
        m = now
