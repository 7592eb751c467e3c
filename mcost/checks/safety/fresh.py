"""Keeps compiled code in step with its sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["forget_outdated"]

HERE = Path(__file__).parent


def forget_outdated(function: Callable[..., object], sources: Path = HERE) -> int:
    """Removes cached machine code that is older than any source file of this package.

    Numba looks at the file that a function is in, and would keep what it has made of callees
    in other files that have changed since.

    Args:
        function: a compiled function with a cache; with the JIT off there is nothing to do.
        sources: folder of the source files.

    Returns:
        Number of index files removed.
    """
    stats = getattr(function, "stats", None)
    if stats is None or stats.cache_path is None:
        return 0
    newest = max(path.stat().st_mtime for path in sources.glob("*.py"))
    old = [p for p in Path(stats.cache_path).glob("*.nbi") if p.stat().st_mtime < newest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
