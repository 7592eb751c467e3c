"""From traced lines to flush calls: which lines belong to one call of the kernel.

A *call* is one pass through flush_tlb_mm_range or arch_tlbbatch_flush (KF 1.1, 3).
- Reason 4 (remote IPI send) begins one: flush_tlb_multi traces it once a call, however many
  CPUs are told, also none (KF 8.2). Our kprobe on native_flush_tlb_multi, when recorded,
  comes just before it on the same CPU and names the mm.
- Reason 3 or 2 (local) is the initiator's own part of a reason 4 of the same CPU when no
  switch lies between (a call does not sleep), the call has no own part yet, and the pages
  fit: equal, -1 (a generation was missed), 0 (already current) or shifted by a stride
  (senders count in pages, handlers in strides). Else it is a call that stayed local, as
  it is when a recorded mask does not hold the initiator.
- Reason 3 needs the flushed mm to be loaded, so it names the initiator's own mm; reason 2
  is the batch, without an mm.
- Reason 1 is one handler on a told CPU. It goes to the call that can have asked for it:
  begun on another CPU that has not gone on to another task or call since, not answered by
  this CPU yet, pages that fit. Of several, the one whose recorded targets hold this CPU,
  then one of this CPU's own process, then the latest. Handlers that find nothing to do
  trace nothing (KF 8.2), so the receptions of a call are a lower bound of its targets.
- csd_queue_cpu for flush_tlb_func gives the targets, ipi_send_cpu(mask) the interrupts of
  the call begun last on that CPU. flush_tlb_all has neither reason nor mm (KF 8.1): its
  csd_queue_cpu lines for do_flush_tlb_all make a call, and a target told again, the
  caller's own run or a switch ends it.
- Reason 0 is a switch's flush, or a lazy CPU's answer when it stands in a hardirq; reason 5
  a stale CPU's answer. Neither begins a call.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mcost.traces.importers.table import Table
from mcost.traces.importers.tasks import Tasks

__all__ = ["EVERYTHING", "LOCAL", "NO_POINTER", "REMOTE", "Calls", "Open", "fits", "signed"]

LOCAL, REMOTE, EVERYTHING = range(3)
"""What a call is: local only; flush_tlb_multi; flush_tlb_all."""

NO_POINTER = -1
"""No probe line stood before the call."""

_COLUMNS = (
    "time", "cpu", "tid", "kind", "pages", "own", "pointer", "start", "end", "freed",
    "mask", "targets", "interrupts", "received", "row",
)  # fmt: skip
_OWN, _TARGETS, _INTERRUPTS, _RECEIVED = (
    _COLUMNS.index(name) for name in ("own", "targets", "interrupts", "received")
)
_STRIDES = (9, 18, 27)
_SITES = (b"on_each_cpu", b"smp_call_function_many", b"native_flush_tlb", b"flush_tlb")


@dataclass(slots=True)
class Open:
    """A call whose CPU has not gone on yet; sets of CPUs are bits, a mask of -1 unknown."""

    at: int
    kind: int
    tid: int
    pages: int
    local: bool = False
    mask: int = -1
    told: int = 0
    answered: int = 0
    sent: bool = False

    def can_tell(self, cpus: int) -> bool:
        """Whether all of these CPUs (bits) can be told, by what was recorded of the call."""
        if self.told:
            return cpus & ~self.told == 0
        return self.mask < 0 or cpus & ~self.mask == 0


def fits(asked: int, done: int) -> bool:
    """Whether a handler that traced ``done`` pages can serve a call for ``asked`` (-1 full)."""
    if done in (asked, -1, 0):
        return True
    return asked > 0 and any(asked >> shift == done for shift in _STRIDES)


class Calls:
    """Collects calls line by line.

    Attributes:
        table: one row a call (120 bytes); ``own`` 1 when the initiator's own part names its
            mm, 2 when it says batch; ``row`` is the number of switches before it.
        answers: one row a reception: call, tid of the task that was interrupted.
        counts: what no call holds (lazy answers, switch flushes, ...).
    """

    def __init__(self, tasks: Tasks) -> None:
        """Starts with no call.

        Args:
            tasks: asked for the process of a thread when several calls can own a reception.
        """
        self._tasks = tasks
        self._open: dict[int, Open] = {}
        self._probed: dict[int, tuple[int, int, tuple[int, int, int, int, int]]] = {}
        self.table = Table(*_COLUMNS)
        self._extend = self.table.data.extend
        self.answers = Table("call", "tid")
        self.counts: Counter[str] = Counter()

    def probe(self, time: int, cpu: int, row: int, values: tuple[int, int, int, int, int]) -> None:
        """A probe line: kept for the reason 4 that follows on its CPU; the call begins here."""
        self.counts["probe"] += 1
        self._probed[cpu] = (time, row, values)

    def switch(self, cpu: int) -> None:
        """The CPU goes on to another task: its call is over."""
        self._open.pop(cpu, None)
        self._probed.pop(cpu, None)

    def flush(
        self, time: int, cpu: int, tid: int, reason: int, pages: int, row: int, irq: bool
    ) -> None:
        """One tlb_flush line."""
        if reason == 4:
            self._begin(time, cpu, tid, REMOTE, pages, row)
        elif reason in (2, 3):
            self._own(time, cpu, tid, reason, pages, row)
        elif reason == 1:
            self._answer(cpu, tid, pages)
        elif reason == 0:
            self.counts["lazy_answer" if irq else "switch_flush"] += 1
        else:
            self.counts["stale_answer"] += 1

    def _begin(self, time: int, cpu: int, tid: int, kind: int, pages: int, row: int) -> Open:
        call = Open(len(self.table), kind, tid, pages)
        call.mask = self._add_row(time, cpu, tid, kind, pages, 0, row)
        self._open[cpu] = call
        return call

    def _add_row(
        self, time: int, cpu: int, tid: int, kind: int, pages: int, own: int, row: int
    ) -> int:
        """Adds a call, with what a probe said of it just before; gives its mask, -1 unknown."""
        mask, pointer, start, end, freed = -1, NO_POINTER, 0, 0, 0
        if cpu in self._probed:
            time, row, (mask, pointer, start, end, freed) = self._probed.pop(cpu)
        self._extend((time, cpu, tid, kind, pages, own, signed(pointer), signed(start),
                      signed(end), freed, signed(mask), 0, -1, 0, row))  # fmt: skip
        return mask

    def _own(self, time: int, cpu: int, tid: int, reason: int, pages: int, row: int) -> None:
        call = self._open.get(cpu)
        own = 1 if reason == 3 else 2
        if (
            call is None
            or call.kind != REMOTE
            or call.local
            or not fits(call.pages, pages)
            or not (call.mask < 0 or call.mask >> cpu & 1)
        ):
            self._open.pop(cpu, None)
            self._add_row(time, cpu, tid, LOCAL, pages, own, row)
            return
        call.local = True
        self.table.data[call.at * self.table.width + _OWN] = own

    def _answer(self, cpu: int, tid: int, pages: int) -> None:
        process = self._tasks.of(tid)
        best: tuple[bool, bool, int] | None = None
        chosen = None
        for asker, call in self._open.items():
            if call.kind != REMOTE or asker == cpu or call.answered >> cpu & 1:
                continue
            if not fits(call.pages, pages) or not call.can_tell(1 << cpu):
                continue
            rank = (call.told > 0, self._tasks.of(call.tid) == process, call.at)
            if best is None or rank > best:
                best, chosen = rank, call
        self.counts["received"] += 1
        if chosen is None:
            self.counts["received_unmatched"] += 1
            return
        chosen.answered |= 1 << cpu
        self._add(chosen, _RECEIVED, 1)
        self.answers.data.extend((chosen.at, tid))

    def _add(self, call: Open, column: int, amount: int) -> None:
        self.table.data[call.at * self.table.width + column] += amount

    def queue(self, time: int, cpu: int, tid: int, target: int, func: bytes, row: int) -> None:
        """One csd_queue_cpu line on the asking CPU."""
        call = self._open.get(cpu)
        if func == b"flush_tlb_func":
            self.counts["csd_targets"] += 1
            if call is not None and call.kind == REMOTE and not call.told >> target & 1:
                call.told |= 1 << target
                self._add(call, _TARGETS, 1)
        elif func == b"do_flush_tlb_all":
            if call is None or call.kind != EVERYTHING or call.told >> target & 1:
                call = self._begin(time, cpu, tid, EVERYTHING, -1, row)
            call.told |= 1 << target
            self._add(call, _TARGETS, 1)

    def run(self, cpu: int, func: bytes, own: bool) -> None:
        """One csd_function_entry line."""
        call = self._open.get(cpu)
        self.counts["csd_runs"] += not own
        if func == b"do_flush_tlb_all" and own and call is not None and call.kind == EVERYTHING:
            self.switch(cpu)

    def interrupt(self, cpu: int, targets: int, site: bytes) -> None:
        """One ipi_send_cpu or ipi_send_cpumask line, its targets as bits."""
        call = self._open.get(cpu)
        # Wake-ups and reschedules send from the scheduler; only these places send for masks.
        if call is None or not site.startswith(_SITES):
            return
        # A call sends once, and before its own part: a later one is another function's.
        if call.local or call.sent or not call.can_tell(targets):
            return
        call.sent = True
        self.counts["ipi_targets"] += targets.bit_count()
        self.table.data[call.at * self.table.width + _INTERRUPTS] = targets.bit_count()


def signed(value: int) -> int:
    """An unsigned 64-bit value as the array stores it."""
    return value - (1 << 64) if value >= 1 << 63 else value
