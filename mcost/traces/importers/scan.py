"""Reads one recorded text into a :class:`~mcost.traces.importers.reader.Scan`."""

from __future__ import annotations

from pathlib import Path

from mcost.traces.importers.flushes import Calls
from mcost.traces.importers.formats import FORMATS, Format, detect
from mcost.traces.importers.found import Scan
from mcost.traces.importers.reader import Reader
from mcost.traces.importers.source import blocks
from mcost.traces.importers.tasks import Tasks
from mcost.traces.schema import TraceError

__all__ = ["scan"]

_SAMPLE = 500


def scan(
    path: Path,
    layout: Format | None = None,
    tasks: Tasks | None = None,
    max_broken: float = 0.01,
    progress: bool = False,
) -> Scan:
    """Reads one text.

    Args:
        path: output of ftrace, ``trace-cmd report`` or ``perf script``, also gzip.
        layout: its layout, None to detect it from the first lines.
        tasks: what is known of the threads beforehand.
        max_broken: share of lines that may be unreadable.
        progress: draw a progress bar.

    Raises:
        TraceError: empty, binary, cut off, in no known layout, without events, with time
            going back by more than :data:`JITTER`, or with too many broken lines.
        OSError: the file cannot be opened.
    """
    reader: Reader | None = None
    known = tasks if tasks is not None else Tasks()
    for lines, whole in blocks(path, progress):
        if reader is None:
            layout = layout or detect(lines[:_SAMPLE]) or _unknown(path, lines)
            reader = Reader(Scan(path, layout, known, Calls(known)))
        reader.read(lines, whole)
    if reader is None:
        raise TraceError(f"{path}: the file is empty; it must hold recorded events as text")
    return _checked(reader.done, max_broken)


def _unknown(path: Path, lines: list[bytes]) -> Format:
    if all(line.startswith(b"#") or not line.strip() for line in lines):
        raise TraceError(f"{path}: line {len(lines)}: no events, only comments")
    says = ", ".join(f"{entry.name} ({entry.says})" for entry in FORMATS)
    at = next(k for k, line in enumerate(lines, 1) if line.strip() and not line.startswith(b"#"))
    raise TraceError(
        f"{path}: line {at}: {lines[at - 1][:60].decode(errors='replace')!r} is in no known"
        f" layout; must be one of {says}"
    )


def _checked(done: Scan, max_broken: float) -> Scan:
    where = ", ".join(map(str, done.broken_at))
    if done.broken > max_broken * done.lines:
        raise TraceError(
            f"{done.path}: line {done.broken_at[0]}: {done.broken} of {done.lines} lines are not"
            f" {done.format.name} output (first: {where}); at most {max_broken:g} of all may be"
            " (--max-broken)"
        )
    if not len(done.switches) and not len(done.calls.table):
        raise TraceError(
            f"{done.path}: line {done.lines}: no sched_switch and no flush event in the whole"
            " file; record both (mcost trace record says how)"
        )
    return done
