"""Compiled loops of the calibration: they hold no GIL, so other threads really run.

libc is called through ctypes pointers, which the compiler must assume to read and write any
memory; that keeps loads and stores around the calls where they are written.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "LINE",
    "PAGE",
    "spin",
    "time_chase",
    "time_madvise",
    "time_mprotect",
    "time_nothing",
]

PAGE = 4096
LINE = 8
"""int64 entries of a cache line: counters this far apart do not disturb each other."""

_DONTNEED = 4
_READ, _READ_WRITE = 1, 3
_MONOTONIC = 1
_LIBC = ctypes.CDLL(None)


def _function(name: str, *arguments: Any) -> Any:
    made = _LIBC[name]
    made.argtypes, made.restype = list(arguments), ctypes.c_int
    return made


_madvise = _function("madvise", ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
_mprotect = _function("mprotect", ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
_clock = _function("clock_gettime", ctypes.c_int, ctypes.c_size_t)

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@njit(nogil=True)
def spin(stop: Ints, counters: Ints, at: int) -> None:
    """Counts in ``counters[at]`` until ``stop[0]`` is not 0."""
    while stop[0] == 0:
        counters[at] += 1


@njit(nogil=True)
def _touch(memory: Bytes, pages: int) -> None:
    for page in range(pages):
        memory[page * PAGE] += 1


@njit(nogil=True)
def _since(start: int, stamp: Ints) -> int:
    _clock(_MONOTONIC, stamp.ctypes.data)
    now: int = stamp[0] * 1_000_000_000 + stamp[1]
    return now - start


@njit(nogil=True)
def _progress(counters: Ints, marks: Ints) -> int:
    """Counts since ``marks`` summed over threads, -1 when one has not moved; updates marks."""
    total, stalled = 0, False
    for at in range(len(marks)):
        now = counters[at * LINE]
        stalled |= now == marks[at]
        total += now - marks[at]
        marks[at] = now
    return -1 if stalled else total


@njit(nogil=True)
def time_madvise(
    memory: Bytes, pages: int, stamp: Ints, counters: Ints, marks: Ints, out: Ints
) -> None:
    """Times madvise(DONTNEED) of touched pages.

    Args:
        memory: page-aligned bytes.
        pages: how many of its pages.
        stamp: int64 [2] for clock_gettime.
        counters: what :func:`spin` counts in.
        marks: int64 [spinning threads], their last counts.
        out: int64 [runs, 4]: ns of the call; ns of the touches before it, faults included;
            ns of the whole run; counts of the other threads in it, -1 when one of them did
            not run at all, so that it may not have been interrupted.
    """
    address, size = memory.ctypes.data, pages * PAGE
    for at in range(len(out)):
        begin = _since(0, stamp)
        _touch(memory, pages)
        out[at, 1] = _since(begin, stamp)
        start = _since(0, stamp)
        _madvise(address, size, _DONTNEED)
        out[at, 0] = _since(start, stamp)
        out[at, 3] = _progress(counters, marks)
        out[at, 2] = _since(begin, stamp)


@njit(nogil=True)
def time_mprotect(
    memory: Bytes, pages: int, stamp: Ints, counters: Ints, marks: Ints, out: Ints
) -> None:
    """Times mprotect to read-only of pages that were just written; as :func:`time_madvise`.

    Giving the permission back needs no flush (KF 9.10); only the whole run holds its time.
    """
    address, size = memory.ctypes.data, pages * PAGE
    for at in range(len(out)):
        begin = _since(0, stamp)
        _touch(memory, pages)
        out[at, 1] = _since(begin, stamp)
        start = _since(0, stamp)
        _mprotect(address, size, _READ)
        out[at, 0] = _since(start, stamp)
        _mprotect(address, size, _READ_WRITE)
        out[at, 3] = _progress(counters, marks)
        out[at, 2] = _since(begin, stamp)


@njit(nogil=True)
def time_nothing(wait: int, stamp: Ints, counters: Ints, marks: Ints, out: Ints) -> None:
    """Runs of ``wait`` ns without a flush: the pace of the spinning threads; out as above."""
    for at in range(len(out)):
        begin = _since(0, stamp)
        while _since(begin, stamp) < wait:
            pass
        out[at, 3] = _progress(counters, marks)
        out[at, 2] = _since(begin, stamp)


@njit(nogil=True)
def _chase(chain: Ints, start: int, steps: int) -> int:
    at = start
    for _ in range(steps):
        at = chain[at]
    return at


@njit(nogil=True)
def time_chase(
    chain: Ints, start: int, steps: int, other: Bytes, flushed: int, stamp: Ints, out: Ints
) -> int:
    """Times a walk along dependent loads, one on each page, after a flush elsewhere.

    Args:
        chain: entry i holds the index that is loaded next.
        start: first index.
        steps: loads.
        other: memory whose permission is taken and given back before each run.
        flushed: its pages; above the ceiling the whole ASID is dropped, 0 flushes nothing.
        stamp: int64 [2] for clock_gettime.
        out: ns of each run.
    """
    total, address, size = 0, other.ctypes.data, flushed * PAGE
    for at in range(len(out)):
        total += _chase(chain, start, steps)
        if flushed:
            _touch(other, flushed)
            _mprotect(address, size, _READ)
            _mprotect(address, size, _READ_WRITE)
        begin = _since(0, stamp)
        total += _chase(chain, start, steps)
        out[at] = _since(begin, stamp)
    return total
