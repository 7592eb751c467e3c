"""Sweeps that are stopped: by kill -9, by Ctrl-C, by a worker that dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

GRID = """
title = "two hundred cells by simulation"
by = "simulation"
designs = ["per-mm", "merged", "deferred"]
counts = ["ipis", "rounds", "stale_hits"]
[scenario]
cpus = { from = 4, to = 40, points = 10 }
sharers = { from = 1, to = 20 }
share = 0.5
pages = 4
operation = "reclaim"
[simulation]
trials = 1500
"""
CELLS = 200


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.toml"
    path.write_text(GRID)
    return path


def start(grid: Path, folder: Path, workers: int) -> subprocess.Popen[str]:
    options = ["-o", str(folder), "--workers", str(workers), "--csv"]
    return subprocess.Popen(
        [sys.executable, "-m", "mcost.cli", "sweep", str(grid), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def chunks(folder: Path) -> int:
    return len(list(folder.glob("part-*.parquet")))


def wait_for(folder: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Returns once the folder holds so many chunks."""
    while chunks(folder) < number and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def end(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out + err


def test_killed_five_times_gives_the_same_bytes(grid: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    end(start(grid, whole, 1))
    files = chunks(whole)
    assert files >= 20
    moments = random.Random(7)
    for stop in range(1, 6):
        process = start(grid, killed, 2)
        # at any moment between two chunks, or inside the writing of one
        wait_for(killed, min(chunks(killed) + 1 + moments.randrange(3), files - 6 + stop), process)
        time.sleep(moments.random() * 0.2)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert 0 < chunks(killed) < files, "killed too late to mean anything"
        for path in killed.glob("part-*.parquet"):
            assert path.read_bytes() == (whole / path.name).read_bytes()
    end(start(grid, killed, 2))
    assert bytes_of(killed) == bytes_of(whole)
    frame = pd.read_parquet(killed)
    assert frame.scenario.nunique() == CELLS
    assert len(frame) == CELLS * 3 * 3


def test_ctrl_c_stores_what_is_at_work(grid: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = start(grid, folder, 2)
    wait_for(folder, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    said = end(process, 130)
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert not list(folder.glob(".*"))
    left = chunks(folder)
    time.sleep(1.5)
    assert chunks(folder) == left >= 2


def test_workers_do_not_outlive_the_sweep(grid: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = start(grid, folder, 2)
    wait_for(folder, 1, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 20
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not members(process.pid)


def test_a_worker_that_dies_costs_nothing(grid: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = start(grid, folder, 2)
    wait_for(folder, 2, process)
    worker = max(members(process.pid) - {process.pid}, key=cpu_time)
    os.kill(worker, signal.SIGKILL)
    end(process)
    assert pd.read_parquet(folder).scenario.nunique() == CELLS


def stat(process: int) -> list[str]:
    """Fields of /proc/PID/stat behind the name, from the state on."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z"] + ["0"] * 20


def members(session: int) -> set[int]:
    """Live processes of a session."""
    found = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return {one for one in found if stat(one)[3] == str(session) and stat(one)[0] != "Z"}


def cpu_time(process: int) -> int:
    return int(stat(process)[11])
