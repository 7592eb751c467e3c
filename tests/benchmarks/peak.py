"""A process of its own: the peak memory of each step from a stored trace to its counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from mcost.simulator import prepare, simulate
from mcost.spec.designs import design
from mcost.spec.kernels import kernel
from mcost.traces.checks import check_trace
from mcost.traces.schema import COLUMNS, Trace

__all__ = ["STEPS", "main"]

STEPS = ("imports", "load", "check", "prepare", "simulate")


def _peak() -> int:
    """Bytes resident at most since the last call.

    From /proc, since ``ru_maxrss`` of a new process starts with that of its parent.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(kilobytes) * 1024


def main(folder: Path, name: str) -> None:
    """Prints the peak of each step and the size of the trace, bytes."""
    peaks = [_peak()]
    trace = Trace(**{column: np.load(folder / f"{column}.npy") for column in COLUMNS})
    peaks.append(_peak())
    check_trace(trace)
    peaks.append(_peak())
    ready = prepare(trace)
    size = sum(getattr(trace, column).nbytes for column in COLUMNS)
    del trace  # what the loop reads is in the prepared one
    peaks.append(_peak())
    counts = simulate(ready, design(name), kernel("6.12"))
    peaks.append(_peak())
    print(json.dumps({"trace": size, "ipis": counts.ipis, **dict(zip(STEPS, peaks, strict=True))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
