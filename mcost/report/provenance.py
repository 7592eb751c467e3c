"""Where numbers come from, in one line: version, commit, setting, traces."""

from __future__ import annotations

import hashlib
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe", "digest", "line"]

_ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=1)
def describe() -> str:
    """Package version and, in a checkout, what ``git describe`` says of it.

    Local changes show as ``-dirty``; files made by this package under ``notebooks/rendered``
    do not count as changes, or the second of two runs would differ from the first.
    """
    try:
        number = version("mcost")
    except PackageNotFoundError:
        number = "source"
    if not (_ROOT / ".git").exists():
        return f"mcost {number}"
    commit = _git("describe", "--always", "--abbrev=12", "--tags")
    changed = _git("status", "--porcelain", "-uno", "--", ".", ":!notebooks/rendered")
    return f"mcost {number} {commit}{'-dirty' if changed else ''}".rstrip()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def digest(path: Path) -> str:
    """First 12 hexadecimal digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def line(what: str) -> str:
    """The provenance line of one export: who made it, and out of what."""
    return f"{describe()}; {what}"
