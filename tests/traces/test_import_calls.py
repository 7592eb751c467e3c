"""Which lines make one flush call, and whose mm it was for (KF 8.2)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mcost.traces.importers import Imported, ImportOptions, import_trace

STRINGS = {0: "flush on task switch", 1: "remote shootdown", 2: "local shootdown",
           3: "local mm shootdown", 4: "remote ipi send", 5: "0x5"}  # fmt: skip


class Recording:
    """Writes ftrace lines, a microsecond apart."""

    def __init__(self, path: Path, tgids: bool = True) -> None:
        self.path, self.lines, self.tgids, self.us = path, [], tgids, 1_000_000

    def line(self, cpu: int, task: int, text: str, flags: str = "d..1.") -> Recording:
        # Tasks 10 to 19 are threads of process 10, and so on: a hundred processes' worth.
        group = f"({task - task % 10:7d}) " if self.tgids else ""
        time = f"{self.us // 10**6}.{self.us % 10**6:06d}"
        self.lines.append(f"  p{task // 10}-{task} {group}[{cpu:03d}] {flags} {time}: {text}\n")
        self.us += 1
        return self

    def switch(self, cpu: int, prev: int, following: int) -> Recording:
        a, b = (("swapper", 0) if t == 0 else (f"p{t // 10}", t) for t in (prev, following))
        return self.line(
            cpu,
            prev,
            f"sched_switch: prev_comm={a[0]} prev_pid={a[1]} prev_prio=1 prev_state=S ==>"
            f" next_comm={b[0]} next_pid={b[1]} next_prio=1",
        )

    def flush(self, cpu: int, task: int, reason: int, pages: int, irq: bool = False) -> Recording:
        text = f"tlb_flush: pages:{pages} reason:{STRINGS[reason]} ({reason})"
        return self.line(cpu, task, text, "d.h1." if irq else "d..1.")

    def imported(self, sharers: str = "p*", **options: object) -> Imported:
        self.path.write_text("".join(self.lines))
        return import_trace(self.path, sharers, ImportOptions(**options))  # type: ignore[arg-type]

    def calls(self) -> pd.DataFrame:
        return self.imported().calls.frame()


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    made = Recording(tmp_path / "t.txt")
    for cpu, task in enumerate((10, 11, 20, 30)):
        made.switch(cpu, 0, task)
    return made


@pytest.mark.parametrize("own", [16, -1, 0])
def test_a_local_part_belongs_to_the_call_before_it(recording: Recording, own: int) -> None:
    calls = recording.flush(0, 10, 4, 16).flush(0, 10, 3, own).calls()
    assert list(calls.kind) == ["remote"]
    assert list(calls.mm) == [10]


def test_a_stride_makes_pages_fewer_at_the_handler(recording: Recording) -> None:
    calls = recording.flush(0, 10, 4, 1024).flush(0, 10, 3, 2).flush(1, 11, 1, 2).calls()
    assert len(calls) == 1
    assert calls.received[0] == 1


def test_other_pages_a_switch_or_a_second_part_make_another_call(recording: Recording) -> None:
    recording.flush(0, 10, 4, 16).flush(0, 10, 3, 9)
    recording.flush(1, 11, 4, 16).switch(1, 11, 12).flush(1, 12, 3, 16)
    recording.flush(2, 20, 4, 16).flush(2, 20, 3, 16).flush(2, 20, 3, 16)
    assert list(recording.calls().kind) == ["remote", "local"] * 3


def test_a_reception_goes_to_the_call_that_can_have_asked(recording: Recording) -> None:
    recording.flush(0, 10, 4, 16).flush(2, 20, 4, 3)
    # CPU 1 runs a thread of the first caller; its pages decide, then its process.
    recording.flush(1, 11, 1, 16, irq=True).flush(3, 30, 1, 3, irq=True)
    recording.flush(1, 11, 1, -1, irq=True)
    found = recording.imported()
    assert list(found.calls.received) == [1, 2]
    assert found.recorded.unmatched == 0


def test_nobody_answers_a_call_twice_or_after_it_is_over(recording: Recording) -> None:
    recording.flush(0, 10, 4, 16).flush(1, 11, 1, 16).flush(1, 11, 1, 16)
    recording.switch(0, 10, 12).flush(3, 30, 1, 16)
    found = recording.imported()
    assert list(found.calls.received) == [1]
    assert (found.recorded.received, found.recorded.unmatched) == (3, 2)


def test_receivers_name_the_mm_of_a_walk_from_outside(recording: Recording) -> None:
    recording.flush(3, 30, 4, 16).flush(0, 10, 1, 16).flush(1, 11, 1, 16)
    recording.flush(3, 30, 4, 9).flush(2, 20, 1, 9)
    recording.flush(3, 30, 4, -1).flush(2, 20, 1, -1).flush(1, 11, 1, -1)
    recording.flush(3, 30, 4, 5)
    calls = recording.calls()
    assert list(calls.how) == ["receivers", "receivers", "batch", "unknown"]
    assert list(calls.mm) == [10, 20, -1, -1]
    # Of the sharer p1: its own flush and the batch that reached it, not what went to others.
    assert recording.imported("p1").summary.counted == 2
    assert recording.imported("p3").summary.counted == 2
    assert recording.imported("p3", counted="initiator").summary.counted == 4


def test_threads_without_a_process_do_not_make_a_batch(tmp_path: Path) -> None:
    made = Recording(tmp_path / "t.txt", tgids=False)
    for cpu, task in enumerate((10, 11, 12)):
        made.switch(cpu, 0, task)
    made.flush(0, 10, 4, -1).flush(1, 11, 1, -1).flush(2, 12, 1, -1)
    assert list(made.calls().how) == ["unknown"]


def test_a_lazy_answer_is_told_from_a_switch_by_its_flags(recording: Recording) -> None:
    recording.flush(0, 10, 4, 16).flush(1, 0, 0, -1, irq=True).flush(2, 20, 0, -1)
    recorded = recording.imported().recorded
    assert (recorded.lazy_answers, recorded.switch_flushes) == (1, 1)


def test_walks_without_known_mms_need_equal_pages_and_short_gaps(recording: Recording) -> None:
    for pages in (16, 16, 16, 5):
        recording.flush(3, 30, 4, pages)
    recording.us += 2000
    recording.flush(3, 30, 4, 5)
    assert recording.imported(merge_walks=True).summary.invalidates == 3
    assert recording.imported(merge_walks=True, merge_gap=3_000_000).summary.invalidates == 2
    assert recording.imported().summary.invalidates == 5


def test_a_walk_ends_where_an_mm_comes_again(recording: Recording) -> None:
    for _ in range(2):
        recording.flush(3, 30, 4, 16).flush(0, 10, 1, 16)
        recording.flush(3, 30, 4, 9).flush(2, 20, 1, 9)
    found = recording.imported(merge_walks=True)
    assert (found.summary.invalidates, found.summary.merged) == (2, 2)
    rows = found.trace.pages[found.calls.row]
    assert list(rows) == [16, 16, 16, 16]


def test_shares_and_lazy_time_are_measured(tmp_path: Path) -> None:
    made = Recording(tmp_path / "t.txt")
    made.switch(0, 10, 0)
    made.us += 98
    made.switch(1, 0, 20).switch(0, 0, 20).switch(1, 20, 0)
    made.us += 97
    made.switch(0, 20, 10)
    found = made.imported("p2")
    # 199 us on two CPUs: p2 runs on CPU 0 from 100 to 199 and on CPU 1 from 99 to 101; then
    # CPU 1 idles with it loaded.
    assert found.summary.seconds == pytest.approx(199e-6)
    assert found.summary.share == pytest.approx((99 + 2) / 398)
    assert found.summary.lazy == pytest.approx(98 / 398)


def test_targets_are_zero_only_where_it_is_known(recording: Recording) -> None:
    recording.flush(0, 10, 4, 16)
    assert recording.imported().recorded.flush_all_calls is None
    assert list(recording.calls().targets) == [-1]
    # The caller's own run shows that csd events were recorded; a told CPU would show a run.
    recording.line(0, 10, "csd_function_entry: func=flush_tlb_func, csd=0000000000000000")
    assert recording.imported().recorded.flush_all_calls == 0
    assert list(recording.calls().targets) == [0]
    recording.line(1, 11, "csd_function_entry: func=flush_tlb_func, csd=00000000530a1b50")
    assert recording.imported().recorded.csd_targets is None


def test_a_probe_on_switches_gives_processes_and_kernel_threads(tmp_path: Path) -> None:
    made = Recording(tmp_path / "t.txt", tgids=False)
    for cpu, (task, mm) in enumerate({10: 0xFF00, 21: 0xFF00, 30: 0xFF80, 40: 0}.items()):
        made.switch(cpu, 0, task)
        made.line(cpu, task, f"mcost_mm: (__probestub_sched_switch+0x4/0x10) pid={task} mm={mm:#x}")
    text = "mcost_flush: (native_flush_tlb_multi+0x4/0xf0) mm={:#x} start=0x1000 end=0x3000 freed=0"
    made.line(2, 30, text.format(0xFF00)).flush(2, 30, 4, 2).flush(1, 21, 1, 2)
    made.line(2, 30, text.format(0xFF80)).flush(2, 30, 4, 2)
    found = made.imported("p1,p3")
    assert [(one.process, one.threads) for one in found.summary.sharers] == [(10, 2), (30, 1)]
    assert list(found.calls.mm) == [10, 30]
    assert list(found.calls.frame().how) == ["probe", "probe"]
    # Task 40 has no mm: idle, as the four CPUs are at first.
    assert found.summary.idles == 5
