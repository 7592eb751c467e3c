"""The whole report: validation, notebooks, pages, figures and tables in one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from mcost.checks.agreement import Cell, summary
from mcost.report.export import as_csv, export_figure, write
from mcost.report.figures import FIGURES, figure
from mcost.report.html import index_page, page, title_of
from mcost.report.notebooks import execute, save, sources
from mcost.report.provenance import line
from mcost.report.setting import Setting, parsed
from mcost.report.validation import cases, validate
from mcost.spec.lookup import find
from mcost.spec.text import text_table

__all__ = ["build", "steps"]

Progress = Callable[[str], None]

_VALIDATION = {
    "Do algebra and simulator agree on the bundled cases": [
        "tables/validation.txt",
        "tables/validation.csv",
    ]
}


def steps(only: Sequence[str]) -> int:
    """How many times :func:`build` will report progress."""
    return len(_chosen(only)) + (0 if only else len(FIGURES) + len(cases()))


def _chosen(only: Sequence[str]) -> list[str]:
    """Names of notebooks; ``1``, ``01`` and ``01_problem`` all name the first."""
    known = sources()
    short = {name[:2].lstrip("0"): name for name in known} | {name[:2]: name for name in known}
    for name in only:
        find("notebook", short.get(name, name), known)
    return list(dict.fromkeys(short.get(name, name) for name in only)) or list(known)


def build(folder: Path, only: Sequence[str], changes: list[str], done: Progress) -> bool:
    """Makes the report.

    Args:
        folder: where; made if missing. Files of the same names are replaced.
        only: notebooks to render, without validation and figure files; empty for everything.
        changes: ``NAME=VALUE`` parameters.
        done: called with the name of each finished step.

    Returns:
        Whether every cell of the validation holds.

    Raises:
        ValueError: unknown notebook or parameter, impossible setting, or a failed cell.
    """
    chosen, values = _chosen(only), parsed(changes)
    setting = Setting(**values)
    holds = True
    if not only:
        holds = _validation(folder, setting, done)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        drawn = [] if only else _draw(pool, folder, setting, done)
        books = execute(chosen, values, done)
        extra = dict(_VALIDATION)
        extra |= {one.title: job.result() for one, job in zip(FIGURES, drawn, strict=False)}
    provenance = line(setting.words())
    for name, book in books.items():
        write(folder / f"{name}.html", page(title_of(book), book, provenance))
        if not changes:
            save(name, book)
    if not only:
        write(folder / "index.html", index_page(books, extra, provenance))
    return holds


def _validation(folder: Path, setting: Setting, done: Progress) -> bool:
    cells: list[Cell] = []
    for part in validate(setting.seed):
        cells += part
        done("validation")
    provenance = line(f"algebra against simulator, seed {setting.seed}")
    frame = pd.DataFrame([asdict(cell) for cell in cells])
    write(folder / "tables" / "validation.csv", as_csv(frame, provenance))
    held = sum(cell.holds for cell in cells)
    text = f"{text_table(summary(cells))}\n\n{held} of {len(cells)} cells hold\n{provenance}\n"
    write(folder / "tables" / "validation.txt", text)
    return held == len(cells)


def _draw(
    pool: ProcessPoolExecutor, folder: Path, setting: Setting, done: Progress
) -> list[Future[list[str]]]:
    """Starts the figures, beside the notebooks: a process of their own, since they are work."""
    jobs = []
    for one in FIGURES:
        job = pool.submit(figure_files, one.name, setting, folder)
        job.add_done_callback(lambda _, name=one.name: done(f"figure {name}"))  # type: ignore[misc]
        jobs.append(job)
    return jobs


def figure_files(name: str, setting: Setting, folder: Path) -> list[str]:
    """Files of one figure, relative to the report's folder."""
    made = export_figure(figure(name), setting, folder / "figures")
    return [f"figures/{file}" for file in made]
