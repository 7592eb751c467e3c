"""The folder of a sweep: a manifest, and one Parquet file a chunk, written aside and renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcost.sweep.task import FAILED

__all__ = ["Store", "Totals"]

_MANIFEST = "_sweep.json"


@dataclass(frozen=True)
class Totals:
    """What a finished sweep holds.

    Attributes:
        files: chunks.
        rows: of all of them.
        failed: scenarios that failed; each is one row with its error.
        size: bytes on disk.
    """

    files: int
    rows: int
    failed: int
    size: int


class Store:
    """One sweep's results on disk.

    A chunk is there in full or not at all: its file gets its name only when it is complete.
    """

    def __init__(self, folder: str | Path, manifest: Mapping[str, Any]) -> None:
        """Opens the folder, or makes it.

        Args:
            folder: new, empty, or of the same sweep.
            manifest: what the sweep is; equal manifests continue each other.

        Raises:
            ValueError: the folder holds something else, or another sweep.
            OSError: it cannot be made or written to.
        """
        self.folder = Path(folder)
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _MANIFEST
        if path.exists():
            self._compare(path, text)
        elif any(not self._aside(file) for file in self.folder.iterdir()):
            raise ValueError(f"{self.folder}: is not empty and holds no sweep, give a new folder")
        for file in self.folder.iterdir():
            if self._aside(file):
                file.unlink()
        if not path.exists():
            self._write(path, text.encode())

    def _compare(self, path: Path, text: str) -> None:
        there = path.read_text(encoding="utf-8")
        if there == text:
            return
        try:
            differ = [k for k, v in json.loads(there).items() if json.loads(text).get(k) != v]
        except (ValueError, AttributeError):
            raise ValueError(f"{path}: is no manifest of a sweep, give another folder") from None
        what = ", ".join(differ) or "it has less in it"
        raise ValueError(f"{self.folder}: holds another sweep ({what} differ), give a new folder")

    @staticmethod
    def _aside(file: Path) -> bool:
        return file.name.startswith(".") and file.name.endswith(".tmp")

    def path(self, number: int) -> Path:
        """File of one chunk."""
        return self.folder / f"part-{number:06d}.parquet"

    def missing(self, chunks: int) -> Iterator[int]:
        """Numbers of the chunks that are not there, in order."""
        there = {file.name for file in self.folder.iterdir()}
        return (number for number in range(chunks) if self.path(number).name not in there)

    def put(self, number: int, content: bytes) -> None:
        """Stores one chunk."""
        self._write(self.path(number), content)

    def totals(self, chunks: int) -> Totals:
        """Adds up the chunks.

        Raises:
            ValueError: a file that is no chunk of this sweep.
            OSError: a file is missing.
        """
        import pyarrow as pa  # noqa: PLC0415 - heavy
        import pyarrow.parquet as pq  # noqa: PLC0415

        rows = failed = size = 0
        for number in range(chunks):
            path = self.path(number)
            try:
                footer = pq.read_metadata(path)
                failed += int(footer.metadata[FAILED])
            except (pa.ArrowInvalid, KeyError, TypeError):
                raise ValueError(f"{path}: is no chunk of a sweep; remove it and go on") from None
            rows += footer.num_rows
            size += path.stat().st_size
        return Totals(chunks, rows, failed, size)

    def _write(self, path: Path, content: bytes) -> None:
        aside = self.folder / f".{path.name}.{os.getpid()}.tmp"
        try:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
