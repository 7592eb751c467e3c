"""From a file and the names of the sharers to a trace, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcost.traces.checks import check_trace
from mcost.traces.importers.assemble import assemble
from mcost.traces.importers.formats import format_named
from mcost.traces.importers.found import Scan
from mcost.traces.importers.masks import Masks, masks, spread
from mcost.traces.importers.operations import Operations, find_operations
from mcost.traces.importers.options import ImportOptions
from mcost.traces.importers.recorded import Calls, count_recorded, each_call
from mcost.traces.importers.remarks import assumed, unknown
from mcost.traces.importers.scan import scan
from mcost.traces.importers.summary import Recorded, Sharer, Summary
from mcost.traces.importers.targets import HOW, Targets, find_targets
from mcost.traces.importers.tasks import Selection, Tasks, read_tasks
from mcost.traces.importers.timeline import NONE, Timeline, timeline
from mcost.traces.schema import IDLE, INVALIDATE, SWITCH, TOUCH, Trace, TraceError

__all__ = ["Imported", "import_trace", "read_scan"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Imported:
    """One import.

    Attributes:
        trace: schedule and invalidates.
        summary: counts, assumptions and gaps.
        recorded: what the kernel itself counted (also ``summary.recorded``).
        calls: every flush call, with what the file recorded of its targets.
    """

    trace: Trace
    summary: Summary
    recorded: Recorded
    calls: Calls


def read_scan(
    path: str | Path,
    format: str = "auto",  # noqa: A002 - the name of the option
    tasks: str | Path | None = None,
    kernel_threads: str | None = None,
    max_broken: float = 0.01,
    progress: bool = False,
) -> Scan:
    """Reads a recorded text; arguments and errors as of :func:`import_trace`."""
    if not 0 <= max_broken <= 1:
        raise ValueError(f"max broken must be a share between 0 and 1, not {max_broken:g}")
    known = Tasks(extra=Selection.parse(kernel_threads) if kernel_threads else None)
    layout = None if format == "auto" else format_named(format)
    if tasks is not None:
        read_tasks(Path(tasks), known)
    return scan(Path(path), layout, known, max_broken, progress)


def import_trace(
    path: str | Path,
    sharers: str,
    options: ImportOptions | None = None,
    *,
    format: str = "auto",  # noqa: A002 - the name of the option
    tasks: str | Path | None = None,
    kernel_threads: str | None = None,
    max_broken: float = 0.01,
    progress: bool = False,
) -> Imported:
    """What really ran and flushed, as if some of the processes shared an mshare region.

    Args:
        path: output of ftrace, ``trace-cmd report`` or ``perf script``, also gzip.
        sharers: comma-separated comms (exact or with wildcards), ids or ranges of ids; a
            process shares when one of its threads is named.
        options: what to make of the flushes, None for the defaults.
        format: ``ftrace``, ``trace-cmd`` or ``perf``; ``auto`` looks at the first lines.
        tasks: output of ``ps -eLo tid,tgid,ppid,comm``, taken while recording.
        kernel_threads: tasks to take for kernel threads besides the known ones.
        max_broken: share of lines that may be unreadable.
        progress: draw a progress bar on standard error.

    Raises:
        TraceError: a file that is empty, binary, cut off, in no known layout, out of the
            order of time or too broken; no thread named by ``sharers``; none of them ever
            runs. Names the file and, where there is one, the line.
        ValueError: an option out of range.
        OSError: a file cannot be opened.
    """
    options = options or ImportOptions()
    selection = Selection.parse(sharers)
    done = read_scan(path, format, tasks, kernel_threads, max_broken, progress)
    found = done.tasks.select(selection)
    chosen = np.array(sorted(found), dtype=np.int64)
    line = timeline(done)
    _check_sharers(done, line, chosen, sharers)
    targets = find_targets(done)
    made = find_operations(done, targets, chosen, options)
    trace, rows = assemble(done, line, made, chosen, options)
    check_trace(trace)
    counted = masks(done, line, targets, chosen)
    calls = each_call(done, targets, made, counted, rows)
    recorded = count_recorded(done, calls)
    summary = _summary(done, line, targets, made, counted, found, trace, recorded, options)
    return Imported(trace, summary, recorded, calls)


def _check_sharers(done: Scan, line: Timeline, chosen: Ints, sharers: str) -> None:
    ran = np.unique(line.mm[line.mm != NONE])
    if np.isin(chosen, ran).any():
        return
    names = {name for tid in done.tasks.names if not done.tasks.is_kernel(tid)
             for name in done.tasks.names[tid] if done.tasks.of(tid) in ran}  # fmt: skip
    some = ", ".join(sorted(names)[:8]) or "no user task at all"
    says = "never runs" if len(chosen) else "matches no task"
    raise TraceError(
        f"{done.path}: line {done.lines}: {sharers!r} {says} in the whole file; must match"
        f" tasks that run in it, such as {some}"
    )


def _summary(
    done: Scan, line: Timeline, targets: Targets, made: Operations, counted: Masks,
    found: dict[int, list[str]], trace: Trace, recorded: Recorded, options: ImportOptions,
) -> Summary:  # fmt: skip
    tasks = done.tasks
    ours = made.group != NONE
    chosen = np.array(sorted(found), dtype=np.int64)
    shares, share, lazy = line.shares(chosen)
    users = [tid for tid in tasks.names if not tasks.is_kernel(tid)]
    threads = {mm: sum(tasks.of(tid) == mm for tid in users) for mm in found}
    events = np.bincount(trace.event, minlength=TOUCH + INVALIDATE)
    return Summary(
        file=done.path.name, format=done.format.name, kernel=done.kernel,
        lines=done.lines, broken=done.broken, broken_at=tuple(done.broken_at), lost=done.lost,
        events={name: number for name, number in sorted(done.counts.items()) if number},
        cpus=line.cpus, seconds=(line.end - line.start) / 1e9,
        threads=len(users), processes=len({tasks.of(tid) for tid in users}),
        sharers=tuple(
            Sharer(mm, tuple(names), threads[mm], shares[mm]) for mm, names in sorted(found.items())
        ),
        switches=int(events[SWITCH]), idles=int(events[IDLE]), touches=int(events[TOUCH]),
        invalidates=int(events[INVALIDATE]), resyncs=done.resyncs,
        migrations=sum(n for tid, n in done.migrations.items() if tasks.of(tid) in found),
        calls=len(ours), counted=int(ours.sum()), merged=int(ours.sum()) - len(made.call),
        ignored=made.ignored,
        mm_found={name: int((targets.how[ours] == at).sum()) for at, name in enumerate(HOW)},
        share=share, lazy=lazy,
        union_mask=spread(counted.union[ours]), running=spread(counted.running[ours]),
        mm_mask=spread(counted.mm[ours & (counted.mm != NONE)]),
        recorded=recorded,
        assumed=assumed(done, targets, made, options), unknown=unknown(done, line, targets),
    )  # fmt: skip
