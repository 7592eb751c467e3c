"""The verbs that answer by algebra, run as a process."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys

import pytest

from mcost.spec.designs import DESIGNS
from mcost.spec.vocabulary import COUNT_NAMES

QUESTION = shlex.split(
    "compare --cpus 128 --sharers 1500 --threads 1 --pages 512 --operation zap"
    " --placement snapshot --share 0.6 --initiator outside --kernel 6.12"
)


def mcost(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``mcost`` with its own interpreter."""
    return subprocess.run(
        [sys.executable, "-m", "mcost.cli", *arguments], capture_output=True, text=True, check=False
    )


def refused(*arguments: str) -> str:
    """The one line that bad input gives; exit 2, nothing on standard output."""
    done = mcost(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_compare_json_has_every_count_of_every_design():
    document = json.loads(mcost(*QUESTION, "--json").stdout)
    assert document["scenario"]["sharers"] == 1500
    names = [entry["design"] for entry in document["designs"]]
    assert names[0] == "notifier"
    assert sorted(names) == sorted(one.name for one in DESIGNS)
    for entry in document["designs"]:
        assert tuple(entry["counts"]) == COUNT_NAMES
    cells = {entry["design"]: entry["counts"] for entry in document["designs"]}
    assert cells["notifier"]["ipis"] == {"mean": 127.0, "sd": 0.0}
    assert cells["merged"]["ipis"]["mean"] == pytest.approx(0.6 * 127)
    assert cells["merged"]["ipis"]["sd"] == pytest.approx((127 * 0.6 * 0.4) ** 0.5)
    assert cells["merged"]["walks"] is None


def test_compare_csv_is_long_form():
    rows = list(csv.DictReader(io.StringIO(mcost(*QUESTION, "--csv").stdout)))
    assert len(rows) == len(DESIGNS) * len(COUNT_NAMES)
    assert rows[0] == {"design": "notifier", "count": "flush_events", "mean": "1.0", "sd": "0.0"}


def test_compare_text_puts_the_baseline_first():
    lines = mcost(*QUESTION, "--baseline", "per-mm").stdout.splitlines()
    assert lines[1].startswith("per-mm")
    assert lines[0].isascii()


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (["--design", "mergd"], "nearest valid merged"),
        (["--design", "zzz"], "unknown design 'zzz': valid are "),
        (["--placement", "snapshit"], "nearest valid snapshot"),
        (["--kernel", "6.13"], "nearest valid 6.1"),
        (["--operation", "zip"], "nearest valid zap"),
        (["--rate", "3"], "rate: placement snapshot has no use for it"),
        (["--pages", "0"], "pages: 0 is out of range"),
        (["--share", "1.5"], "share: 1.5 is out of range"),
        (["--share", "nan"], "share: nan is out of range"),
        (["--cpus", "many"], "--cpus"),
        (["--json", "--csv"], "exclude each other"),
        (["--unheard-of"], "--unheard-of"),
    ],
)
def test_compare_refuses(extra, says):
    assert says in refused(*QUESTION, *extra)


def test_uniform_needs_threads_to_fit_and_lazy_masks():
    base = ["compare", "--cpus", "4", "--sharers", "2", "--placement", "uniform"]
    assert "threads: 9 is more than cpus (4)" in refused(*base, "--threads", "9")
    assert "eager mm_cpumasks" in refused(*base, "--kernel", "6.12")


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("text", "rho*(N - 1)"),
        ("latex", r"\rho \left(N - 1\right)"),
        ("python", "rho*(N - 1)"),
    ],
)
def test_formula_prints_an_expression(format_, text):
    done = mcost("formula", "merged", "ipis", "--operation", "protect", "--format", format_)
    assert done.stdout.strip() == text


def test_formula_says_when_there_is_none():
    assert "simulation only" in refused("formula", "merged", "walks")
    assert "nearest valid ipis" in refused("formula", "merged", "ipi")


def test_designs_lists_columns_steps_and_source():
    document = json.loads(mcost("designs", "--json").stdout)
    assert {"design", "hook", "tracks", "delivery", "scope", "steps", "source"} <= set(document[0])
    text = mcost("designs", "per-mm").stdout
    assert "native_flush_tlb_multi" in text


def test_explore_names_what_it_finds():
    arguments = ["explore", "--cpus", "64", "--sharers", "200", "--share", "0.5", "--pages", "64"]
    document = json.loads(mcost(*arguments, "--json").stdout)
    known = {point["known as"] for point in document["points"]}
    assert "broadcast" in known
    assert "host-mm" not in known
    assert all(point["known as"] != "exact" for point in document["points"])


def test_compare_with_hardware_adds_costs_with_intervals():
    document = json.loads(mcost(*QUESTION, "--hardware", "skylake-2s", "--json").stdout)
    costs = {(row["design"], row["component"]): row for row in document["costs"]}
    merged = costs["merged", "initiator"]
    assert 0 < merged["low_ns"] <= merged["mean_ns"] <= merged["high_ns"]
    assert "atomic" in merged["note"]
    assert costs["broadcast", "initiator"]["mean_ns"] is None
    assert "nearest valid skylake" in refused(*QUESTION, "--hardware", "skylak")


def test_validate_against_published_reports_and_takes_unseen_rows(tmp_path):
    document = json.loads(mcost("validate", "--against", "published", "--json").stdout)
    assert document["judge"] == "published"
    assert {"id", "predicted", "low", "high", "published", "unit"} <= set(document["cases"][0])
    assert "no rows" in refused("validate", "--data", str(tmp_path / "x.csv"))
    assert "nearest valid published" in refused("validate", "--against", "publishd")
