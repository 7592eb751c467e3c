"""Any schedule, written as any tool writes it, is read back; layouts are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcost.traces.importers.api import read_scan
from mcost.traces.importers.formats import FORMATS, detect, format_named
from mcost.traces.importers.reader import JITTER
from mcost.traces.importers.texts import TextError, csd_function, flush, ipi_mask, switch_name
from mcost.traces.schema import TraceError


@dataclass(frozen=True)
class Task:
    comm: str
    tid: int
    tgid: int


@dataclass(frozen=True)
class Line:
    time: int
    cpu: int
    prev: Task
    next: Task
    pages: int
    flags: str


def kernel(line: Line, task: Task, text: str, event: str, tgid: bool, flags: bool) -> str:
    group = f"({task.tgid:7d}) " if tgid else ""
    shown = f"{line.flags} " if flags else ""
    seconds, micro = divmod(line.time, 1_000_000)
    return (
        f"{task.comm:>16}-{task.tid:<7d} {group}[{line.cpu:03d}] {shown} {seconds:5d}.{micro:06d}:"
        f" {event}: {text}\n"
    )


def perf(line: Line, task: Task, text: str, event: str, both: bool) -> str:
    seconds, micro = divmod(line.time, 1_000_000)
    ids = f"{task.tgid:7d}/{task.tid:<7d}" if both else f"{task.tid:7d}"
    name = ("sched:" if event == "sched_switch" else "tlb:") + event
    time = f"{seconds}.{micro:06d}" + ("000" if both else "")
    return f"{task.comm:>16} {ids} [{line.cpu:03d}] {time:>12}: {name:>30}: {text}\n"


def render(layout: str, lines: list[Line]) -> str:
    out = "cpus=4\n" if layout.startswith("trace-cmd") else ""
    for line in lines:
        a, b = line.prev, line.next
        switch = (
            f"{a.comm}:{a.tid} [120] S ==> {b.comm}:{b.tid} [-1]"
            if layout == "trace-cmd plugin"
            else f"prev_comm={a.comm} prev_pid={a.tid} prev_prio=120 prev_state=S ==>"
            f" next_comm={b.comm} next_pid={b.tid} next_prio=-1"
        )
        equal = "=" if layout == "trace-cmd plugin" else ":"
        flushed = f"pages{equal}{line.pages} reason{equal}local mm shootdown (3)"
        for task, text, event in ((a, switch, "sched_switch"), (b, flushed, "tlb_flush")):
            if layout.startswith("perf"):
                out += perf(line, task, text, event, both=layout == "perf pid/tid")
            else:
                name = f"{event}:" + " " * 8 if layout.startswith("trace-cmd") else event
                one = kernel(line, task, text, name.rstrip(":"), layout == "ftrace tgid", layout
                             != "ftrace bare")  # fmt: skip
                out += one.replace("        : ", "        ") if "trace-cmd" in layout else one
    return out


# Everything but brackets, which only a comm made to deceive would combine into "[1] 2.345: x:".
comms = st.text("abz0189 -_:./=>()#%+", min_size=1, max_size=15).map(str.strip)
tasks = st.builds(
    Task, comms.filter(lambda c: c and not c.startswith("#")), st.integers(1, 4_194_303), st.just(0)
)


@st.composite
def schedules(draw: st.DrawFn) -> list[Line]:
    pool = draw(st.lists(tasks, min_size=2, max_size=5, unique_by=lambda task: task.tid))
    leader = pool[0].tid
    pool = [Task(task.comm, task.tid, leader if task.tid % 2 else task.tid) for task in pool]
    running: dict[int, Task] = {}
    time, lines = draw(st.integers(0, 10**10)), []
    for _ in range(draw(st.integers(1, 8))):
        time += draw(st.integers(0, 10**7))
        cpu = draw(st.integers(0, 3))
        prev = running.get(cpu, draw(st.sampled_from(pool)))
        running[cpu] = draw(st.sampled_from(pool))
        flags = draw(st.sampled_from(["d..2.", ".N...", "dNh4", "...1"]))
        pages = draw(st.sampled_from([-1, 1, 33, 16896]))
        lines.append(Line(time, cpu, prev, running[cpu], pages, flags))
    return lines


LAYOUTS = ["ftrace", "ftrace tgid", "ftrace bare", "trace-cmd", "trace-cmd plugin", "perf",
           "perf pid/tid"]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@given(lines=schedules())
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(layout: str, lines: list[Line]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recorded.txt"
        path.write_text(render(layout, lines))
        done = read_scan(path)
    assert done.format.name == layout.split(maxsplit=1)[0]
    assert (done.broken, done.resyncs) == (0, 0)
    switches = done.switches.columns()
    np.testing.assert_array_equal(switches["time"], [1000 * line.time for line in lines])
    np.testing.assert_array_equal(switches["cpu"], [line.cpu for line in lines])
    np.testing.assert_array_equal(switches["tid"], [line.next.tid for line in lines])
    calls = done.calls.table.columns()
    np.testing.assert_array_equal(calls["pages"], [line.pages for line in lines])
    np.testing.assert_array_equal(calls["tid"], [line.next.tid for line in lines])
    first = {line.cpu: line.prev.tid for line in reversed(lines)}
    assert done.first == first
    for line in lines:
        assert line.next.comm in done.tasks.names[line.next.tid]
        if layout in ("ftrace tgid", "perf pid/tid"):
            assert done.tasks.of(line.next.tid) == line.next.tgid


def test_no_layout_is_seen_where_there_is_none() -> None:
    assert detect([b"# only a comment", b"", b"some prose about [001] things"]) is None
    with pytest.raises(ValueError, match=r"unknown trace format 'ftrase'.*ftrace"):
        format_named("ftrase")


def test_a_comm_may_look_like_anything() -> None:
    assert switch_name(b"prev_comm=a prev_pid=7 b prev_pid=12") == ("a prev_pid=7 b", 12)
    assert switch_name(b"kworker/0:1:33") == ("kworker/0:1", 33)
    head = FORMATS[0].head.match(b"  x-1 y-22 [003] d..2.   1.000002: tlb_flush: pages:1")
    assert head is not None
    assert head[1] == b"x-1 y"
    assert head[3] == b"22"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"pages:-1 reason:local mm shootdown (3)", (3, -1)),
        (b"pages:16 reason:local MM shootdown (3)", (3, 16)),
        (b"pages:0 reason:0x5 (5)", (5, 0)),
        (b"pages:0 reason:remote wrong CPU (5)", (5, 0)),
        (b"pages=12 reason= (4)", (4, 12)),
    ],
)
def test_reasons_are_read_as_numbers(text: bytes, wanted: tuple[int, int]) -> None:
    assert flush(text) == wanted


def test_texts_cut_short_are_refused() -> None:
    for text in (b"pages:-1 reason:local mm shootdown (3", b"pages:-", b""):
        with pytest.raises(TextError):
            flush(text)


def test_other_texts() -> None:
    assert csd_function(b"func=flush_tlb_func, csd=(nil)") == (b"flush_tlb_func", True)
    assert csd_function(b"func=flush_tlb_func+0x0, csd=0000000000000000")[1]
    assert not csd_function(b"func=flush_tlb_func, csd=00000000530a1b50")[1]
    assert ipi_mask(
        b"cpumask=00000001,00000003 callsite=on_each_cpu_cond_mask+0x1d callback=f"
    ) == (
        (1 << 32) + 3,
        b"on_each_cpu_cond_mask+0x1d",
    )


LINE = "  a-1 [000] d..2. {:12.6f}: sched_switch: prev_comm=a prev_pid=1 prev_prio=1 prev_state=S"
LINE += " ==> next_comm=a next_pid=1 next_prio=1\n"


def test_small_steps_back_in_time_are_put_right_and_large_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(LINE.format(2.0) + LINE.format(2.0 - JITTER / 1e9) + LINE.format(2.1))
    done = read_scan(path)
    assert done.back == 1
    assert list(done.switches.columns()["time"]) == [2_000_000_000, 2_000_000_000, 2_100_000_000]
    path.write_text(LINE.format(2.0) + LINE.format(1.9))
    with pytest.raises(TraceError, match=r"t.txt: line 2: time goes back by 0.1 s"):
        read_scan(path)


def test_lines_may_end_as_on_other_systems(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(("cpus=4\n" + LINE.format(2.0)).replace("\n", "\r\n").encode())
    done = read_scan(path)
    assert (done.broken, done.cpus, len(done.switches)) == (0, 4, 1)
