"""Where bundled files are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["data_path", "notebooks_path"]

_PACKAGE = Path(__file__).resolve().parent.parent


def _bundled(folder: str) -> Path:
    inside = _PACKAGE / f"_{folder}"
    return inside if inside.is_dir() else _PACKAGE.parent / folder


def data_path(*parts: str) -> Path:
    """A file or folder of ``data/``; no parts gives the folder itself."""
    return _bundled("data").joinpath(*parts)


def notebooks_path() -> Path:
    """The folder of notebook sources."""
    return _bundled("notebooks")
