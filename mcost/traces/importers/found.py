"""What one recorded text told, as its reader fills it in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mcost.traces.importers.flushes import Calls
from mcost.traces.importers.formats import Format
from mcost.traces.importers.table import Table
from mcost.traces.importers.tasks import Tasks
from mcost.traces.schema import TraceError

__all__ = ["Scan"]

_SHOWN = 5


@dataclass
class Scan:
    """What one text told.

    Attributes:
        path: the file.
        format: its layout.
        tasks: threads, names, processes.
        switches: (time ns, cpu, tid that runs from then on), in file order.
        calls: the flush calls.
        first: what ran on each CPU when its record begins.
        late: CPUs whose buffer overran, so that their record begins later than the file.
        counts: lines by event name.
        lines, broken, broken_at: lines read, not understood, and the first of those.
        lost: events that the file says were lost.
        cpus: size of the machine by the file's head, else 0.
        kernel: kernel release by the file's head.
        start, end: times of the first and last event, ns.
        resyncs: switches that were missing and are put in where the next line shows them.
        back: lines whose time was behind the line before.
        migrations: sched_migrate_task lines by tid.
    """

    path: Path
    format: Format
    tasks: Tasks
    calls: Calls
    switches: Table = field(default_factory=lambda: Table("time", "cpu", "tid"))
    first: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    broken: int = 0
    broken_at: list[int] = field(default_factory=list)
    lost: int = 0
    cpus: int = 0
    kernel: str = ""
    start: int = -1
    end: int = -1
    resyncs: int = 0
    back: int = 0
    unread: int = 0
    migrations: Counter[int] = field(default_factory=Counter)

    @property
    def processors(self) -> int:
        """CPUs of the machine: what the head says, at least what the events name."""
        return max(self.cpus, max(self.first, default=-1) + 1)

    @property
    def queued(self) -> bool:
        """Whether csd_queue_cpu was recorded, or csd_function_entry shows that nobody was told."""
        runs = self.counts["csd_function_entry"] > 0 and self.calls.counts["csd_runs"] == 0
        return runs or self.counts["csd_queue_cpu"] > 0

    def break_line(self, line: bytes, whole: bool) -> None:
        """Counts a line that is not understood.

        Raises:
            TraceError: the line is not whole: the file was cut off in it.
        """
        if not whole:
            raise TraceError(
                f"{self.path}: line {self.lines}: the file is cut off in the middle of"
                f" {line[:40].decode(errors='replace').strip()!r}; delete that line to import"
                " the rest"
            )
        self.broken += 1
        if len(self.broken_at) < _SHOWN:
            self.broken_at.append(self.lines)
