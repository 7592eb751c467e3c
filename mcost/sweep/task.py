"""One chunk of a sweep: from scenarios to the bytes of its Parquet file, anywhere."""

from __future__ import annotations

import io
import json
import platform
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mcost
from mcost.sweep.asked import Asked
from mcost.sweep.axes import Value

__all__ = ["FAILED", "Done", "Task", "VersionError", "canonical", "run_task", "this_version"]


FAILED = b"mcost_failed"
"""Key of a file's metadata: how many of its scenarios failed."""


class VersionError(ValueError):
    """A worker runs another version than the one that started the sweep."""


@dataclass(frozen=True)
class Task:
    """One chunk.

    Attributes:
        number: of the chunk.
        first: number of its first scenario.
        fields: parameters of its scenarios.
        asked: what is asked of each.
        version: of the program that made the task.
        provenance: goes into the file's metadata.
    """

    number: int
    first: int
    fields: tuple[dict[str, Value], ...]
    asked: Asked
    version: str
    provenance: str


@dataclass(frozen=True)
class Done:
    """What comes back: the chunk's number, its file, and how many scenarios it answers."""

    number: int
    content: bytes
    cells: int


@lru_cache(maxsize=1)
def this_version() -> str:
    """Program, Python, and a digest of all sources that answers depend on."""
    folder = Path(mcost.__file__).parent
    digest = sha256()
    for part in ("spec", "algebra", "traces", "simulator", "sweep"):
        for file in sorted((folder / part).rglob("*.py")):
            digest.update(file.read_bytes())
    libraries = " ".join(f"{name} {version(name)}" for name in ("numpy", "sympy", "pyarrow"))
    return f"sources {digest.hexdigest()[:16]} Python {platform.python_version()} {libraries}"


def run_task(task: Task) -> Done:
    """Answers the chunk; the same bytes wherever and whenever it runs.

    Raises:
        VersionError: this process runs another version than the task's.
    """
    if task.version != this_version():
        raise VersionError(
            f"version mismatch: a worker runs {this_version()}, the sweep {task.version}"
        )
    from mcost.sweep.answers import answer  # noqa: PLC0415 - heavy, for workers only

    rows = answer(task.first, task.fields, task.asked)
    table = rows.table(task.fields)
    return Done(task.number, _parquet(table, task, rows.failed), len(task.fields))


def _parquet(table: Any, task: Task, failed: int) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415

    metadata = {b"mcost": task.provenance.encode(), FAILED: str(failed).encode()}
    words = [name for name in table.column_names if not name.endswith(("_count", "_ns"))]
    sink = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(metadata),
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=words,
        write_statistics=words,
    )
    return sink.getvalue()


def canonical(document: dict[str, Any]) -> str:
    """The document as JSON, equal for equal documents."""
    return json.dumps(document, sort_keys=True)
