"""Closed forms: against full enumeration of small placements, and the results model.md names."""

from __future__ import annotations

from fractions import Fraction
from math import isclose

import pytest
from enumeration import counts, snapshot, uniform
from sympy import ceiling, exp, simplify, symbols

from mcost.algebra.counts import expect, mean_sd
from mcost.algebra.formula import formula
from mcost.algebra.moments import Moment
from mcost.algebra.symbols import SYMBOL
from mcost.spec.designs import DESIGNS, VARIANTS, design
from mcost.spec.scenario import Scenario

N, S, T, P = (SYMBOL[name] for name in ("cpus", "sharers", "threads", "pages"))
RHO, W, AGE = (SYMBOL[name] for name in ("share", "rate", "age"))
TOLD = ("notifier", "per-mm", "merged", "merged-loaded", "per-mm-tables")


def enumerated(moments, one: str, freed: bool, cluster: int) -> dict[str, tuple[float, float]]:
    """(mean, variance) of each count over all configurations."""
    total: dict[str, list[Fraction]] = {}
    mass = Fraction(0)
    for moment in moments:
        mass += moment.p
        for name, value in counts(moment, one, freed, cluster).items():
            first, second = total.setdefault(name, [Fraction(0), Fraction(0)])
            total[name] = [first + moment.p * value, second + moment.p * value**2]
    assert mass == 1
    return {name: (float(a), float(b - a**2)) for name, (a, b) in total.items()}


def agree(scenario: Scenario, moments, freed: bool = False) -> None:
    """Every count of every design that has a closed form equals the enumeration."""
    cluster = 16 if scenario.apic == "cluster" else 1
    seen = list(moments)
    for one in TOLD:
        expected = expect(scenario, design(one))
        for name, (mean, variance) in enumerated(seen, one, freed, cluster).items():
            cell = getattr(expected, name)
            if not isinstance(cell, Moment):
                continue
            where = (scenario, one, name)
            assert isclose(float(cell.mean), mean, abs_tol=1e-12), where
            if cell.variance is not None:
                assert isclose(float(cell.variance), variance, abs_tol=1e-10), where


@pytest.mark.parametrize("initiator", ["outside", "sharer", "apart"])
@pytest.mark.parametrize(("cpus", "sharers"), [(1, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("apic", ["cluster", "physical"])
def test_snapshot_is_enumerated(initiator, cpus, sharers, apic):
    share, idle = Fraction(1, 2), Fraction(1, 4)
    scenario = Scenario(
        cpus, sharers, share=0.5, idle=0.25, operation="protect", initiator=initiator, apic=apic
    )
    agree(scenario, snapshot(cpus, sharers, share, idle, initiator))


@pytest.mark.parametrize("initiator", ["outside", "sharer"])
@pytest.mark.parametrize(
    ("cpus", "sharers", "threads"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (3, 2, 2), (4, 2, 2)]
)
@pytest.mark.parametrize("share", [1.0, 0.75])
def test_uniform_is_enumerated(initiator, cpus, sharers, threads, share):
    scenario = Scenario(
        cpus,
        sharers,
        threads,
        placement="uniform",
        share=share,
        operation="protect",
        initiator=initiator,
    )
    agree(scenario, uniform(cpus, sharers, threads, Fraction(share), initiator))


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        (("merged", "uniform", "outside"), (N - 1) * (1 - (1 - T / N) ** S)),
        (("merged", "uniform", "sharer"), (N - 1) - (N - T) * (1 - T / N) ** (S - 1)),
        (("per-mm-tables", "uniform", "outside"), S * T * (N - 1) / N),
        (("per-mm-tables", "uniform", "sharer"), (T - 1) + (S - 1) * T * (N - 1) / N),
        (("per-mm", "snapshot", "outside"), RHO * (N - 1)),
        (("merged", "snapshot", "outside"), RHO * (N - 1)),
        (("notifier", "snapshot", "outside"), N - 1),
    ],
)
def test_expected_ipis_that_the_model_names(cell, known):
    one, placement, initiator = cell
    derived = formula(design(one), "ipis", placement, initiator, "protect")
    assert simplify(derived - known) == 0


def test_rounds_that_the_model_names():
    walk = formula(design("per-mm"), "rounds", operation="protect")
    once = formula(design("merged"), "rounds", operation="protect")
    assert simplify(walk - S * (1 - (1 - RHO / S) ** (N - 1))) == 0
    assert simplify(once - (1 - (1 - RHO) ** (N - 1))) == 0


def test_roaming_masks_grow_with_age():
    derived = formula(design("per-mm-tables"), "ipis", "roaming", "outside", "protect")
    size = N * (1 - (1 - 1 / N) * exp(-W * AGE / N))
    assert simplify(derived - S * size * (N - 1) / N) == 0


def test_snapshot_targets_are_binomial():
    variance = formula(design("merged"), "ipis", operation="protect", variance=True)
    assert simplify(variance - (N - 1) * RHO * (1 - RHO)) == 0


@pytest.mark.parametrize(
    ("operation", "kernel", "events"),
    [
        ("zap", "6.12", ceiling(P / 512)),
        ("zap_clean", "6.12", ceiling(P / 9678)),
        ("zap_clean", "6.1", ceiling(P / 9698)),
        ("protect", "6.12", 1),
        ("upgrade", "6.12", 0),
        ("pte", "6.1", P),
        ("migrate", "6.1", P),
        ("reclaim", "6.12", P),
    ],
)
def test_flush_events_by_operation_and_kernel(operation, kernel, events):
    derived = formula(design("per-mm"), "flush_events", operation=operation, kernel=kernel)
    assert simplify(derived - events) == 0


def test_batching_designs_hold_reclaim_and_migration_back():
    batch = symbols("B", integer=True, nonnegative=True)
    held = formula(design("batched"), "flush_events", operation="reclaim")
    assert simplify(held.subs(SYMBOL["batch"], batch) - ceiling(P / batch)) == 0
    calls = formula(design("batched"), "flush_events", operation="migrate", kernel="6.12")
    assert calls.subs(P, 64) == 1
    bumps = formula(design("batched"), "generation_bumps", operation="reclaim")
    assert simplify(bumps - P * S) == 0


def test_a_straddling_zap_has_one_event_a_table():
    scenario = Scenario(8, 2, pages=64, offset=496, share=0.5)
    assert expect(scenario, design("per-mm")).flush_events.mean == 2


@pytest.mark.parametrize("one", DESIGNS + VARIANTS, ids=lambda one: one.name)
@pytest.mark.parametrize(("cpus", "sharers"), [(1, 3), (8, 0), (1, 0)])
def test_edges_tell_nobody(one, cpus, sharers):
    scenario = Scenario(cpus, sharers, share=0.5, pages=3)
    ipis = mean_sd(expect(scenario, one).ipis)
    everyone = one.tracks == "nothing" and one.delivery == "ipi"
    assert ipis == ((cpus - 1, 0.0) if everyone else (0.0, 0.0))


def test_ipis_by_kind_add_up_and_bound():
    scenario = Scenario(64, 12, share=0.4, idle=0.3, pages=600, operation="zap_free")
    for one in DESIGNS + VARIANTS:
        cells = expect(scenario, one)
        parts = [cells.sharer_ipis, cells.idle_ipis, cells.bystander_ipis]
        total = sum(float(part.mean) for part in parts)
        assert isclose(total, float(cells.ipis.mean), abs_tol=1e-9)
        assert float(cells.useful_ipis.mean) <= float(cells.ipis.mean) + 1e-9
