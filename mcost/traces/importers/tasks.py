"""Who runs: thread to process, names, kernel threads, and which processes are the sharers.

**Thread to process.** A process stands for its mm. The file says it (``# tid T tgid G``
lines, ftrace's tgid column, perf's ``pid/tid``), a ``--tasks`` file does (``ps -eLo
tid,tgid,ppid,comm``), or a probe on sched_switch gave each task's mm pointer; a thread that
none of them names is taken for a process of its own, and the summary says how many.
A process that calls exec gets a new mm under its old number, and processes made with
CLONE_VM share one under several: the text shows neither.

**Kernel threads** run without an mm of their own, so a switch to one leaves the old mm
loaded lazily. Text cannot tell them for certain. Taken for one: pid 0; parent 2 in the
``--tasks`` file; mm 0 in such a probe; a name of :data:`KERNEL_NAMES`; a task once switched
out in state ``I`` (TASK_IDLE, which user tasks do not sleep in); what ``--kernel-threads``
names. Never: a thread whose process has another number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from mcost.traces.schema import TraceError

__all__ = ["KERNEL_NAMES", "Selection", "Tasks", "read_tasks"]

KERNEL_NAMES = re.compile(
    r"(swapper(/\d+)?|<idle>|kthreadd|migration/\d+|ksoftirqd/\d+|kworker/.*|cpuhp/\d+"
    r"|rcu_(sched|preempt|bh|gp|par_gp|exp_.*|tasks.*)|rcu(c|b|op|og|os)/.*|idle_inject/\d+"
    r"|kswapd\d+|kcompactd\d+|khugepaged|ksmd|oom_reaper|khungtaskd|kauditd|kdevtmpfs|kblockd"
    r"|watchdog(d|/\d+)|irq/\d+.*|irq_work/\d+|ktimers/\d+|backlog_napi/\d+|napi/.*"
    r"|jbd2/.*|xfsaild/.*|xfs-.*|ext4-rsv-.*|btrfs-.*|scsi_(eh|tmf)_\d+|nvme-.*"
    r"|md\d+_.*|kdmflush.*|dm_.*|loop\d+|nfsd|lockd|psimon|card\d+-crtc\d+)"
)
"""Whole names (comms) taken for kernel threads; made from what 6.1 and 6.12 name theirs."""


@dataclass(frozen=True)
class Selection:
    """Some tasks: comms (exact, or with ``*``, ``?``, ``[...]``) and ranges of ids."""

    patterns: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> Selection:
        """From ``name,other*,17,20-31``.

        Raises:
            ValueError: nothing named, or a range that runs backwards.
        """
        patterns, ranges = [], []
        for token in filter(None, (part.strip() for part in text.split(","))):
            ids = re.fullmatch(r"(\d+)(?:-(\d+))?", token)
            if ids is None:
                patterns.append(token)
                continue
            low = int(ids[1])
            high = int(ids[2] or ids[1])
            if high < low:
                raise ValueError(f"range {token!r} of ids runs backwards: write {high}-{low}")
            ranges.append((low, high))
        if not patterns and not ranges:
            raise ValueError(f"{text!r} names no task: give comms, ids or ranges of ids")
        return cls(tuple(patterns), tuple(ranges))

    def has(self, names: Sequence[str], *ids: int) -> bool:
        """Whether one of the names or ids is selected."""
        if any(low <= number <= high for number in ids for low, high in self.ranges):
            return True
        return any(fnmatchcase(name, p) for name in names for p in self.patterns)


@dataclass
class Tasks:
    """What a file has told about its threads so far.

    Attributes:
        names: comms of each tid, in order of appearance (exec and prctl change them).
        process: tgid of each tid that the file names one for.
        kernel: tids known to be kernel threads (parent, mm 0 or state ``I``).
        pointers: mm pointer to a tid that has it, where recorded.
        extra: what ``--kernel-threads`` selects.
    """

    names: dict[int, list[str]] = field(default_factory=lambda: {0: ["swapper"]})
    process: dict[int, int] = field(default_factory=dict)
    kernel: set[int] = field(default_factory=lambda: {0})
    pointers: dict[int, int] = field(default_factory=dict)
    extra: Selection | None = None

    def see(self, tid: int, comm: str) -> None:
        """Records that ``tid`` ran under the name ``comm``."""
        names = self.names.setdefault(tid, [])
        if comm not in names and not comm.startswith("<"):
            names.append(comm)

    def see_mm(self, tid: int, pointer: int) -> None:
        """Records the mm pointer of a task; tasks with one pointer become one process."""
        if pointer == 0:
            self.kernel.add(tid)
            return
        first = self.pointers.setdefault(pointer, tid)
        if tid != first and tid not in self.process:
            self.process[tid] = self.of(first)

    def of(self, tid: int) -> int:
        """The process of a thread, the thread itself when the file names none."""
        return self.process.get(tid, tid)

    def is_kernel(self, tid: int) -> bool:
        """Whether ``tid`` is taken for a kernel thread (see the module's rules)."""
        names = self.names.get(tid, [])
        if self.extra is not None and self.extra.has(names, tid):
            return True
        if self.of(tid) != tid:
            return False
        return tid in self.kernel or any(KERNEL_NAMES.fullmatch(name) for name in names)

    def select(self, selection: Selection) -> dict[int, list[str]]:
        """Processes with a selected thread (by its name, its tid or its tgid), and names."""
        found: dict[int, list[str]] = {}
        for tid in sorted(self.names):
            process = self.of(tid)
            if not self.is_kernel(tid) and selection.has(self.names[tid], tid, process):
                names = found.setdefault(process, [])
                names += [name for name in self.names[tid] if name not in names]
        return found

    @property
    def guessed(self) -> int:
        """User threads whose process the file does not name."""
        return sum(tid not in self.process and not self.is_kernel(tid) for tid in self.names)


def read_tasks(path: Path, tasks: Tasks) -> None:
    """Adds the lines of ``ps -eLo tid,tgid,ppid,comm`` to what is known.

    Raises:
        TraceError: a line without three numbers and a name (ps's header lines are skipped).
        OSError: the file cannot be opened.
    """
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        parts = line.split(None, 3)
        if not parts or parts[0] == "TID":
            continue
        if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
            raise TraceError(
                f"{path}: line {number}: {line.strip()[:40]!r} is not 'tid tgid ppid comm',"
                " as `ps -eLo tid,tgid,ppid,comm` prints them"
            )
        tid, tgid, parent = (int(part) for part in parts[:3])
        tasks.process[tid] = tgid
        tasks.see(tid, parts[3].strip())
        if tid == 2 or parent == 2:
            tasks.kernel.add(tid)
