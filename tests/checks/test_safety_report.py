"""The whole safety check, in its quick form: verdicts, documents, and that they repeat."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mcost.checks.safety import MUTANTS, SafetyReport, run_safety
from mcost.spec.designs import DESIGNS, VARIANTS, design

UNSAFE = {"host-mm", "batched-unbumped"}


@pytest.fixture(scope="module")
def report() -> SafetyReport:
    return run_safety(quick=True)


def test_every_design_is_as_safe_as_it_says(report: SafetyReport) -> None:
    assert report.ok
    assert [result.name for result in report.designs] == [d.name for d in DESIGNS + VARIANTS]
    assert {result.name for result in report.designs if not result.safe} == UNSAFE
    spared = {result.name for result in report.designs if not result.safe_for_protect}
    assert spared == UNSAFE | {"deferred"}


def test_unsafe_designs_come_with_a_counterexample_that_the_simulator_confirms(
    report: SafetyReport,
) -> None:
    for result in report.designs:
        example = result.shortest
        assert (example is None) == (not result.unsafe)
        if example is not None:
            assert example.replay.stale
            assert example.simulated is not None
            assert example.simulated.design == result.name
            assert example.simulated.stale_hits + example.simulated.deferred_hits > 0


def test_both_mask_policies_are_explored_where_masks_are_read(report: SafetyReport) -> None:
    for result in report.designs:
        reads = design(result.name).tracks in ("each", "union", "running", "region")
        reads = reads and design(result.name).delivery in ("ipi", "deferred")
        masks = {world.masks for world in result.worlds}
        assert masks == ({"eager", "lazy"} if reads else {"any"})
        assert {world.kind for world in result.worlds} == {"pages", "tables", "protect"}


def test_the_document_has_the_agreed_form(report: SafetyReport) -> None:
    document = json.loads(json.dumps(report.document(), allow_nan=False))
    assert set(document) == {"judge", "designs", "mutants"}
    assert document["judge"] == "safety"
    for entry in document["designs"]:
        assert {"design", "safe", "states", "violations"} <= set(entry)
        assert entry["safe"] == (entry["violations"] == 0)
        assert entry["states"] > 0
    assert [entry["name"] for entry in document["mutants"]] == [m.name for m in MUTANTS]
    for entry in document["mutants"]:
        assert entry["caught"] is True
        assert entry["steps"] == len(entry["counterexample"]["rows"])
        assert [row["step"] for row in entry["counterexample"]["rows"]] == list(
            range(1, entry["steps"] + 1)
        )


def test_the_table_and_the_traces_say_the_same(report: SafetyReport) -> None:
    rows = report.rows()
    assert len(rows) == len(DESIGNS + VARIANTS) + len(MUTANTS)
    assert all(row["ok"] == "yes" for row in rows)
    traced = [row["name"] for row in rows if row["steps"] is not None]
    assert [trace.split(":")[0] for trace in report.traces()] == traced


def test_the_check_repeats_exactly(report: SafetyReport) -> None:
    chosen = [design(name) for name in ("host-mm", "deferred")]
    again = run_safety(quick=True, designs=chosen, mutants=MUTANTS[:3])
    assert again.mutants == report.mutants[:3]
    assert list(again.designs) == [r for r in report.designs if r.name in ("host-mm", "deferred")]


def test_a_design_that_claims_too_much_fails_the_check() -> None:
    bold = replace(design("host-mm"), unsafe="")
    shy = replace(design("notifier"), unsafe="said to be")
    for claim in (bold, shy):
        assert not run_safety(quick=True, designs=[claim], mutants=[]).ok


def test_names_are_told_while_it_runs() -> None:
    told: list[str] = []
    run_safety(quick=True, designs=[design("broadcast")], mutants=MUTANTS[:1], say=told.append)
    assert told == ["broadcast", MUTANTS[0].name]
