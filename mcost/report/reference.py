"""The API reference: one offline page a module, made from docstrings by pdoc."""

from __future__ import annotations

import warnings
from pathlib import Path
from pkgutil import walk_packages

import mcost

__all__ = ["modules", "write_reference"]


def modules() -> list[str]:
    """Every module of the package, sorted."""
    found = walk_packages(mcost.__path__, prefix="mcost.")
    return sorted(module.name for module in found if not module.name.endswith("__main__"))


def write_reference(folder: Path) -> Path:
    """Writes the pages below ``folder``.

    Returns:
        The index page.

    Raises:
        ValueError: pdoc is not installed (extra ``docs``).
    """
    try:
        import pdoc  # noqa: PLC0415 - an extra, only this verb needs it
        import pdoc.render  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ValueError("pdoc is missing: pip install -e '.[docs]'") from None
    pdoc.render.configure(docformat="google", math=False, mermaid=False, show_source=False)
    with warnings.catch_warnings():
        # a package without __all__ already brings its modules, and pdoc says so each time
        warnings.simplefilter("ignore", UserWarning)
        pdoc.pdoc(*modules(), output_directory=folder)
    return folder / "index.html"
