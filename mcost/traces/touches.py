"""Who touches what: the mm that a touch uses is the one its CPU loaded last.

Apart from ``checks.py``, which most commands need, since Numba takes a while to load.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from mcost.traces.schema import ATTACH, DETACH, IDLE, SWITCH, TOUCH, Trace

__all__ = ["first_stray"]

Ints = npt.NDArray[np.int64]

_BLOCK = 1 << 16
"""Rows read at a time."""


def first_stray(trace: Trace) -> int | None:
    """First row where an mm that is not attached touches the region; None for none.

    A CPU that has switched to nothing, or to a kernel thread (``idle``), touches nothing.

    Args:
        trace: CPUs are >= 0, codes are codes.
    """
    blocks = (slice(at, at + _BLOCK) for at in range(0, len(trace), _BLOCK))
    names = np.unique(np.concatenate([_names(trace, block) for block in blocks]))
    codes = np.array([TOUCH, SWITCH, IDLE, ATTACH, DETACH])
    loaded = np.full(trace.cpus, -1, np.int64)
    attached = np.zeros(len(names), np.bool_)
    columns = (trace.event, trace.cpu, trace.mm, trace.page)
    at = _first_stray(*columns, names, codes, loaded, attached)
    return None if at < 0 else int(at)


def _names(trace: Trace, block: slice) -> Ints:
    """The mms that some rows name."""
    mm = trace.mm[block]
    return np.unique(mm[np.isin(trace.event[block], (SWITCH, ATTACH, DETACH)) & (mm >= 0)])


@njit(cache=True, nogil=True)
def _first_stray(
    event: npt.NDArray[np.uint8],
    cpu: npt.NDArray[np.int32],
    mm: Ints,
    page: Ints,
    names: Ints,
    codes: Ints,
    loaded: Ints,
    attached: npt.NDArray[np.bool_],
) -> int:
    """The row or -1; ``loaded`` and ``attached`` go by place in ``names``, -1 for no mm."""
    touch, switch, idle, attach, detach = codes
    for at in range(len(event)):
        code = event[at]
        if code == touch:
            mine = loaded[cpu[at]]
            if page[at] >= 0 and mine >= 0 and not attached[mine]:
                return at
        elif code == switch:
            loaded[cpu[at]] = np.searchsorted(names, mm[at]) if mm[at] >= 0 else -1
        elif code == idle:
            loaded[cpu[at]] = -1
        elif code in (attach, detach):
            attached[np.searchsorted(names, mm[at])] = code == attach
    return -1
