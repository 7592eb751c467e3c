"""The loop of ``machine.c``, compiled here and now for this machine."""

from __future__ import annotations

import ctypes
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from workload import SETS, WAYS

from mcost.simulator import Prepared
from mcost.spec.counts import Counts
from mcost.spec.vocabulary import COUNT_NAMES

__all__ = ["DESIGNS", "c_simulate", "library"]

DESIGNS = ("per-mm", "merged")
"""What the C loop knows; the place is its code."""

_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """Compiles the loop and loads it."""
    source = Path(__file__).with_name("machine.c")
    with TemporaryDirectory(prefix="mcost-bench-") as folder:
        target = Path(folder) / "machine.so"
        subprocess.run(["gcc", *_FLAGS, "-o", target, source], check=True)
        return ctypes.CDLL(str(target))


def _pointer(column: npt.NDArray[np.integer]) -> ctypes.c_void_p:
    return ctypes.c_void_p(column.ctypes.data)


def c_simulate(trace: Prepared, design: str, cpus: int) -> Counts[int]:
    """What ``mcost.simulator.simulate`` counts on a kernel with eager masks."""
    events, out = trace.events, np.zeros(len(COUNT_NAMES), np.int64)
    columns = [events.cpu, events.event, events.what]
    place = np.ascontiguousarray(trace.number % SETS)
    numbers = [cpus, trace.mms, SETS, WAYS, DESIGNS.index(design)]
    failed = library().run(
        *map(_pointer, columns),
        ctypes.c_int64(len(events.cpu)),
        _pointer(events.changes),
        _pointer(place),
        ctypes.c_int64(len(place)),
        *map(ctypes.c_int, numbers),
        _pointer(out),
    )
    assert failed == 0, "the C loop met an event it does not know"
    return Counts(*out.tolist())
