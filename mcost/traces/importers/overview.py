"""Who runs and flushes in a recorded text: what one looks at before naming the sharers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcost.traces.importers.api import read_scan
from mcost.traces.importers.targets import find_targets
from mcost.traces.importers.timeline import timeline

__all__ = ["Overview", "overview"]


@dataclass(frozen=True)
class Overview:
    """One recorded text.

    Attributes:
        path, format, lines, broken, cpus, seconds, lost: as of ``Summary``.
        events: lines by event name.
        processes: one row a user process, most CPU time first: ``process``, ``names``,
            ``cpu_share`` of all CPU time, ``flush_calls`` on its mm.
    """

    path: str
    format: str
    lines: int
    broken: int
    cpus: int
    seconds: float
    lost: int
    events: dict[str, int]
    processes: list[dict[str, object]]


def overview(path: str | Path, progress: bool = False) -> Overview:
    """Reads a recorded text whole.

    Raises:
        TraceError, OSError: as :func:`mcost.traces.importers.import_trace`.
    """
    done = read_scan(path, progress=progress)
    line = timeline(done)
    tasks = done.tasks
    names: dict[int, list[str]] = {}
    for tid in sorted(tasks.names):
        if not tasks.is_kernel(tid):
            known = names.setdefault(tasks.of(tid), [])
            known += [name for name in tasks.names[tid] if name not in known]
    shares, _, _ = line.shares(np.array(sorted(names), dtype=np.int64))
    mms, flushes = np.unique(find_targets(done).mm, return_counts=True)
    calls = dict(zip(mms.tolist(), flushes.tolist(), strict=True))
    rows: list[dict[str, object]] = [
        {
            "process": mm,
            "names": " ".join(names[mm]),
            "cpu_share": shares[mm],
            "flush_calls": calls.get(mm, 0),
        }
        for mm in sorted(names, key=lambda mm: (-shares[mm], mm))
    ]
    return Overview(
        path=done.path.name,
        format=done.format.name,
        lines=done.lines,
        broken=done.broken,
        cpus=line.cpus,
        seconds=(line.end - line.start) / 1e9,
        lost=done.lost,
        events={name: number for name, number in sorted(done.counts.items()) if number},
        processes=rows,
    )
