"""The search: what it finds, that it is shortest, and that it sees every seeded bug."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mcost.checks.safety.fresh import forget_outdated
from mcost.checks.safety.mutants import MUTANTS, Mutant
from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.takes import Impossible, after
from mcost.checks.safety.plain.world import Machine, start
from mcost.checks.safety.replay import replay
from mcost.checks.safety.run import check_design, check_mutant
from mcost.checks.safety.search import search
from mcost.checks.safety.worlds import World, small_world
from mcost.spec.designs import Design, design

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def first_violation(world: World, limit: int) -> int | None:
    """Fewest steps to a violation in the plain machine, by a breadth-first search of its own."""
    level = [start(world.rules, world.program)]
    seen = set()
    for depth in range(limit + 1):
        if any(m.stale_uses() for m in level):
            return depth
        following: list[Machine] = []
        for now in (after(m, step) for m in level for step in offers(m)):
            name = repr((now.cpus, now.operations, now.masks, now.generation, now.pte, now.gone))
            if name not in seen:
                seen.add(name)
                following.append(now)
        level = following
    return None


@pytest.mark.parametrize("name", ["host-mm-mask", "mremap-late-notifier", "notifier-after-free"])
def test_no_counterexample_is_shorter(name: str) -> None:
    world = BY_NAME[name].world(2)
    tiny = replace(world, rules=world.rules._replace(operations=1, overlap=1))
    paths = [search(view, tiny.program).path for view in tiny.views()]
    shortest = min(len(path) for path in paths if path is not None)
    assert first_violation(tiny, shortest) == shortest


def test_host_mm_needs_no_more_than_a_touch_and_a_zap() -> None:
    world = small_world(design("host-mm"), "pages", "eager", cpus=2)
    found = search(world.views()[0], world.program)
    assert found.path is not None
    assert [step.action for step in found.path] == [
        "switch", "read-generation", "loaded", "touch", "begin", "execute", "execute",
    ]  # fmt: skip


def test_without_an_operation_nothing_can_go_wrong() -> None:
    for name in ("host-mm", "batched-unbumped"):
        world = small_world(design(name), "pages", "eager", operations=0)
        assert all(search(view, world.program).violations == 0 for view in world.views())


def test_one_operation_at_a_time_is_part_of_two_at_once() -> None:
    for name in ("per-mm", "deferred", "classic"):
        apart, both = (
            small_world(design(name), "pages", "lazy", cpus=2, overlap=overlap)
            for overlap in (1, 2)
        )
        for one, two in zip(apart.views(), both.views(), strict=True):
            assert search(one, apart.program).states < search(two, both.program).states


@pytest.mark.parametrize("name", ["per-mm", "merged", "region-mask", "deferred"])
def test_a_third_operation_changes_nothing(name: str) -> None:
    world = small_world(design(name), "pages", "eager", cpus=2, operations=3, overlap=1)
    assert all(search(view, world.program).violations == 0 for view in world.views())


@pytest.mark.parametrize("name", ["per-mm", "merged", "batched", "deferred", "merged-loaded"])
def test_a_sharer_may_attach_at_any_time(name: str) -> None:
    world = small_world(design(name), "pages", "lazy", cpus=2, overlap=1)
    late = replace(world, rules=world.rules._replace(late=1))
    assert all(search(view, late.program).violations == 0 for view in late.views())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_seeded_bug_is_caught_and_replayed(mutant: Mutant) -> None:
    result = check_mutant(mutant, 2)
    assert result.caught
    example = result.counterexample
    assert example is not None
    assert example.replay.stale
    assert example.replay.rows[-1].action == "use"
    assert (example.simulated is None) == (mutant.simulated is None)


@pytest.mark.parametrize(
    "mutant",
    [m for m in MUTANTS if not design(m.base).unsafe or m.kind != "protect"][1:],
    ids=lambda mutant: mutant.name,
)
def test_without_the_bug_the_same_world_is_safe(mutant: Mutant) -> None:
    twin = mutant.twin(2)
    assert all(search(view, twin.program).violations == 0 for view in twin.views())


def test_nested_flushes_that_go_full_are_safe() -> None:
    mutant = replace(BY_NAME["nested-empty-range"], rules={})
    world = mutant.world(2)
    assert "NESTED" in {step.op.name for step in world.program}
    assert all(search(view, world.program).violations == 0 for view in world.views())


def test_a_ranged_union_needs_the_generation_of_each_request() -> None:
    mutant = BY_NAME["union-range-other-address"]
    careless = replace(mutant, rules={"ageless": 1})
    assert check_mutant(careless, 2).caught


def test_a_bug_that_is_none_survives() -> None:
    harmless = Mutant("harmless", "none", "this test", "merged")
    result = check_mutant(harmless, 2)
    assert result.counterexample is None
    assert not result.caught


def test_a_new_design_is_one_value() -> None:
    new = Design("new", "event", "running", "ipi", "everything", ("drop all, where loaded",), "-")
    result = check_design(new, 2)
    assert (result.safe, result.safe_for_protect, result.as_expected) == (True, True, True)
    unbumped = check_design(replace(new, bumps=False), 2)
    assert not unbumped.safe
    assert not unbumped.as_expected


def test_a_path_out_of_order_is_refused() -> None:
    world = small_world(design("host-mm"), "pages", "eager", cpus=2)
    view = world.views()[0]
    path = search(view, world.program).path
    assert path is not None
    with pytest.raises(Impossible, match="cannot be taken now"):
        replay(world, view, path[::-1])


def test_compiled_code_older_than_a_source_is_forgotten(tmp_path: Path) -> None:
    old, new, source = (tmp_path / name for name in ("a.nbi", "b.nbi", "a.py"))
    for age, path in enumerate((new, source, old)):
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    compiled = SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path)))
    assert forget_outdated(compiled, tmp_path) == 1
    assert [path.exists() for path in (old, new)] == [False, True]
    assert forget_outdated(len) == 0
