"""A sweep on a real Dask scheduler with two worker processes, one of which is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

GRID = """
by = "simulation"
designs = ["per-mm", "merged"]
counts = ["ipis", "rounds"]
[scenario]
cpus = { from = 4, to = 32, points = 8 }
sharers = { from = 1, to = 20 }
share = 0.5
pages = 4
[simulation]
trials = 1500
"""
QUIET = {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning", "DASK_DATAFRAME__CONVERT_STRING": "0"}


def launch(module: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Address of a scheduler on loopback, and its two workers."""
    running = [launch("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        address = announced(running[0])
        for number in (1, 2):
            options = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
            place = ["--local-directory", str(tmp_path / f"worker-{number}")]
            running.append(launch("dask_worker", address, *options, *place))
        yield address, running[1:]
    finally:
        for one in running:
            one.kill()
            one.communicate()


def announced(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"Scheduler at:\s*(tcp://127\.0\.0\.1:\d+)", line)
        if found:
            return found[1]
    raise AssertionError("the scheduler did not start")


def sweep(grid: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mcost.cli", "sweep", str(grid), "-o", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_worker_is_killed_midway(
    tmp_path: Path, scheduler: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    address, workers = scheduler
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID)
    far, near = tmp_path / "far", tmp_path / "near"
    process = sweep(grid, far, "--scheduler", address)
    while len(list(far.glob("part-*.parquet"))) < 4 and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    workers[0].send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    alone = sweep(grid, near, "--workers", "1")
    alone.communicate(timeout=90)
    assert bytes_of(far) == bytes_of(near)
    assert len(bytes_of(far)) >= 10


def test_nobody_answers(tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID)
    started = time.monotonic()
    process = sweep(grid, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert time.monotonic() - started < 15 + 5  # the process itself starts slowly under load
    assert said.startswith("mcost: scheduler tcp://127.0.0.1:9: cannot connect")
    assert said.count("\n") == 1
