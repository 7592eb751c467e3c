"""Lines of a text file, plain or gzip, a block at a time: bounded memory whatever its size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tqdm import tqdm

from mcost.traces.schema import TraceError

__all__ = ["blocks"]

_BLOCK = 1 << 20
_LONGEST = 1 << 16
_GZIP = b"\x1f\x8b"
_BINARY = {
    b"\x17\x08\x44tracing": "a trace.dat file; run `trace-cmd report FILE > TEXT`, import that",
    b"PERFILE2": "a perf.data file; run `perf script -i FILE > TEXT` and import that",
    b"PAR1": "a Parquet file, not a recorded text",
}


def blocks(path: Path, progress: bool = False) -> Iterator[tuple[list[bytes], bool]]:
    """Yields (lines without their newline, whether the last of them is complete).

    Args:
        path: the text file, gzip or not (told by its first bytes, not by its name).
        progress: draw a progress bar on standard error, over the bytes on disk.

    Raises:
        TraceError: binary, or compressed data that is damaged or ends early.
        OSError: the file cannot be opened.
    """
    size = path.stat().st_size
    with path.open("rb") as raw:
        start = raw.read(16)
        raw.seek(0)
        _refuse_binary(path, start)
        text = gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw
        # A gzip text is counted by its compressed bytes: the other size is not known.
        with tqdm(total=size, unit="B", unit_scale=True, disable=not progress, leave=False) as bar:
            for lines, whole in _split(path, text):
                yield lines, whole
                bar.update(raw.tell() - bar.n)


def _split(path: Path, text: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[list[bytes], bool]]:
    rest, number = b"", 0
    while chunk := _read(path, text, number):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if b"\0" in chunk or len(rest) > _LONGEST:
            raise TraceError(
                f"{path}: line {_bad_line(lines, number)}: not text; it must be the"
                " output of ftrace, trace-cmd report or perf script"
            )
        if lines:
            number += len(lines)
            yield lines, True
    if rest:
        yield [rest], False


def _read(path: Path, text: IO[bytes] | gzip.GzipFile, number: int) -> bytes:
    try:
        return text.read(_BLOCK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(
            f"{path}: line {number + 1}: the compressed data are damaged or cut off ({error})"
        ) from None


def _refuse_binary(path: Path, start: bytes) -> None:
    for magic, what in _BINARY.items():
        if start.startswith(magic):
            raise TraceError(f"{path}: {what}")


def _bad_line(lines: list[bytes], number: int) -> int:
    """Number of the first line with a NUL byte, else of the endless one."""
    for at, line in enumerate(lines):
        if b"\0" in line:
            return number + at + 1
    return number + len(lines) + 1
