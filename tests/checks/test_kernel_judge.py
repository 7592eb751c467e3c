"""Predicted counters of running kernels, on bundled rows and on rows nobody has seen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcost.checks.kernel import Row, Verdict, bundled, judge, read_rows, summary
from mcost.checks.kernel.host import MODES
from mcost.checks.kernel.layout import random_sets
from mcost.checks.kernel.lists import most_lists, usual_lists
from mcost.checks.kernel.mechanisms import split_adds

HEAD = (
    "workload,kernel,cpus,sharers,cpus_per_sharer,pages,op,run,reps,remote_flush,"
    "remote_received,local_all,local_one,tlb_interrupts,extra"
)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for path in bundled() for row in read_rows(path)]


@pytest.fixture(scope="module")
def verdicts(rows: list[Row]) -> list[Verdict]:
    return judge(rows)


def one(tmp_path: Path, line: str) -> dict[str, Verdict]:
    path = tmp_path / "unseen.csv"
    path.write_text(f"{HEAD}\n{line}\n", encoding="utf-8")
    return {verdict.counter: verdict for verdict in judge(read_rows(path))}


def test_no_bundled_counter_is_unexplained(verdicts: list[Verdict]) -> None:
    lost = [one for one in verdicts if one.verdict == "unexplained"]
    assert lost == []


def test_certain_settings_whose_runs_agree_are_exact_or_explained(
    verdicts: list[Verdict],
) -> None:
    """The bar of the issue: own spread is no excuse where there is none."""
    counts = defaultdict(set)
    for found in verdicts:
        counts[found.row.point, found.counter].add(found.counted)
    for found in verdicts:
        if found.interval is None and len(counts[found.row.point, found.counter]) == 1:
            assert found.verdict in ("exact", "explained"), found.as_dict()


def test_explanations_are_few_and_named(verdicts: list[Verdict]) -> None:
    explained = [found for found in verdicts if found.verdict == "explained"]
    assert 0 < len(explained) < 0.01 * len(verdicts)
    assert all(found.mechanism for found in explained)
    assert not any(found.mechanism for found in verdicts if found.verdict != "explained")


def test_nothing_that_a_rule_covers_is_left_out(rows: list[Row], verdicts: list[Verdict]) -> None:
    """Only W4 with private work leaves counters out."""
    judged = {(found.row.file, found.row.line, found.counter) for found in verdicts}
    left = {
        (row.workload, row.flag("private"))
        for row in rows
        for name in row.counted
        if (row.file, row.line, name) not in judged
    }
    assert left == {("w4", 1)}


def test_the_summary_adds_up(verdicts: list[Verdict]) -> None:
    table = summary(verdicts)
    assert sum(int(str(line["counters"])) for line in table) == len(verdicts)
    parts = ("exact", "within spread", "within interval", "explained", "unexplained")
    for line in table:
        assert sum(int(str(line[name])) for name in parts) == line["counters"]


@pytest.mark.parametrize(
    ("counter", "change"),
    [
        ("remote_received", 4), ("remote_received", -4), ("remote_flush", 1),
        ("local_all", 1), ("local_one", 1), ("tlb_interrupts", -1),
    ],
)  # fmt: skip
def test_a_wrong_count_is_found(rows: list[Row], counter: str, change: int) -> None:
    """Every run of a point changed alike, so that its own spread hides nothing."""
    point = next(
        row.point for row in rows if row.workload == "w2" and row.sharers == 8
        and row.extra["layout"] == "disjoint" and row.pages == 8 and row.op == "punch"
    )  # fmt: skip
    altered = [
        replace(row, counted={**row.counted, counter: max(0, row.counted[counter] + change)})
        for row in rows
        if row.point == point
    ]
    found = {verdict.verdict for verdict in judge(altered) if verdict.counter == counter}
    expected = "exact" if altered[0].counted[counter] == 0 and change < 0 else "unexplained"
    assert found == {expected}


def test_another_kernel_is_told_apart(rows: list[Row]) -> None:
    """6.12 rows of a migration, judged as if 6.1 had run them, fail: the rules matter."""
    mine = [row for row in rows if row.kernel == "6.12.117" and row.op == "migrate"]
    old = next(row.variant for row in rows if row.kernel == "6.1.192")
    found = judge([replace(row, variant=old) for row in mine])
    assert any(verdict.verdict == "unexplained" for verdict in found)


def test_a_wrong_design_is_told_apart(rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode 5 judged as if it flushed at once (mode 3) fails."""
    mine = [row for row in rows if row.workload == "w6" and row.extra.get("mode") == 5]
    monkeypatch.setitem(MODES, 5, MODES[3])
    lost = {verdict.row.op for verdict in judge(mine) if verdict.verdict == "unexplained"}
    assert {"migrate", "reclaim_dirty", "reclaim_clean_pte"} <= lost


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # README of kernel-counts, "What holds" and "Shared page tables", at 64 and 128 CPUs.
        ("w1,6.12.117,128,1,128,8,dontneed,0,4,4,508,0,32,508,", (4, 508, 0, 32, 508)),
        ("w2,6.12.117,64,32,1,8,punch,0,5,160,160,0,0,160,", (160, 160, 0, 0, 160)),
        ("w2,6.1.192,128,16,4,64,truncate,1,3,48,192,0,0,192,", (48, 192, 0, 0, 192)),
        (
            'w6,6.12.117,64,32,1,256,reclaim_dirty,0,1,291,18624,0,0,0,"{""mode"":1,""start"":291}"',
            (291, 291 * 64, 0, 0, 0),
        ),
        (
            'w6,6.12.117,64,32,1,256,reclaim_dirty,0,1,291,9312,0,0,9312,"{""mode"":5,""start"":291}"',
            (291, 9312, 0, 0, 9312),
        ),
        (
            'w6,6.12.117,64,32,1,64,migrate,0,1,1,32,0,0,32,"{""mode"":5,""start"":64}"',
            (1, 32, 0, 0, 32),
        ),
        (
            'w7,6.12.117,64,1,8,8,lazy_dontneed_3,0,1,0,0,0,8,0,"{""threads"":8,""sleepers"":7}"',
            (0, 0, 0, 8, 0),
        ),
    ],
)
def test_unseen_machines(tmp_path: Path, line: str, expected: tuple[int, ...]) -> None:
    found = one(tmp_path, line)
    names = ("remote_flush", "remote_received", "local_all", "local_one", "tlb_interrupts")
    assert tuple(found[name].predicted for name in names) == expected
    assert {found[name].verdict for name in names} == {"exact"}


@pytest.mark.parametrize(
    ("line", "mechanism"),
    [
        ("w1,6.12.117,64,1,64,8,dontneed,0,4,4,250,0,32,250,", "lazy CPU"),
        ("w2,6.1.192,128,32,2,8,punch,1,3,97,194,0,0,194,", "walk cut"),
        ("w5,6.12.117,8,1,4,8,fork,0,1,3,9,1,2,9,", "copy-on-write"),
    ],
)
def test_mechanisms_at_unseen_sizes(tmp_path: Path, line: str, mechanism: str) -> None:
    missed = [v for v in one(tmp_path, line).values() if v.verdict != "exact"]
    assert missed
    assert all(v.verdict == "explained" and v.mechanism.startswith(mechanism) for v in missed)


@pytest.mark.parametrize(
    "line",
    [
        "w1,6.12.117,64,1,64,8,dontneed,0,4,4,248,0,32,248,",  # four lazy CPUs are too many
        "w1,6.12.117,64,1,64,8,dontneed,0,4,4,250,0,32,252,",  # the TLB line must agree
        "w2,6.1.192,128,32,2,8,punch,1,3,97,192,0,0,192,",  # a cut tells somebody
        "w2,6.1.192,128,32,2,1,punch,1,3,97,194,0,0,194,",  # one page cannot be cut
        "w1,6.12.117,64,1,64,8,mprotect_ro,0,4,5,315,0,32,315,",  # only a zap yields
    ],
)
def test_mechanisms_do_not_explain_anything(tmp_path: Path, line: str) -> None:
    assert "unexplained" in {v.verdict for v in one(tmp_path, line).values()}


def test_only_unsafe_designs_leave_stale_reads(rows: list[Row]) -> None:
    stale = [row for row in rows if "stale_reads" in row.counted]
    assert len(stale) == 588
    for found in judge(stale):
        mode, reclaimed = found.row.flag("mode"), found.row.op == "stale_after_reclaim"
        reads = found.row.sharers * found.row.pages
        if mode == 0:
            assert found.interval is not None
            assert found.counted <= found.predicted == reads
        else:
            assert found.predicted == (reads if mode == 4 and reclaimed else 0)
            assert found.verdict == "exact"


def test_lists_of_a_reclaim_request(rows: list[Row]) -> None:
    """The loops of vmscan.c against lists counted by the function profiler, W3 file pages."""
    mine = [row for row in rows if row.op == "reclaim_file_clean"]
    assert len(mine) == 144
    for row in mine:
        counted = row.flag("n_shrink_folio_list") or row.flag("n_shrink_page_list")
        asked = (row.pages, row.pages // 2, row.variant)
        assert abs(usual_lists(*asked) - counted) <= 4  # the README's own margin
        assert counted <= most_lists(*asked)


def test_random_sets_are_those_of_the_rows(rows: list[Row]) -> None:
    """union_cpus and max_overlap were written by the workload itself."""
    drawn = [row for row in rows if row.extra.get("layout") == "random"]
    assert len({row.extra["seed"] for row in drawn}) > 20
    for row in {row.point: row for row in drawn}.values():
        sets = random_sets(row.cpus, row.sharers, row.cpus_per_sharer, row.extra["seed"])
        used = [cpu for mine in sets for cpu in mine]
        assert len(set(used)) == row.extra["union_cpus"]
        assert max(used.count(cpu) for cpu in set(used)) == row.extra["max_overlap"]


@given(
    st.lists(st.integers(min_value=34, max_value=600), min_size=1, max_size=4),
    st.data(),
)
def test_a_split_is_recognised(pages: list[int], data: st.DataObject) -> None:
    """Full flushes, some cut in two: the differences give at least one cut, at most as many."""
    cuts = data.draw(st.integers(min_value=1, max_value=len(pages)))
    more_all = more_one = 0
    for size in pages[:cuts]:
        first = data.draw(st.integers(min_value=1, max_value=size - 1))
        small = [part for part in (first, size - first) if part <= 33]
        more_all += 2 - len(small) - 1
        more_one += sum(small)
    found = split_adds(more_all, more_one, 33)
    assert found is not None
    assert 1 <= found <= cuts


def test_the_shell_judges_unseen_rows(tmp_path: Path) -> None:
    path = tmp_path / "unseen.csv"
    good = "w2,6.12.117,64,32,1,8,punch,0,5,160,160,0,0,160,"
    bad = good.replace("6.12.117,64,32,1,8", "6.12.117,64,32,1,33").replace("160,160,0", "160,99,0")
    path.write_text("\n".join([HEAD, good, bad]) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "validate", "--against", "kernel",
         "--data", path, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    made = json.loads(done.stdout)
    assert made["judge"] == "kernel"
    keys = {
        "workload", "kernel", "cpus", "sharers", "cpus_per_sharer", "pages", "op", "run",
        "counter", "predicted", "counted", "verdict", "mechanism",
    }  # fmt: skip
    assert all(keys <= set(row) for row in made["rows"])
    verdicts = [row["verdict"] for row in made["rows"] if row["counter"] == "remote_received"]
    assert verdicts == ["exact", "unexplained"]
