"""What a process costs: the start of a command, and the memory of a simulation."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peak import STEPS
from results import Result
from workload import region_trace

from mcost.traces.schema import COLUMNS

MB = 1_000_000


def test_cold_start(measure: Callable[..., Any]) -> None:
    """``mcost compare`` from the shell and back."""
    question = ["--cpus", "128", "--sharers", "1500", "--pages", "512", "--share", "0.6"]
    command = [sys.executable, "-m", "mcost.cli", "compare", *question]

    def compare() -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    said = measure("mcost compare, process", "s", None, compare, rounds=9, aim="<= 1.0")
    assert "per-mm" in said


def test_memory(benchmark: Any, keep: Callable[[Result], None], tmp_path: Path) -> None:
    """Peaks of a process that loads 10 M events, checks, prepares and simulates them."""
    trace = region_trace(1024, 64)
    for column in COLUMNS:
        np.save(tmp_path / f"{column}.npy", getattr(trace, column))
    del trace
    command = [sys.executable, Path(__file__).with_name("peak.py"), tmp_path, "per-mm"]

    def run() -> dict[str, int]:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))

    seen = [benchmark.pedantic(run, rounds=1), run(), run()]
    assert seen[0]["ipis"] > 0
    for step in STEPS[1:]:
        low, middle, high = sorted((one[step] - one["trace"]) / MB for one in seen)
        label = f"peak memory less the trace, N = 1024: {step}"
        keep(Result(label, "MB", low, middle, high, aim="<= 200"))
