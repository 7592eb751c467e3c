"""Small recordings, checked by hand, in every layout and with every trap we know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcost.traces.files import read_trace
from mcost.traces.importers import Imported, ImportOptions, import_trace
from mcost.traces.schema import EVENTS, Trace

GOLDEN = Path(__file__).parent / "golden"

# The same sixteen events as each tool lays them out. Files that name no process have one
# sharer a thread, the others one sharer.
BY_THREAD = ["ftrace_4_flags", "ftrace_5_flags", "ftrace_no_flags", "perf", "perf_g", "trace_cmd"]
BY_THREAD += ["trace_cmd_N_t_flags"]
BY_PROCESS = ["ftrace_tgid", "ftrace_tgid_old", "perf_F_pid_tid_ns"]
USED = {
    "mm": ("switch", "attach", "detach"),
    "page": ("touch", "invalidate"),
    "pages": ("invalidate",),
    "kind": ("invalidate",),
}


def same(found: Trace, wanted: Trace) -> None:
    """Both traces hold the same events, cells that an event does not use left out."""
    for name in ("time", "cpu", "event"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    for name, events in USED.items():
        rows = np.isin(wanted.event, [EVENTS.index(event) for event in events])
        np.testing.assert_array_equal(
            getattr(found, name)[rows], getattr(wanted, name)[rows], err_msg=name
        )


def golden(name: str, sharers: str, **options: object) -> Imported:
    return import_trace(GOLDEN / f"{name}.txt", sharers, ImportOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [(name, "story_by_thread") for name in BY_THREAD] + [(name, "story") for name in BY_PROCESS],
)
def test_one_story_in_every_layout(name: str, wanted: str) -> None:
    found = golden(name, "my srv*")
    same(found.trace, read_trace(GOLDEN / f"{wanted}.csv"))
    assert name.startswith(found.summary.format.replace("-", "_"))
    assert found.summary.broken == 0
    assert found.summary.events == {"sched_migrate_task": 1, "sched_switch": 6, "tlb_flush": 9}
    recorded = found.recorded
    # Reasons 4, 3 (its own part), 1; 3 again (a new call); 4 (another process's); 2 (batch).
    assert (recorded.remote_calls, recorded.local_calls, recorded.received) == (2, 2, 1)
    assert (recorded.switch_flushes, recorded.stale_answers) == (2, 1)
    assert found.summary.migrations == 1
    np.testing.assert_array_equal(found.calls.received, [1, 0, 0, 0])
    np.testing.assert_array_equal(found.calls.pages, [16, 16, -1, -1])
    assert list(found.calls.frame().how) == ["own part", "own part", "unknown", "batch"]
    np.testing.assert_array_equal(found.calls.row >= 0, [True, True, False, True])


def test_processes_are_said_to_be_guessed_only_where_they_are() -> None:
    said = "stand for a process of their own"
    assert not any(said in text for text in golden("perf_F_pid_tid_ns", "my*").summary.assumed)
    assert any(said in text for text in golden("perf", "my*").summary.assumed)
    one, two = golden("ftrace_tgid", "my*").summary, golden("perf", "my*").summary
    assert [(s.process, s.threads) for s in one.sharers] == [(101, 2)]
    assert [(s.process, s.threads) for s in two.sharers] == [(101, 1), (102, 1)]


def test_csd_and_ipi_events_give_the_targets_of_each_call() -> None:
    found = golden("told", "srv-*")
    same(found.trace, read_trace(GOLDEN / "told.csv"))
    calls = found.calls.frame()
    assert list(calls.kind) == ["remote", "flush_tlb_all", "flush_tlb_all", "remote"]
    # The last call told nobody; the wake-up's csd and interrupt behind it are not its own.
    assert list(calls.targets) == [2, 3, 3, 0]
    assert list(calls.interrupts) == [2, 3, 0, 0]
    assert list(calls.received) == [1, 0, 0, 0]
    recorded = found.recorded
    assert (recorded.csd_targets, recorded.ipi_targets) == (2, 5)
    assert (recorded.flush_all_calls, recorded.flush_all_targets) == (2, 6)
    assert recorded.stale_answers == 1
    assert recorded.region_targets == 2
    assert found.summary.ignored == {"flush_tlb_all": 2}
    more = golden("told", "srv-*", flush_tlb_all=True)
    assert more.summary.invalidates == found.summary.invalidates + 2


def test_a_probe_gives_addresses_mms_and_masks() -> None:
    found = golden("probe", "s0*")
    same(found.trace, read_trace(GOLDEN / "probe.csv"))
    calls = found.calls
    assert list(calls.mm) == [101, 201, 201]
    assert list(calls.frame().how) == ["probe"] * 3
    # m0 holds noise above the four CPUs of the second call's machine.
    assert list(calls.mask) == [1, 2, 1]
    assert calls.mask_right.all()
    assert list(calls.loaded) == list(calls.running) == [1, 2, 1]
    assert list(calls.freed) == [0, 1, 0]


def test_a_region_leaves_private_flushes_out() -> None:
    found = golden("probe", "s0*", region=(0x600000002000, 0x600000008000))
    rows = found.trace.event == EVENTS.index("invalidate")
    np.testing.assert_array_equal(found.trace.page[rows], [0, 0])
    np.testing.assert_array_equal(found.trace.pages[rows], [1, 4])
    assert found.summary.ignored == {"outside the region": 1}


def test_a_walk_over_two_mms_is_one_operation_when_asked() -> None:
    found = golden("probe", "s0*", merge_walks=True, merge_gap=1_000_000)
    rows = found.trace.event == EVENTS.index("invalidate")
    np.testing.assert_array_equal(found.trace.page[rows], [1, 1463])
    np.testing.assert_array_equal(found.trace.pages[rows], [5, 1])
    assert found.summary.merged == 1
    assert found.calls.row[0] == found.calls.row[1] == np.flatnonzero(rows)[0]
    apart = golden("probe", "s0*", merge_walks=True, merge_gap=99_000)
    assert apart.summary.merged == 0


def test_lost_events_are_counted_and_missing_switches_put_in() -> None:
    found = golden("lost", "srv-*")
    same(found.trace, read_trace(GOLDEN / "lost.csv"))
    assert found.summary.lost == 100 + 40 + 12
    assert found.summary.resyncs == 2
    assert any("CPUs 1" in text and "overrun" in text for text in found.summary.unknown)
    assert found.summary.events["sys_clone"] == 1


def test_perf_says_what_it_lost_and_what_it_could_not_print() -> None:
    found = golden("perf_lost", "srv-a")
    same(found.trace, read_trace(GOLDEN / "perf_lost.csv"))
    assert found.summary.lost == 12
    assert any("1 ipi_send_cpumask lines" in text for text in found.summary.unknown)


@pytest.mark.parametrize(("touch", "rows"), [("none", 0), ("first", 5), ("held", 2 * 32 + 512)])
def test_touches_are_what_was_asked_for(touch: str, rows: int) -> None:
    found = golden("ftrace_tgid", "my*", touch=touch)
    assert found.summary.touches == rows
    assert found.summary.invalidates == 3


def test_full_flushes_and_pages_without_address_are_settable() -> None:
    found = golden("ftrace_tgid", "my*", full_pages=34, page=7, kind="protect", touch="none")
    rows = found.trace.event == EVENTS.index("invalidate")
    np.testing.assert_array_equal(found.trace.pages[rows], [16, 16, 34])
    np.testing.assert_array_equal(found.trace.page[rows], [7, 7, 7])


def test_flush_calls_of_whom() -> None:
    assert golden("ftrace_tgid", "my*", counted="all").summary.invalidates == 4
    assert golden("probe", "s0*", counted="initiator").summary.invalidates == 1
    assert golden("probe", "s000").summary.invalidates == 1


def test_kernel_threads_can_be_named() -> None:
    plain = import_trace(GOLDEN / "told.txt", "srv-*")
    named = import_trace(GOLDEN / "told.txt", "srv-*", kernel_threads="bypass,50")
    assert named.summary.idles == plain.summary.idles + 2
    assert named.summary.threads == plain.summary.threads - 2


def test_a_list_of_tasks_gives_processes_and_kernel_threads(tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.txt"
    tasks.write_text(
        "    TID    TGID    PPID COMMAND\n 101 101 1 my srv-1 x\n 102 101 1 my srv-1 x\n"
        "    TID    TGID    PPID COMMAND\n201 201 2 db 2-a\n"
    )
    found = import_trace(GOLDEN / "perf.txt", "101", tasks=tasks)
    assert [(s.process, s.threads) for s in found.summary.sharers] == [(101, 2)]
    assert found.summary.switches == golden("ftrace_tgid", "my*").summary.switches - 1
