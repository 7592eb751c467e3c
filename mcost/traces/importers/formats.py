"""How the three tools lay out a line, and which of them wrote a file.

Two regular expressions a layout, over bytes. All layouts have the same groups, so that the
reader of lines needs no branches; those a layout does not have never match.

Layouts, run on Linux 6.18 with perf 6.1 and trace-cmd 3.1.6 unless said otherwise:

- ``ftrace`` (``trace``, ``trace_pipe``; kernel/trace/trace_output.c trace_print_context,
  KF 8.3): ``comm-tid [(tgid)] [cpu] [flags] secs.usecs: event: text``; the tgid column
  comes with the option record-tgid, flags (4 characters, 5 from 5.14 or so on) go with
  noirq-info. Older kernels put the tgid behind the CPU (not run).
- ``trace-cmd`` (``trace-cmd report``, also ``-t``, ``-N`` and ``--ts-diff``): the same
  without flags (newer versions have them), the event name padded.
- ``perf`` (``perf script``; tools/perf/builtin-script.c perf_sample__fprintf_start):
  ``comm [pid/]tid [cpu] secs.usecs: [period] system:event: text``; ``--ns`` gives nine
  decimals, ``-F`` without comm leaves it out, ``-g`` adds call chains, which are skipped.

Not read: the latency layouts (``trace-cmd report -l``, ftrace's latency-format), raw fields
(``-R``), clocks that count instead of telling seconds, and trace-cmd's buffer instances.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcost.spec.lookup import find

__all__ = ["FORMATS", "Format", "detect", "format_named"]

_NEVER = rb"(\0)?"
_TGID = rb"(?:\((?: *(\d+)|-+)\) +)?"
_KERNEL = (
    rb" *+([^-]*+(?:-[^-]*+)*?)" + _NEVER + rb"-(\d++) ++" + _TGID + rb"\[(\d+)\] +" + _TGID
    # Flags hold letters, dots and a depth, and never begin with a digit as seconds do.
    + rb"(?:([^\s\d][^\s]{3,5}) +)?(\d+)\.(\d{3,9}): +(?:\(\+\d+\) +)?"
)  # fmt: skip
_PERF = (
    rb" *+(?:(\S++(?: ++[^ ]++)*?) ++)?(?:(\d++)/ *+)?(-?\d++) ++" + _NEVER
    + rb"\[(\d+)\] +" + _NEVER + _NEVER
    + rb"(\d+)\.(\d{3,9}): +(?:\d+ +)?(?:[\w-]+:(?=\w))?"
)  # fmt: skip
# Both the kernel's text (prev_comm=C prev_pid=N prev_prio=N prev_state=S ==> ...) and the
# plugin's (C:N [prio] S ==> C:N [prio]).
_SWITCH = (
    rb"sched_switch: *(.*?) (?:prev_prio=|\[)-?\d+\]? (?:prev_state=)?(\S+) ==> "
    rb"(.*?) (?:next_prio=|\[)-?\d"
)
_PADDED = re.compile(rb"\d: \w+:  +\S")


@dataclass(frozen=True)
class Format:
    """One layout of text lines.

    Attributes:
        name: what ``--format`` calls it.
        head: matches any event's line: comm, tgid, tid, tgid, cpu, tgid, flags, seconds,
            fraction, event, text.
        switch: matches a sched_switch line: the first nine groups, then who leaves, its
            state, who comes, each of the two as comm and pid in one piece.
        says: what writes it.
    """

    name: str
    head: re.Pattern[bytes]
    switch: re.Pattern[bytes]
    says: str


def _format(name: str, start: bytes, says: str) -> Format:
    head = re.compile(start + rb"([\w<>]+):? *(.*)")
    return Format(name, head, re.compile(start + _SWITCH), says)


FORMATS: tuple[Format, ...] = (
    _format("ftrace", _KERNEL, "tracefs: trace or trace_pipe"),
    _format("trace-cmd", _KERNEL, "trace-cmd report"),
    _format("perf", _PERF, "perf script"),
)


def format_named(name: str) -> Format:
    """The format called ``name``.

    Raises:
        ValueError: unknown name; the message lists the valid ones.
    """
    return find("trace format", name, {entry.name: entry for entry in FORMATS})


def detect(sample: Sequence[bytes]) -> Format | None:
    """The format that most lines of a sample match, None when no line matches any.

    ftrace and trace-cmd share their line head; a file is trace-cmd's when it begins with
    ``cpus=`` or pads its event names.
    """
    ftrace, trace_cmd, perf = FORMATS
    lines = [line for line in sample if line and not line.startswith(b"#")]
    kernel = sum(ftrace.head.match(line) is not None for line in lines)
    other = sum(perf.head.match(line) is not None for line in lines)
    if not kernel and not other:
        return None
    if other > kernel:
        return perf
    padded = sum(_PADDED.search(line) is not None for line in lines)
    begins = any(line.startswith((b"cpus=", b"version = ")) for line in lines)
    return trace_cmd if begins or 2 * padded > kernel else ftrace
