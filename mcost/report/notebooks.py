"""Notebook sources executed by one driver: text in, executed notebooks out, always the same."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jupytext
from jupyter_core.utils import ensure_async
from nbformat import v4

from mcost.report.export import write
from mcost.spec.files import notebooks_path
from mcost.spec.lookup import find

__all__ = ["execute", "load", "picture", "rendered_path", "save", "sources"]

Notebook = Any
"""An nbformat v4 notebook."""
Manager = Any
"""jupyter_client's manager of, or client to, one kernel."""

_TIMEOUT = 300
_FORGET = "get_ipython().reset(new_session=False); get_ipython().execution_count = 1"
"""Run after the last cell: empties the namespace, and the next count is 1 again."""
_NO_HISTORY = "--HistoryManager.enabled=False"
_WRITE: Callable[[Notebook], str] = v4.writes
_NEW: dict[str, Callable[..., Notebook]] = {
    "code": v4.new_code_cell,
    "markdown": v4.new_markdown_cell,
    "notebook": v4.new_notebook,
}


def sources() -> dict[str, Path]:
    """Notebook sources by name, in order of their numbers."""
    return {path.stem: path for path in sorted(notebooks_path().glob("[0-9][0-9]_*.py"))}


def rendered_path(name: str) -> Path:
    """Where the executed form of a notebook is kept."""
    return notebooks_path() / "rendered" / f"{name}.ipynb"


def load(path: Path, changes: Mapping[str, object] | None = None) -> Notebook:
    """A source as a notebook: fixed cell ids, kernel ``python3``, parameters changed.

    Args:
        path: py:percent source.
        changes: new values for names that its cell tagged ``parameters`` assigns; names it
            does not assign are ignored.
    """
    text = jupytext.read(path, fmt="py:percent")
    cells = []
    for number, cell in enumerate(text.cells, 1):
        ident = f"cell-{number:02d}"
        tags = cell.metadata.get("tags", [])
        source = cell.source
        if "parameters" in tags:
            source = changed(source, changes or {})
        metadata = {"tags": tags} if tags else {}
        cells.append(_NEW[cell.cell_type](source, id=ident, metadata=metadata))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return _NEW["notebook"](cells=cells, metadata=metadata)


def changed(source: str, changes: Mapping[str, object]) -> str:
    """Assignments ``name = literal``, one a line, with new values; comments stay."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        if name in changes:
            row = node.lineno - 1
            rest = lines[row].encode()[node.value.end_col_offset :].decode()
            lines[row] = f"{name} = {changes[name]!r}{rest}"
    return "\n".join(lines)


def execute(
    names: Sequence[str],
    changes: Mapping[str, object] | None = None,
    done: Callable[[str], None] = lambda _: None,
    parallel: int = 2,
) -> dict[str, Notebook]:
    """Runs notebooks top to bottom, each with nothing defined when it starts.

    Args:
        names: which sources.
        changes: parameters, see :func:`load`.
        done: called with each name when it is finished.
        parallel: how many kernels run at a time.

    Raises:
        ValueError: unknown name, or a cell that fails: notebook, cell and error in one line.
    """
    known = sources()
    books = {name: load(find("notebook", name, known), changes) for name in names}
    try:
        asyncio.run(_all(books, done, parallel))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # the first to fail; it stopped the others
    return books


async def _all(books: dict[str, Notebook], done: Callable[[str], None], parallel: int) -> None:
    waiting = list(books)
    with tempfile.TemporaryDirectory(prefix="mcost-") as folder:
        async with asyncio.TaskGroup() as group:
            for place in range(min(parallel, len(books))):
                group.create_task(_worker(place, waiting, books, done, Path(folder)))


async def _worker(
    place: int,
    waiting: list[str],
    books: dict[str, Notebook],
    done: Callable[[str], None],
    folder: Path,
) -> None:
    """One kernel that runs notebooks until none is waiting, each in an empty namespace.

    A new kernel for each would load the same libraries nine times, which takes longer than
    the notebooks.
    """
    manager = _manager(place, folder)
    await manager.start_kernel(env=_environment(folder), extra_arguments=[_NO_HISTORY])
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=_TIMEOUT)
        while waiting:
            name = waiting.pop(0)
            await _run(name, books[name], manager, client)
            done(name)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        await ensure_async(manager.cleanup_resources())


def _manager(place: int, folder: Path) -> Manager:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415

    # No kernel specification of this user or machine, only this interpreter; sockets are files.
    return AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        transport="ipc",
        ip=str(folder / f"k{place}"),
        connection_file=str(folder / f"k{place}.json"),
    )


async def _run(name: str, book: Notebook, manager: Manager, client: Manager) -> None:
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415

    book.cells.append(_NEW["code"](_FORGET))
    runner = NotebookClient(book, km=manager, timeout=_TIMEOUT, record_timing=False, resources={})
    runner.kc = client
    try:
        await runner.async_execute()
    except CellExecutionError as error:
        told = str(error).strip().splitlines()[-1]
        raise ValueError(f"notebook {name}: a cell failed: {told}") from None
    book.cells.pop()
    for cell in book.cells:
        _clean(cell)


def _environment(folder: Path) -> dict[str, str]:
    """The kernel imports this package, and sees nobody's profile or history."""
    home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore" if not sys.warnoptions else ",".join(sys.warnoptions),
    }


def _clean(cell: Notebook) -> None:
    """Takes out what differs from run to run and means nothing."""
    cell.metadata.pop("execution", None)
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/svg+xml" in data or "text/markdown" in data or "text/latex" in data:
            data.pop("text/plain", None)


def save(name: str, book: Notebook) -> bool:
    """Writes the executed notebook beside its source; False in an installed package.

    The drawing of a cell tagged ``picture`` becomes a file too: README shows it.
    """
    path = rendered_path(name)
    if path.parent.parent.name != "notebooks":
        return False
    text = _WRITE(book)
    write(path, text + "\n")
    for cell in book.cells:
        if "picture" in cell.metadata.get("tags", []):
            write(path.with_suffix(".svg"), picture(cell))
    return True


def picture(cell: Notebook) -> str:
    """The SVG that an executed cell shows.

    Raises:
        ValueError: the cell draws nothing.
    """
    for output in cell.get("outputs", []):
        if svg := output.get("data", {}).get("image/svg+xml"):
            return str(svg) + "\n"
    raise ValueError(f"cell {cell.id}: is tagged picture, but shows none")
