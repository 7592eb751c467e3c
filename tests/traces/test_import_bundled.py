"""The three bundled traces, against what their README says was counted in them."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mcost.spec.files import data_path
from mcost.traces.importers import Imported, ImportOptions, import_trace
from mcost.traces.schema import EVENTS

SPIN = "k6.1_n16_spin_s32"
THREADS = "k6.12_n16_threads_s8c8"
SLEEPY = "k6.12-lazymask_n16_sleepy_s32"
REGION = (0x600000000000, 0x600000040000)


@cache
def bundled(name: str, merge: bool = False) -> Imported:
    options = ImportOptions(region=REGION, merge_walks=True, merge_gap=3_000_000)
    path = data_path("traces", f"{name}.txt.gz")
    return import_trace(path, "s0*", options if merge else None)


@pytest.mark.parametrize(
    ("name", "events", "kernel", "sharers", "threads"),
    [
        (SPIN, 9_801, "6.1.192", 32, 1),
        (THREADS, 35_706, "6.12.117", 8, 8),
        (SLEEPY, 38_368, "6.12.117-lazymask", 32, 1),
    ],
)
def test_every_line_is_understood(
    name: str, events: int, kernel: str, sharers: int, threads: int
) -> None:
    summary = bundled(name).summary
    assert (sum(summary.events.values()), summary.broken, summary.lost) == (events, 0, 0)
    assert (summary.kernel, summary.cpus, summary.format) == (kernel, 16, "ftrace")
    assert len(summary.sharers) == sharers
    assert {sharer.threads for sharer in summary.sharers} == {threads}
    assert summary.resyncs == 0
    np.testing.assert_array_equal(bundled(name).trace.sharers, [s.process for s in summary.sharers])


# README: flushes, masks that "one mm a CPU" predicts right, targets predicted without lazy
# CPUs, targets received.
@pytest.mark.parametrize(
    ("name", "flushes", "right", "predicted", "received", "unmatched"),
    [(SPIN, 899, 899, 895, 893, 0), (THREADS, 1_613, 1_601, 3_152, 3_095, 19)],
)
def test_flushes_masks_and_targets_are_those_of_the_readme(
    name: str, flushes: int, right: int, predicted: int, received: int, unmatched: int
) -> None:
    found = bundled(name)
    recorded, calls = found.recorded, found.calls
    assert recorded.remote_calls == recorded.masks == flushes
    assert recorded.masks_right == right
    assert calls.running[calls.mask >= 0].sum() == predicted
    assert recorded.received == received
    # At five instants of the second trace 17 to 43 lines have the same time, and ftrace prints
    # them CPU by CPU: receptions before the calls they answer. No call is made up for them.
    assert recorded.unmatched == unmatched
    assert recorded.received - recorded.unmatched == calls.received.sum()


def test_stale_bits_make_one_mm_a_cpu_wrong() -> None:
    recorded = bundled(SLEEPY).recorded
    assert round(100 * recorded.masks_right / recorded.masks) == 8


def test_a_call_is_answered_at_most_by_the_mask_it_was_sent_to() -> None:
    for name in (SPIN, THREADS, SLEEPY):
        calls = bundled(name).calls
        probed = calls.mask >= 0
        assert (calls.received[probed] <= calls.mask[probed]).all()
        assert (calls.interrupts[probed] <= calls.mask[probed]).all()
    # Interrupts sent and handlers run are recorded independently of each other. Four calls at
    # the instants of equal times have more of the second; others less (silent handlers).
    threads = bundled(THREADS).calls
    told = threads.interrupts > 0
    assert told.sum() > 900
    assert (threads.received[told] > threads.interrupts[told]).sum() == 4


def test_without_the_probe_lines_receivers_name_nearly_the_same_mms(tmp_path: Path) -> None:
    """The probe is the judge of how a call's mm is found without one."""
    source = gzip.decompress(data_path("traces", f"{THREADS}.txt.gz").read_bytes())
    kept = [line for line in source.splitlines(keepends=True) if b" multi: " not in line]
    path = tmp_path / "bare.txt"
    path.write_bytes(b"".join(kept))
    bare, probed = import_trace(path, "s0*").calls, bundled(THREADS).calls
    assert len(bare) == pytest.approx(len(probed), abs=5)
    assert bare.kind.sum() == probed.kind.sum() == 1_613
    remote = bare.mm[bare.kind == 1], probed.mm[probed.kind == 1]
    known = remote[0] >= 0
    assert known.mean() > 0.98
    assert (remote[0] == remote[1])[known].mean() > 0.99


@pytest.mark.parametrize("name", [SPIN, THREADS, SLEEPY])
def test_walks_of_the_operator_become_operations(name: str) -> None:
    found = bundled(name, merge=True)
    summary, trace = found.summary, found.trace
    rows = trace.event == EVENTS.index("invalidate")
    assert rows.sum() == summary.invalidates == summary.counted - summary.merged
    # Each hole is punched in the first 16 of the file's 64 pages.
    assert (trace.page[rows] + trace.pages[rows]).max() == 16
    sizes = np.bincount(found.calls.row[found.calls.row >= 0])
    assert sizes.max() <= len(summary.sharers)
    assert set(found.calls.process[found.calls.row >= 0]).isdisjoint(trace.sharers)


@pytest.mark.parametrize("name", [SPIN, THREADS, SLEEPY])
def test_switches_and_idles_are_the_recorded_ones(name: str) -> None:
    found = bundled(name)
    events = np.bincount(found.trace.event, minlength=len(EVENTS))
    opened = len({int(cpu) for cpu in found.trace.cpu})
    switched = events[EVENTS.index("switch")] + events[EVENTS.index("idle")]
    assert switched == found.summary.events["sched_switch"] + opened
    assert 0.9 < found.summary.share < 1
    assert 0 < found.summary.lazy < 0.05
