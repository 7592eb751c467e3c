"""Lines that are no event: heads, comments, reports of loss, call chains."""

from __future__ import annotations

import re

from mcost.traces.importers.found import Scan

__all__ = ["read_other"]

_COMMENT = re.compile(
    rb"# tid (?P<tid>\d+) tgid (?P<tgid>\d+)|# mask (?P<process>\d+) \S* ?mm=(?P<mm>[0-9a-f]+)"
    rb"|# main tgid (?P<main>\d+)|# kernel (?P<kernel>\S+) cpus (?P<cpus>\d+)"
    rb"|# entries-in-buffer/entries-written: (?P<kept>\d+)/(?P<written>\d+) +#P:(?P<online>\d+)"
)
_LOST = re.compile(rb"CPU:\d+ \[(?:LOST )?(\d+) EVENTS")
_STARTED = re.compile(rb"#+ CPU (\d+) buffer started")
_PREAMBLE = re.compile(rb"cpus=(\d+)\s*$|version = ")
# Call chains (perf -g), stack traces (ftrace), other perf records, perf's own comments.
_SKIPPED = re.compile(rb"\s*$|\s+[0-9a-f]+ \S|\s*=> |.*PERF_RECORD_|\.\.\.")


def read_other(line: bytes, done: Scan, whole: bool) -> None:
    """Takes what such a line tells; one that tells nothing and is not known counts as broken."""
    if line.startswith(b"#"):
        _comment(line, done)
    elif lost := _LOST.search(line):
        done.lost += int(lost[1])
    elif preamble := _PREAMBLE.match(line):
        done.cpus = int(preamble[1] or done.cpus)
    elif not _SKIPPED.match(line):
        done.break_line(line, whole)


def _comment(line: bytes, done: Scan) -> None:
    """Ftrace's own comments, and those of the traces bundled here (tid, mask, kernel)."""
    if started := _STARTED.match(line):
        done.late.add(int(started[1]))
    found = _COMMENT.match(line)
    if found is None:
        return
    if found["tid"]:
        done.tasks.process[int(found["tid"])] = int(found["tgid"])
    elif found["mm"]:
        done.tasks.pointers[int(found["mm"], 16)] = int(found["process"])
    elif found["main"]:
        done.tasks.process[int(found["main"])] = int(found["main"])
    elif found["kernel"]:
        done.kernel, done.cpus = found["kernel"].decode(), int(found["cpus"])
    else:
        done.lost += int(found["written"]) - int(found["kept"])
        done.cpus = done.cpus or int(found["online"])
