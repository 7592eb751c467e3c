"""One line after another: into threads, switches and flush calls.

What is kept grows with the switches (24 bytes each), calls and receptions, never with the
text. A line is understood by its format's expressions and the handler of its event; other
events are only counted.

Times are made never to go back: up to :data:`JITTER` ns (two CPUs' lines may swap in
trace_pipe) a line takes the time before it; more is refused.

Switches can be missing (lost events; the live kernel we tried, 6.18, also left out some of
those away from the idle task and kernel threads). Each line says who runs on its CPU; when
that is not who was switched in last, a switch is put in there and counted as a resync. A
line of reason 0 says nothing: it stands behind its switch, still with the task before as
current (KF 8.2).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from mcost.traces.importers import texts
from mcost.traces.importers.comments import read_other
from mcost.traces.importers.found import Scan
from mcost.traces.schema import TraceError

__all__ = ["JITTER", "Reader"]

JITTER = 10_000_000
"""Largest step back in time, in ns, that is taken for lines out of order."""

_AT_SWITCH = b"flush on task switch (0)"
_HARDIRQ = re.compile(rb"[hH]").search


class Reader:
    """Reads lines into a Scan; the loop of :meth:`read` is all that runs per line."""

    def __init__(self, done: Scan) -> None:
        self.done = done
        self._current: dict[int, int] = {}
        self._tids: dict[bytes, int] = {}
        self._flushes: dict[bytes, tuple[int, int]] = {}
        self._seen: set[bytes] = set()
        self._events: Counter[bytes] = Counter()
        self._last = -1
        self._add_switch = done.switches.data.extend
        self._end_call = done.calls.switch
        self._handlers: dict[bytes, Callable[[int, int, int, bytes, bytes], None]] = {
            b"tlb_flush": self._flush,
            b"csd_queue_cpu": self._queue,
            b"csd_function_entry": self._run,
            b"ipi_send_cpu": self._ipi_cpu,
            b"ipi_send_cpumask": self._ipi_mask,
            b"sched_migrate_task": self._migrate,
            b"PERF_RECORD_LOST": self._perf_lost,
            b"PERF_RECORD_LOST_SAMPLES": self._perf_lost,
            b"multi": self._probe,
            b"mcost_flush": self._probe,
            b"mcost_mm": self._task_mm,
        }

    def read(self, lines: list[bytes], whole: bool) -> None:
        """Reads a block of lines; ``whole`` is False when the last has no newline."""
        done = self.done
        switch, on_switch, on_line = done.format.switch.match, self._switch, self._line
        at_switch = switches = 0
        for line in lines:
            done.lines += 1
            # Flushes at a switch are every third line, and only their number is of use. One in
            # a hardirq is a lazy CPU's answer; its flags stand before the last 56 characters.
            if line.endswith(_AT_SWITCH) and not _HARDIRQ(line[line.rfind(b"] ") : -56]):
                at_switch += 1
            elif b"sched_switch: " in line and (match := switch(line)) is not None:
                switches += 1
                on_switch(*match.groups())
            else:
                on_line(line, whole)
        done.end = self._last
        done.counts["sched_switch"] += switches
        done.counts["tlb_flush"] += at_switch
        for event, number in self._events.items():
            done.counts[event.decode()] += number
        self._events.clear()
        done.calls.counts["switch_flush"] += at_switch

    def _line(self, line: bytes, whole: bool) -> None:
        """Any line but the two frequent ones."""
        match = self.done.format.head.match(line)
        if match is None:
            read_other(line, self.done, whole)
            return
        comm, perf, tid, tgid, cpu, older, flags, sec, part, event, text = match.groups()
        handler = self._handlers.get(event)
        if handler is not None:
            self._see(tid, comm, perf or tgid or older)
            time = self._time(sec, part)
            try:
                handler(time, int(cpu), int(tid), flags or b"", text)
            except texts.TextError:
                self.done.break_line(line, whole)
                return
        elif not whole and event.decode() not in self.done.counts:
            self.done.break_line(line, whole)
        self._events[event] += 1

    def _time(self, seconds: bytes, part: bytes) -> int:
        """Nanoseconds, never less than the line before."""
        time = int(seconds + part) * (1000 if len(part) == 6 else 10 ** (9 - len(part)))
        if time < self._last:
            return self._earlier(time)
        self._last = time
        return time

    def _earlier(self, time: int) -> int:
        if self._last - time > JITTER:
            raise TraceError(
                f"{self.done.path}: line {self.done.lines}: time goes back by"
                f" {(self._last - time) / 1e9:g} s; one recording in the order of time is needed"
                f" (steps up to {JITTER / 1e9:g} s are put right)"
            )
        self.done.back += 1
        return self._last

    def _see(self, tid: bytes, comm: bytes, group: bytes | None) -> None:
        """Learns name and process of the thread that a line begins with."""
        key = tid if group is None else tid + b"/" + group
        if key in self._seen:
            return
        self._seen.add(key)
        thread = int(tid)
        if thread not in self.done.tasks.names and comm:
            self.done.tasks.see(thread, comm.decode(errors="replace"))
        if group is not None and thread > 0:
            self.done.tasks.process[thread] = int(group)

    def _task(self, key: bytes) -> int:
        """The tid of one side of a switch, by its raw text (met again and again)."""
        name, tid = texts.switch_name(key)
        self.done.tasks.see(tid, name)
        self._tids[key] = tid
        return tid

    def _switch(self, comm: bytes, perf: bytes | None, tid: bytes, tgid: bytes | None,
                cpu: bytes, older: bytes | None, flags: bytes | None, sec: bytes, part: bytes,
                left: bytes, state: bytes, right: bytes) -> None:  # fmt: skip
        """A sched_switch line, as its expression splits it."""
        del flags
        group = perf or tgid or older
        if group is not None:
            self._see(tid, comm, group)
        time, where, tids = self._time(sec, part), int(cpu), self._tids
        prev = tids[left] if left in tids else self._task(left)
        following = tids[right] if right in tids else self._task(right)
        if self._current.get(where) != prev:
            self._resync(time, where, prev)
        if state == b"I":
            self.done.tasks.kernel.add(prev)
        self._current[where] = following
        self._add_switch((time, where, following))
        self._end_call(where)

    def _resync(self, time: int, cpu: int, tid: int) -> None:
        """``tid`` turns out to run on ``cpu``: the record began here, or a switch is missing."""
        if cpu in self._current or cpu in self.done.late:
            self.done.resyncs += cpu in self._current
            self.done.switches.data.extend((time, cpu, tid))
            self.done.calls.switch(cpu)
        if self.done.start < 0:
            self.done.start = time
        self.done.first.setdefault(cpu, tid)
        self._current[cpu] = tid

    def _runs(self, time: int, cpu: int, tid: int) -> None:
        if self._current.get(cpu) != tid:
            self._resync(time, cpu, tid)

    def _flush(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        known = self._flushes.get(text)
        if known is None:
            known = self._flushes[text] = texts.flush(text)
        reason, pages = known
        if reason != 0:
            self._runs(time, cpu, tid)
        irq = b"h" in flags or b"H" in flags
        self.done.calls.flush(time, cpu, tid, reason, pages, len(self.done.switches), irq)

    def _queue(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del flags
        target, func = texts.csd_queue(text)
        self._runs(time, cpu, tid)
        self.done.calls.queue(time, cpu, tid, target, func, len(self.done.switches))

    def _run(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del flags
        func, own = texts.csd_function(text)
        self._runs(time, cpu, tid)
        self.done.calls.run(cpu, func, own)

    def _ipi_cpu(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del time, tid, flags
        target, site = texts.ipi_cpu(text)
        self.done.calls.interrupt(cpu, 1 << target, site)

    def _ipi_mask(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del time, tid, flags
        try:
            targets, site = texts.ipi_mask(text)
        except texts.TextError:
            # Older libtraceevent cannot print a cpumask (KF 8.2): not the line's fault.
            self.done.unread += 1
            return
        self.done.calls.interrupt(cpu, targets, site)

    def _migrate(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del time, cpu, tid, flags
        self.done.migrations[texts.migrate(text)] += 1

    def _probe(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del flags
        values = texts.probe(text)
        self._runs(time, cpu, tid)
        mask, *rest = values
        # Words above the machine's CPUs are noise in the recorded mask.
        mask = mask & ((1 << self.done.cpus) - 1) if mask >= 0 and self.done.cpus else mask
        row = len(self.done.switches)
        self.done.calls.probe(time, cpu, row, (mask, rest[0], rest[1], rest[2], rest[3]))

    def _task_mm(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del time, cpu, tid, flags
        self.done.tasks.see_mm(*texts.mm_of_task(text))

    def _perf_lost(self, time: int, cpu: int, tid: int, flags: bytes, text: bytes) -> None:
        del time, cpu, tid, flags
        self.done.lost += int(text.rpartition(b" ")[2])
