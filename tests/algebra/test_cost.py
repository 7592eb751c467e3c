"""The price model: laws that hold for every price list, and cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcost.algebra.components import COMPONENTS, components, expressions
from mcost.algebra.cost import Cost, NotPriced, default_live, inputs, price
from mcost.algebra.counts import expect, mean_sd
from mcost.algebra.shape import Conditions
from mcost.algebra.splits import event_sizes, near_share, running_share
from mcost.spec.counts import Counts
from mcost.spec.designs import DESIGNS, VARIANTS, Design, design
from mcost.spec.hardware import Constant, Hardware, hardware
from mcost.spec.prices import PRICE_NAMES
from mcost.spec.scenario import Scenario
from mcost.spec.vocabulary import COUNT_NAMES

SCENARIOS = (
    Scenario(cpus=64, sharers=8, share=0.5, idle=0.1, pages=4),
    Scenario(cpus=64, sharers=8, share=0.5, pages=700, initiator="sharer"),
    Scenario(cpus=64, sharers=8, share=0.5, pages=40, operation="reclaim"),
    Scenario(cpus=16, sharers=4, threads=2, placement="pinned", operation="protect"),
    Scenario(cpus=32, sharers=6, threads=3, placement="uniform", share=0.7, operation="zap_free"),
    Scenario(cpus=32, sharers=6, placement="roaming", rate=50.0, age=0.5),
    Scenario(cpus=1, sharers=3, share=0.5),
    Scenario(cpus=8, sharers=0, share=0.0),
)
EVERY = DESIGNS + VARIANTS


@cache
def counted(at: int, name: str) -> Counts[float | None]:
    answers = expect(SCENARIOS[at], design(name)).map(mean_sd)
    return answers.map(lambda pair: None if pair is None else pair[0])


def of(**known: float) -> Counts[float | None]:
    return Counts(**{name: known.get(name, 0.0) for name in COUNT_NAMES})


def costs(machine, at: int, name: str, **more) -> Cost:
    return price(counted(at, name), machine, SCENARIOS[at], design(name), **more)


def priced_cases():
    for machine in ("skylake-4s", "zen4-invlpgb", "arm64-server"):
        for at in range(len(SCENARIOS)):
            for one in EVERY:
                yield machine, at, one.name


def test_every_design_has_a_price_somewhere_and_none_is_negative() -> None:
    priced = set()
    for machine, at, name in priced_cases():
        try:
            cost = costs(hardware(machine), at, name, points=16)
        except NotPriced:
            continue
        priced.add(name)
        for component, value in cost.components.items():
            if value is not None:
                assert 0 <= value.low <= value.value <= value.high, (machine, at, name, component)
    assert priced == {one.name for one in EVERY}


def test_zero_prices_give_zero_cost() -> None:
    for machine, at, name in priced_cases():
        try:
            cost = costs(hardware(machine).scaled(0.0), at, name, points=16)
        except NotPriced:
            continue
        for value in cost.components.values():
            assert value is None or (value.value, value.low, value.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("machine", "factor"), [("skylake-4s", 0.25), ("zen4-invlpgb", 3.0)])
def test_costs_scale_with_the_prices(machine, factor) -> None:
    for at in range(len(SCENARIOS)):
        for one in EVERY:
            try:
                base = costs(hardware(machine), at, one.name, points=16)
            except NotPriced:
                continue
            more = costs(hardware(machine).scaled(factor), at, one.name, points=16)
            for name, value in base.components.items():
                if value is not None:
                    scaled = more[name]
                    assert scaled is not None
                    assert scaled.value == pytest.approx(factor * value.value)
                    assert scaled.high == pytest.approx(factor * value.high)


VECTOR = st.fixed_dictionaries({name: st.floats(0, 1e4) for name in PRICE_NAMES})


@settings(max_examples=60, deadline=None)
@given(VECTOR, VECTOR, st.integers(0, len(SCENARIOS) - 1), st.sampled_from(EVERY), st.booleans())
def test_costs_are_linear_in_prices(one, two, at, chosen, overlap) -> None:
    """Additive; with overlap the hidden part is a minimum, so a sum of machines costs less."""
    machine = _all_prices(chosen)
    conditions = Conditions(overlap=overlap)
    known = inputs(counted(at, chosen.name), machine, SCENARIOS[at], chosen, conditions)
    both = {name: one[name] + two[name] for name in one}
    first, second, total = (components(known, {**p, "live": 100.0}) for p in (one, two, both))
    for name in COMPONENTS:
        parts = first[name] + second[name]
        slack = 1e-9 * max(1.0, parts)
        if overlap:
            assert total[name] <= parts + slack, name
        else:
            assert total[name] == pytest.approx(parts, abs=slack), name


def _all_prices(chosen: Design) -> Hardware:
    """Four sockets of the architecture that has the design's instructions, every price 1."""
    arch = "arm64" if chosen.delivery.startswith("tlbi") else "x86"
    every = dict.fromkeys(PRICE_NAMES, _UNIT)
    return replace(hardware("skylake-4s"), arch=arch, prices=every)


_UNIT = Constant("ns", 1.0, 1.0, 1.0, "measured", ("mcost calibrate",))


@pytest.mark.parametrize("machine", ["haswell-1s", "skylake-2s", "zen4-invlpgb", "kvm-guest"])
def test_a_wider_spread_never_narrows_an_answer(machine) -> None:
    """Each price in turn, and all together: no component's interval shrinks."""
    base = hardware(machine)
    changes = [{name: _wider(item)} for name, item in base.prices.items()]
    changes.append({name: _wider(item) for name, item in base.prices.items()})
    for at, name in ((0, "per-mm"), (1, "merged"), (2, "notifier"), (3, "classic")):
        before = costs(base, at, name)
        for change in changes:
            after = costs(base.with_prices(change), at, name)
            for component, old in before.components.items():
                new = after[component]
                if old is not None and new is not None:
                    assert new.low <= old.low <= old.high <= new.high, (name, component, change)


@settings(max_examples=25, deadline=None)
@given(VECTOR, st.sampled_from(PRICE_NAMES), st.integers(0, len(SCENARIOS) - 1),
       st.sampled_from(EVERY))  # fmt: skip
def test_no_cost_falls_when_a_price_rises(prices, name, at, chosen) -> None:
    """What the one-sided intervals rest on."""
    machine = _all_prices(chosen)
    known = inputs(counted(at, chosen.name), machine, SCENARIOS[at], chosen)
    before = components(known, {**prices, "live": 50.0})
    after = components(known, {**prices, name: prices[name] * 1.3 + 1.0, "live": 50.0})
    for component in COMPONENTS:
        assert after[component] >= before[component] * (1 - 1e-9) - 1e-6, component


def _wider(item: Constant) -> Constant:
    return replace(item, low=item.low / 1.5, high=item.high * 1.5)


def test_the_published_loop_comes_back_from_its_own_fit() -> None:
    """S01-before on haswell-1s: first remote CPU + 775 ns, each further one + 67.5 ns."""
    machine = hardware("haswell-1s")
    times = []
    for remotes in (0, 1, 3):
        threads = remotes + 1
        scenario = Scenario(
            cpus=threads, sharers=1, threads=threads, placement="pinned", initiator="sharer",
            operation="protect",
        )  # fmt: skip
        known = expect(scenario, design("per-mm")).map(mean_sd)
        counts = known.map(lambda pair: None if pair is None else pair[0])
        cost = price(counts, machine, scenario, design("per-mm"), Conditions(overlap=False))
        assert cost["initiator"] is not None
        times.append(cost["initiator"].value)
    books = machine.prices["line"].value * 0
    assert times[1] - times[0] == pytest.approx(775 + books, abs=0.5)
    assert (times[2] - times[1]) / 2 == pytest.approx(67.5, abs=0.1)


def test_overlap_hides_the_shorter_of_local_flush_and_wait() -> None:
    machine = hardware("haswell-1s")
    counts = of(flush_events=1, rounds=1, ipis=3, sharer_ipis=3, icr_writes=1, page_flushes=4)
    scenario = Scenario(cpus=4, sharers=1, threads=4, placement="pinned", initiator="sharer")
    one = design("per-mm")
    apart, together = (
        price(counts, machine, scenario, one, Conditions(overlap=overlap))["initiator"]
        for overlap in (False, True)
    )
    local = machine.prices["flush_call"].value + machine.prices["invlpg"].value
    assert apart is not None
    assert together is not None
    assert apart.value - together.value == pytest.approx(local)


def test_the_expression_of_a_round_is_the_documented_one() -> None:
    """d initiator / d price: first per round, next and next_far by the split over sockets."""
    scenario = Scenario(cpus=64, sharers=8, share=0.5)
    counts = of(flush_events=1, rounds=2, ipis=20, sharer_ipis=20, icr_writes=5, full_flushes=20)
    known = inputs(counts, hardware("skylake-4s"), scenario, design("per-mm"))
    near = (16 - 1) / 63

    def slope(name: str) -> float:
        return float(components(known, {name: 1.0})["initiator"])

    assert slope("first") == pytest.approx(2)
    assert slope("next") == pytest.approx(18 * near)
    assert slope("next_far") == pytest.approx(18 * (1 - near))
    assert slope("first_far") == pytest.approx(2 * (1 - near**10))
    assert slope("icr") == pytest.approx(3)
    assert set(expressions()) == set(COMPONENTS)


def test_the_share_on_the_own_socket_is_the_average_over_all_pairs() -> None:
    for cpus, sockets in ((2, 2), (8, 2), (12, 4), (6, 1), (1, 1)):
        socket = [cpu * sockets // cpus for cpu in range(cpus)]
        pairs = list(permutations(range(cpus), 2))
        same = [socket[a] == socket[b] for a, b in pairs]
        average = np.mean(same) if pairs else 1.0
        assert near_share(cpus, sockets) == pytest.approx(float(average))
    assert near_share(3, 4) == 0.0


def test_pti_pays_every_flush_twice() -> None:
    scenario, one = SCENARIOS[0], design("merged")
    counts = of(flush_events=1, rounds=1, ipis=4, sharer_ipis=4, icr_writes=1, full_flushes=4)
    machine = hardware("skylake-1s")
    user = machine.prices["full_user"]
    off = machine.with_prices({"full_user": replace(user, value=0.0, low=0.0, high=0.0)})
    gap = [price(counts, m, scenario, one)["responders"] for m in (machine, off)]
    assert gap[0] is not None
    assert gap[1] is not None
    remote = 4 - running_share(scenario)
    assert gap[0].value - gap[1].value == pytest.approx(remote * user.value)


def test_broadcasters_wait_for_each_other() -> None:
    scenario, one, machine = SCENARIOS[0], design("broadcast"), hardware("zen4-invlpgb")
    counts = of(flush_events=1, broadcasts=3)
    alone, many = (
        price(counts, machine, scenario, one, Conditions(broadcasters=n))["initiator"]
        for n in (1, 11)
    )
    assert alone is not None
    assert many is not None
    wait = machine.prices["broadcast_wait"].value
    assert many.value - alone.value == pytest.approx(10 * 3 * wait)
    with pytest.raises(ValueError, match="broadcasters: 0"):
        Conditions(broadcasters=0)


def test_who_broadcasts_taxes_everybody() -> None:
    scenario, machine = Scenario(cpus=65, sharers=4, share=0.25), hardware("arm64-server")
    cost = price(of(flush_events=1, broadcasts=2), machine, scenario, design("broadcast-tlbi"))
    tax = 64 * 2 * machine.prices["broadcast_tax"].value
    assert cost["responders"] is not None
    assert cost["bystanders"] is not None
    assert cost["responders"].value == pytest.approx(0.25 * tax)
    assert cost["bystanders"].value == pytest.approx(0.75 * tax)


def test_everybody_flushing_is_split_by_who_was_interrupted() -> None:
    """notifier: collateral holds the bystanders' interrupts, global flushes and refills."""
    machine = hardware("haswell-1s")
    counts = of(
        flush_events=1, rounds=1, ipis=63, sharer_ipis=21, idle_ipis=21, bystander_ipis=21,
        icr_writes=1, global_flushes=64, lost_entries=640,
    )  # fmt: skip
    cost = price(counts, machine, SCENARIOS[0], design("notifier"))
    each = machine.prices["responder"].value + machine.prices["global_flush"].value
    refills = 640 * machine.prices["refill"].value
    assert cost["bystanders"] is not None
    assert cost["collateral"] is not None
    assert cost["idle"] is not None
    assert cost["bystanders"].value == pytest.approx(21 * each)
    assert cost["collateral"].value == pytest.approx(21 * each + refills / 3)
    wakes = 21 * (machine.prices["wake"].value + machine.prices["global_flush"].value)
    assert cost["idle"].value == pytest.approx(wakes)


def test_the_lock_is_held_for_the_flush_or_only_for_its_record() -> None:
    machine, counts = hardware("haswell-1s"), counted(2, "merged")
    reclaim = SCENARIOS[2]
    held, recorded = (
        price(counted(2, name), machine, reclaim, design(name)) for name in ("merged", "batched")
    )
    assert counts.flush_events == 40
    assert held["lock_hold"].value == pytest.approx(held["initiator"].value / 40)
    assert 0 < recorded["lock_hold"].value < held["lock_hold"].value
    protect = costs(machine, 3, "merged")
    assert protect["lock_hold"].value == 0.0


def test_lost_entries_that_were_counted_are_used() -> None:
    machine = hardware("haswell-1s")
    exact = replace(counted(0, "merged"), lost_entries=1000.0)
    cost = price(exact, machine, SCENARIOS[0], design("merged"))
    assert cost["refills"].value == pytest.approx(1000 * machine.prices["refill"].value)
    assert "live" not in cost.unpublished["refills"]
    guessed = costs(machine, 0, "merged")
    drops = counted(0, "merged").full_flushes
    live = default_live(machine).value
    assert guessed["refills"].value == pytest.approx(drops * live * machine.prices["refill"].value)
    assert guessed.unpublished["refills"] == ("live",)


def test_what_nobody_published_is_named_where_it_counts() -> None:
    cost = costs(hardware("skylake-2s"), 0, "per-mm")
    assert "responder" in cost.unpublished["responders"]
    assert "responder" not in cost.unpublished["initiator"]
    assert {"next_far", "first_far"} <= set(cost.unpublished["initiator"])
    assert "wake" not in cost.unpublished["total"]  # per-mm wakes nobody


def test_a_machine_without_a_price_says_which() -> None:
    says = "hardware haswell-1s has no price 'broadcast', design broadcast needs it"
    with pytest.raises(NotPriced, match=says):
        costs(hardware("haswell-1s"), 0, "broadcast")


def test_a_machine_without_the_instruction_is_refused() -> None:
    for name, one in (("zen4-invlpgb", "broadcast-tlbi"), ("arm64-server", "notifier")):
        with pytest.raises(NotPriced, match=f"hardware {name} is .*, design {one} flushes by"):
            costs(hardware(name), 0, one)


def test_deferred_flushes_of_others_are_charged_where_algebra_leaves_them_out() -> None:
    """Four pages: 63 other CPUs run a sharer with probability 1/2, each sweeps and flushes."""
    cost = costs(hardware("haswell-1s"), 0, "deferred")
    prices = hardware("haswell-1s").prices
    sweeps = 63 * 0.5 * (prices["sweep"].value + 4 * prices["invlpg"].value)
    assert cost["responders"].value == pytest.approx(sweeps)
    assert cost.assumed == ("late flushes",)
    counted_all = replace(counted(0, "deferred"), lost_entries=0.0)
    seen = price(counted_all, hardware("haswell-1s"), SCENARIOS[0], design("deferred"))
    assert "late flushes" not in seen.assumed


def test_a_batch_fetches_each_generation_once() -> None:
    """40 pages of 8 sharers: 320 bumps; 2 batches fetch 16 generations and 16 masks."""
    machine = hardware("haswell-1s")
    known = inputs(counted(2, "batched"), machine, SCENARIOS[2], design("batched"))
    slope = {
        name: float(components(known, {name: 1.0})["initiator"]) for name in ("atomic", "line")
    }
    assert slope == {"atomic": 320.0, "line": 32.0}
    event = inputs(counted(2, "merged"), machine, SCENARIOS[2], design("merged"))
    assert float(components(event, {"line": 1.0})["initiator"]) == 640.0
    owned = inputs(counted(2, "merged"), machine, SCENARIOS[2], design("merged"),
                   Conditions(contended=False))  # fmt: skip
    assert float(components(owned, {"line": 1.0})["initiator"]) == 0.0


def test_switches_are_left_to_the_simulation() -> None:
    assert costs(hardware("haswell-1s"), 0, "region-mask")["switches"] is None
    counts = replace(counted(0, "region-mask"), switch_tax=5.0, switch_flushes=2.0)
    machine = hardware("haswell-1s")
    cost = price(counts, machine, SCENARIOS[0], design("region-mask"))
    prices = machine.prices
    wanted = 5 * prices["switch_mask"].value + 2 * prices["full_flush"].value
    assert cost["switches"].value == pytest.approx(wanted)


def test_a_count_without_closed_form_is_bounded_and_said() -> None:
    cost = costs(hardware("skylake-2s"), 4, "merged")
    assert cost.assumed == ("icr_writes",)
    assert costs(hardware("skylake-2s"), 0, "merged").assumed == ()


def test_events_have_the_sizes_that_the_cut_gives() -> None:
    scenario = Scenario(cpus=4, sharers=1, share=0.5, pages=1100, offset=500)
    assert event_sizes(scenario, design("merged")) == (((12, 1), (512, 2), (64, 1)), 0)
    freed = replace(scenario, operation="zap_free")
    assert event_sizes(freed, design("merged"))[1] == 1
    assert event_sizes(replace(scenario, operation="upgrade"), design("merged")) == ((), 0)


def test_the_same_seed_gives_the_same_interval() -> None:
    machine = hardware("skylake-4s")
    assert costs(machine, 0, "per-mm") == costs(machine, 0, "per-mm")
    assert costs(machine, 0, "per-mm") != costs(machine, 0, "per-mm", seed=7)


@pytest.mark.parametrize("cpus", [16, 17, 64])
def test_a_machine_full_of_sharers_has_a_price(cpus) -> None:
    """share = 1 and CPUs in whole clusters: every CPU is a target."""
    full = Scenario(cpus=cpus, sharers=20, share=1.0)
    for name in ("merged", "per-mm", "notifier"):
        known = expect(full, design(name)).map(mean_sd)
        counts = known.map(lambda pair: None if pair is None else pair[0])
        cost = price(counts, hardware("haswell-1s"), full, design(name))
        assert cost["total"].value > 0
