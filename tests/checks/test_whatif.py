"""A recorded workload under every design: plug-in, simulation, the kernel's own counts."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mcost.checks.schedule import schedule
from mcost.checks.whatif import (
    COUNTED,
    WhatIf,
    compare_designs,
    each_operation,
    findings,
    plug_in,
    windows,
)
from mcost.spec.designs import DESIGNS
from mcost.spec.files import data_path
from mcost.traces.importers import ImportOptions, import_trace
from mcost.traces.schema import ATTACH, IDLE, INVALIDATE, SWITCH, Trace

SPIN = data_path("traces", "k6.1_n16_spin_s32.txt.gz")
SLEEPY = data_path("traces", "k6.12-lazymask_n16_sleepy_s32.txt.gz")
WALKS = ImportOptions(merge_walks=True)


@pytest.fixture(scope="module")
def asked() -> WhatIf:
    return WhatIf.of(import_trace(SPIN, "s0*", WALKS))


@pytest.fixture(scope="module")
def table(asked: WhatIf) -> pd.DataFrame:
    return compare_designs(asked)


def cell(table: pd.DataFrame, design: str, count: str) -> pd.Series:
    found = table[(table["design"] == design) & (table["count"] == count)]
    assert len(found) == 1
    return found.iloc[0]


def test_every_design_and_count_is_answered(table: pd.DataFrame) -> None:
    assert len(table) == len(DESIGNS) * len(COUNTED)
    assert table["simulated"].notna().all()


def test_the_notifier_does_not_depend_on_the_schedule(asked: WhatIf, table: pd.DataFrame) -> None:
    for count, expected in (("ipis", asked.cpus - 1), ("rounds", 1), ("global_flushes", 16)):
        row = cell(table, "notifier", count)
        assert row["plug_in"] == row["simulated"] == expected


def test_the_machine_and_the_schedule_agree(asked: WhatIf, table: pd.DataFrame) -> None:
    """Eager masks: per-mm tells just the others that run a sharer, a round each sharer."""
    seen = each_operation(asked)
    assert cell(table, "per-mm", "ipis")["simulated"] == pytest.approx(seen["running"].mean())
    assert cell(table, "per-mm", "rounds")["simulated"] == pytest.approx(seen["sharers"].mean())


def test_recorded_counts_are_those_of_the_importer(asked: WhatIf, table: pd.DataFrame) -> None:
    recorded = asked.imported.recorded
    told = cell(table, "per-mm", "ipis")["recorded"] * len(asked.rows)
    assert told == pytest.approx(recorded.region_received)
    assert each_operation(asked)["calls"].sum() == asked.imported.summary.counted
    assert table.loc[table["design"] != "per-mm", "recorded"].isna().all()


def test_the_share_is_the_importers(asked: WhatIf) -> None:
    edges = np.array([asked.runs.start, asked.runs.end])
    summary = asked.imported.summary
    assert asked.runs.share(edges)[0] == pytest.approx(summary.share, rel=1e-3)
    assert asked.runs.share(edges, lazy=True)[0] == pytest.approx(summary.lazy, rel=2e-2)


def test_windows_average_to_the_whole(asked: WhatIf) -> None:
    parts = windows(asked, 7)
    assert parts["operations"].sum() == len(asked.rows)
    assert parts["share"].mean() == pytest.approx(parts["plug_in_whole"].iloc[0] / 15, rel=1e-6)
    weighted = np.average(parts["running"], weights=parts["operations"])
    assert weighted == pytest.approx(each_operation(asked)["running"].mean())
    with pytest.raises(ValueError, match="windows: 0"):
        windows(asked, 0)


def test_findings_name_what_breaks(asked: WhatIf) -> None:
    found = findings(asked).set_index("assumption")
    apart = found.loc["share of other CPUs = share of all"]
    assert apart["seen"] > apart["assumed"]  # CPU 0 is the operator's
    alike = found.loc["each CPU runs any sharer alike"]
    assert alike["seen"] > alike["assumed"]  # single threads never run twice
    twice = found.loc["nobody is told twice: most told"]
    assert twice["seen"] > asked.cpus - 1  # README of kernel-counts: a walk takes time
    call = found.loc["a call tells the CPUs that run its mm"]
    assert call["seen"] == pytest.approx(call["assumed"], rel=0.01)  # 895 of 893


def test_lazy_masks_take_the_recorded_mask_sizes() -> None:
    lazy = WhatIf.of(import_trace(SLEEPY, "s0*", WALKS))
    scenario = plug_in(lazy, 16, 0, "zap")
    calls = lazy.imported.calls
    known = (calls.mask >= 0) & (calls.mm >= 0)
    assert (scenario.placement, scenario.kernel) == ("uniform", "6.14")
    assert scenario.threads == round(calls.mask[known].mean())


def test_a_schedule_by_hand() -> None:
    trace = Trace.build(
        time=[0, 0, 0, 10, 20, 30, 40],
        event=[ATTACH, SWITCH, SWITCH, IDLE, SWITCH, INVALIDATE, INVALIDATE],
        cpu=[0, 0, 1, 0, 1, 2, 0],
        mm=[7, 7, 7, 0, 8, 0, 0],
        pages=[0, 0, 0, 0, 0, 1, 1],
    )
    runs = schedule(trace, 3)
    assert runs.share(np.array([0, 20, 40])).tolist() == pytest.approx([30 / 60, 0.0])
    assert runs.share(np.array([0, 40]), lazy=True).tolist() == pytest.approx([30 / 120])
    assert runs.share(np.array([0, 20]), without=0).tolist() == pytest.approx([20 / 40])
    moments = np.array([5, 15, 30])
    assert runs.running(moments, np.array([2, 2, 2])).tolist() == [2, 1, 0]
    assert runs.running(moments, np.array([1, 1, 1])).tolist() == [1, 0, 0]
    assert runs.sharers_seen(moments, np.array([2, 2, 2])).tolist() == [1, 1, 0]


def test_no_operation_is_refused() -> None:
    nothing = import_trace(SPIN, "s0*", ImportOptions(region=(0x1000, 0x2000)))
    with pytest.raises(ValueError, match="no flush call counts"):
        WhatIf.of(nothing)


def test_the_shell_prints_one_document() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "whatif", SPIN, "--sharers", "s0*", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    assert set(made) == {"designs", "windows", "findings"}
    assert {row["count"] for row in made["designs"]} == {"rounds", "ipis"}
