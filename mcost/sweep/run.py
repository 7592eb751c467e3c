"""Runs a sweep to its end, on any executor, and goes on where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mcost.spec.workers import default_workers, process_pool
from mcost.sweep.answers import modules
from mcost.sweep.chunks import BYTES_PER_ROW, Chunks
from mcost.sweep.executors import cluster
from mcost.sweep.grid import Grid
from mcost.sweep.store import Store, Totals
from mcost.sweep.task import Done, run_task

__all__ = ["MAX_ROWS", "Progress", "run_sweep"]

MAX_ROWS = 500_000_000
"""Rows above which a sweep is refused unless asked for."""

Progress = Callable[[int, int], None]
"""Called with (scenarios done so far, all scenarios); first with those already there."""

_RESTARTS = 3


@dataclass
class _Run:
    """One run of one sweep."""

    chunks: Chunks
    store: Store
    progress: Progress | None
    done: int = 0

    def keep(self, done: Done) -> None:
        """Stores what came back."""
        self.store.put(done.number, done.content)
        self.tell(done.cells)

    def tell(self, more: int) -> None:
        """Counts scenarios that are done."""
        self.done += more
        if self.progress:
            self.progress(self.done, self.chunks.grid.cells)


def run_sweep(
    grid: Grid,
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    max_rows: int = MAX_ROWS,
    progress: Progress | None = None,
) -> Totals:
    """Answers every scenario of the grid that the folder does not hold yet.

    Args:
        grid: the sweep.
        folder: new, empty, or of the same sweep.
        workers: processes; None for one a CPU. With ``executor``, chunks at work at once.
        scheduler: address of a Dask scheduler, instead of processes.
        executor: any other executor, instead of both.
        max_rows: refuse sweeps with more rows.
        progress: told after every chunk.

    Returns:
        What the folder holds at the end.

    Raises:
        ValueError: too many rows, a folder of another sweep, nobody at the scheduler's
            address, a worker of another version, workers that die again and again.
        OSError: the folder cannot be written to.
        KeyboardInterrupt: Ctrl-C; chunks that were at work are finished and stored first.
    """
    if grid.rows > max_rows:
        size = grid.rows * BYTES_PER_ROW / 1e9
        raise ValueError(
            f"the grid gives {grid.rows} rows ({grid.cells} scenarios), about {size:.3g} GB, more"
            f" than {max_rows}; ask for fewer, or raise --max-rows"
        )
    if workers is not None and workers < 1:
        raise ValueError(f"workers: {workers} must be at least 1")
    chunks = Chunks(grid)
    run = _Run(chunks, Store(folder, chunks.manifest()), progress)
    missing = set(run.store.missing(chunks.number))
    run.tell(grid.cells - sum(chunks.size(number) for number in missing))
    for attempt in range(_RESTARTS + 1):
        todo = list(run.store.missing(chunks.number))
        if not todo:
            break
        try:
            number = min(workers or default_workers(), len(todo))
            with _executor(executor, scheduler, number, modules(grid.asked)) as (where, at_once):
                _work(run, where, 2 * at_once, iter(todo))
        except BrokenExecutor:
            if executor is not None or attempt == _RESTARTS:
                raise ValueError("workers died again and again: out of memory?") from None
    return run.store.totals(chunks.number)


@contextmanager
def _executor(
    executor: Executor | None, scheduler: str | None, workers: int, preload: list[str]
) -> Iterator[tuple[Executor, int]]:
    """The executor asked for, and how many chunks it works on at once."""
    if executor is not None:
        yield executor, workers
    elif scheduler is not None:
        with cluster(scheduler) as (client, threads):
            yield client, threads
    else:
        with process_pool(workers, preload) as pool:
            yield pool, workers


def _work(run: _Run, executor: Executor, in_flight: int, todo: Iterator[int]) -> None:
    """Keeps ``in_flight`` chunks under way until none is left."""
    flying: set[Future[Done]] = set()

    def launch(number: int) -> None:
        for chunk in islice(todo, number):
            flying.add(executor.submit(run_task, run.chunks.task(chunk)))

    try:
        launch(in_flight)
        while flying:
            ready, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in ready:
                flying.discard(future)
                run.keep(future.result())
                launch(1)
    except KeyboardInterrupt:
        for future in flying:
            future.cancel()
        for future in wait([one for one in flying if not one.cancelled()])[0]:
            run.keep(future.result())
        raise
    except BaseException:
        for future in flying:
            future.cancel()
        raise
