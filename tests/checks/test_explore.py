"""The design space: what is kept, what is refused, what nobody should choose."""

from __future__ import annotations

import pytest

from mcost.checks.explore import OBJECTIVES, combinations, explore, front, unsafe_because
from mcost.spec.designs import DESIGNS, VARIANTS, Design, design
from mcost.spec.scenario import Scenario

SCENARIO = Scenario(64, 200, pages=64, share=0.5, idle=0.1, operation="reclaim")


def columns(one: Design) -> tuple[str, ...]:
    return (one.hook, one.tracks, one.delivery, one.scope)


def test_every_named_design_but_the_oracle_is_a_combination():
    found = {columns(one) for one in combinations()}
    for one in DESIGNS + VARIANTS:
        if one.name not in ("exact",):
            assert columns(one) in found, one.name


def test_no_combination_twice():
    found = [columns(one) for one in combinations()]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("one", DESIGNS + VARIANTS, ids=lambda one: one.name)
def test_safety_rules_agree_with_the_named_designs(one):
    if one.tracks == "holders":
        return
    always = one.name in ("host-mm", "batched-unbumped")
    assert bool(unsafe_because(one, "zap")) == always
    assert bool(unsafe_because(one, "protect")) == bool(one.unsafe)


def test_nothing_dominates_the_front():
    points = explore(SCENARIO)
    best = front(points)
    assert best
    for one in best:
        for other in points:
            if other.design.delivery != one.design.delivery or None in other.values.values():
                continue
            pairs = [(other.values[name], one.values[name]) for name in OBJECTIVES]
            assert not (all(a <= b for a, b in pairs) and any(a < b for a, b in pairs))


def test_what_is_left_out_is_beaten_or_equalled():
    points = explore(SCENARIO)
    best = front(points)
    for one in points:
        if one in best or None in one.values.values():
            continue
        rivals = [p for p in best if p.design.delivery == one.design.delivery]
        assert any(
            all(rival.values[name] <= one.values[name] for name in OBJECTIVES) for rival in rivals
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"delivery": "deferred", "tracks": "union", "scope": "everything"},
        {"delivery": "deferred", "tracks": "nothing", "scope": "asid"},
        {"delivery": "none", "tracks": "nothing", "scope": "asid"},
        {"delivery": "ipi", "tracks": "each", "scope": "everything"},
        {"delivery": "invlpgb", "tracks": "union", "scope": "pages"},
        {"delivery": "ipi", "tracks": "union", "scope": "tables", "hook": "pair"},
    ],
)
def test_designs_that_make_no_sense_are_refused_with_a_reason(wrong):
    with pytest.raises(ValueError, match="makes no sense: "):
        Design("odd", **{"hook": "event", "steps": (), "source": "", **wrong})


def test_a_found_design_answers_like_a_named_one():
    scenario = Scenario(32, 40, share=0.5, operation="protect")
    points = {point.known: point.values for point in explore(scenario)}
    assert points["merged"]["ipis"] == pytest.approx(0.5 * 31)
    assert points["notifier"]["lost_entries"] == 32 * 6 * 100
    assert design("merged").bumps
