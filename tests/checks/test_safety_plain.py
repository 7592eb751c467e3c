"""The plain machine against stories worked out by hand from the kernel facts."""

from __future__ import annotations

import pytest

from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.takes import Impossible, after
from mcost.checks.safety.plain.world import Machine, Step, start
from mcost.checks.safety.worlds import small_world
from mcost.spec.designs import design


def world(name: str, kind: str = "pages", masks: str = "eager") -> Machine:
    small = small_world(design(name), kind, masks, cpus=2)
    return start(small.views()[0], small.program)


def run(m: Machine, *steps: Step) -> Machine:
    for step in steps:
        m = after(m, step)
    return m


def running(m: Machine, *pages: int) -> Machine:
    """CPU 0 runs sharer 0 and has touched the pages."""
    switch = [Step(action, 0, 0) for action in ("switch", "read-generation", "loaded")]
    return run(m, *switch, *(Step("touch", 0, page) for page in pages))


def operate(m: Machine, pages: int, place: int = 0) -> Machine:
    """An operation from CPU 1 as far as it comes while nobody else moves."""
    m = run(m, Step("begin", -1, place, pages))
    while True:
        own = [
            step
            for step in offers(m)
            if step.action in ("execute", "send", "skip") and step.what == place and step.cpu != 0
        ]
        if not own:
            return m
        m = after(m, own[0])


def cached(m: Machine) -> dict[int, int]:
    return m.cpus[0].slots[0].cached


def test_a_running_cpu_is_interrupted_and_drops_just_the_page() -> None:
    m = operate(running(world("per-mm"), 0, 1), 1)
    assert m.operations[0] is not None
    assert m.operations[0].waiting == {0}
    assert cached(m) == {0: 0, 1: 0}
    m = run(m, Step("handle", 0, 0))
    assert cached(m) == {1: 0}
    assert m.cpus[0].slots[0].seen == m.generation[0] == 1


def test_the_page_is_not_let_go_before_everyone_has_acknowledged() -> None:
    m = operate(running(world("per-mm"), 0), 1)
    assert m.gone == set()
    m = run(m, Step("handle", 0, 0))
    while m.operations[0] is not None:
        m = after(m, next(s for s in offers(m) if s.action == "execute"))
    assert m.gone == {(0, 0)}
    assert m.stale_uses() == []


def test_two_generations_behind_the_whole_slot_goes() -> None:
    m = operate(running(world("per-mm"), 0, 1), 1)
    m = operate(m, 2, place=1)  # CPU 1 is busy: the second waits for a CPU
    m = run(m, Step("execute", 0, 1, 1), Step("execute", 0, 1, 2))
    assert m.generation[0] == 2
    m = run(m, Step("handle", 0, 0))
    assert cached(m) == {}
    assert m.cpus[0].slots[0].seen == 2


def test_a_lazy_cpu_is_passed_over_and_drops_its_slot_when_it_comes_back() -> None:
    m = operate(run(running(world("per-mm"), 0), Step("lazy", 0, 0)), 1)
    assert m.operations == [None, None]
    assert cached(m) == {0: 0}
    assert m.stale_uses() == []  # cached, but not used while lazy
    m = run(m, Step("switch", 0, 0), Step("read-generation", 0, 0))
    assert m.cpus[0].running
    assert cached(m) == {}


def test_a_lazy_cpu_loads_no_mm_when_page_tables_are_freed() -> None:
    m = operate(run(running(world("per-mm", "tables"), 0), Step("lazy", 0, 0)), 3)
    assert m.operations[0] is not None
    m = run(m, Step("handle", 0, 0))
    assert m.cpus[0].mm is None
    assert m.masks[0] == set()


def test_a_slot_that_is_not_loaded_is_dropped_at_the_next_switch() -> None:
    m = operate(run(running(world("merged"), 0), Step("leave", 0)), 1)
    assert m.operations == [None, None]
    assert cached(m) == {0: 0}
    assert cached(running(m)) == {}
    unbumped = operate(run(running(world("batched-unbumped", "tables"), 0), Step("leave", 0)), 1)
    assert running(unbumped).stale_uses() == [Step("use", 0, 0)]


def test_lazy_masks_keep_a_bit_that_eager_ones_lose() -> None:
    for masks, kept in (("eager", set()), ("lazy", {0})):
        m = run(running(world("per-mm", masks=masks), 0), Step("leave", 0))
        assert m.masks[0] == kept


def test_no_interrupt_is_taken_inside_a_switch() -> None:
    m = run(world("merged"), Step("switch", 0, 0), Step("read-generation", 0, 0))
    m = operate(m, 1)
    assert m.operations[0] is not None
    assert m.operations[0].waiting == {0}
    assert Step("handle", 0, 0) not in offers(m)
    assert Step("handle", 0, 0) in offers(run(m, Step("loaded", 0, 0)))


def test_a_step_that_is_not_offered_is_refused() -> None:
    with pytest.raises(Impossible, match="must be one of the steps on offer"):
        after(world("merged"), Step("handle", 0, 0))
