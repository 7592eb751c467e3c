"""Fits of the published series that published-numbers.md 1.1 names for calibration.

Rows that page keeps for checks (1.2) are never read here. S01-after stands on both of its
lists; it is treated as a check, so nothing here depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import prod, sqrt

from mcost.calibrate.fits import Fit, Parameter, linear_fit
from mcost.spec.operations import CEILING
from mcost.spec.published import Row, published

__all__ = ["HELD_OUT", "USED", "fits", "flush_size_mix", "parameters"]

USED = ("S01-before", "S02-ro-before", "S02-rw-before", "S03", "S05", "S06", "S07-invpcid",
        "S07-pge", "S10-hw")  # fmt: skip
"""Series that calibrate prices; ``S05`` includes ``S05b``."""

HELD_OUT = ("S01-after", "S02-rw-after", "S09", "S11", "S13", "S14-mig", "S16-4way", "S16-amd",
            "S18", "S23")  # fmt: skip
"""Series kept for ``mcost validate --against published``."""


def _rows(*ids: str) -> list[Row]:
    return [published()[name] for name in ids]


def _series(prefix: str, last: int) -> list[Row]:
    return _rows(*(f"{prefix}-{k:02d}" for k in range(1, last + 1)))


def _ones(rows: Iterable[Row]) -> list[float]:
    return [1.0 for _ in rows]


def _pages(rows: Iterable[Row]) -> list[float]:
    return [float(row.pages or 0) for row in rows]


@lru_cache(maxsize=1)
def fits() -> Mapping[str, Fit]:
    """Every fit by name, made from the bundled rows."""
    arm = _series("S10-hw", 15)
    made = [
        linear_fit("arm", "sync + pages x page", arm, {"sync": _ones(arm), "page": _pages(arm)})
    ]
    # A loop benchmark repeats as well as S10's does; the other loops have no spare rows.
    loop = made[0].worst
    local = _series("S05", CEILING)
    made.append(
        linear_fit(
            "local", "fixed + pages x page", local, {"fixed": _ones(local), "page": _pages(local)}
        )
    )
    made += [_madvise(loop), _mprotect(loop), _pti(loop)]
    for maker in ("amd", "intel"):
        made += [_invlpg(maker, heat, loop) for heat in ("h", "c")]
    return {fit.name: fit for fit in made}


def _madvise(loop: float) -> Fit:
    rows = _series("S01-before", 3)
    remote = [(row.cpus or 1) - 1 for row in rows]
    return linear_fit(
        "madvise",
        "loop + [r > 0] x step + (r - 1) x next, r remote CPUs",
        rows,
        {
            "loop": _ones(rows),
            "step": [float(r > 0) for r in remote],
            "next": [float(max(r - 1, 0)) for r in remote],
        },
        loop,
    )


def _mprotect(loop: float) -> Fit:
    rows = [*_series("S02-ro-before", 2), *_series("S02-rw-before", 2)]
    return linear_fit(
        "mprotect",
        "call + [r > 0] x step, r remote CPUs",
        rows,
        {"call": _ones(rows), "step": [float((row.cpus or 1) - 1) for row in rows]},
        loop,
    )


def _pti(loop: float) -> Fit:
    rows = [*_series("S03-base", 2), *_series("S03-defer", 2)]
    both = [pages * ("base" in row.id) for row, pages in zip(rows, _pages(rows), strict=True)]
    return linear_fit(
        "pti",
        "call + pages x (page + user half), user half unless deferred",
        rows,
        {"call": _ones(rows), "page": _pages(rows), "user": both},
        loop,
    )


def _invlpg(maker: str, heat: str, loop: float) -> Fit:
    rows = _rows(*(f"S06-{maker}-{k:02d}{heat}" for k in (3, 4, 5, 6)))
    return linear_fit(
        f"invlpg-{maker}-{'hot' if heat == 'h' else 'cold'}",
        "fixed + pages x page",
        rows,
        {"fixed": _ones(rows), "page": _pages(rows)},
        loop,
    )


def _hull(name: str, unit: str, value: float, among: Iterable[float], ids: Iterable[str],
          note: str = "") -> Parameter:  # fmt: skip
    every = [value, *among]
    source = tuple(dict.fromkeys(ids))
    return Parameter(name, unit, value, max(min(every), 0.0), max(every), source, note)


def _middle(values: list[float]) -> float:
    return prod(values) ** (1 / len(values))


@lru_cache(maxsize=1)
def parameters() -> Mapping[str, Parameter]:
    """Every number that a price list may take its value from, by name."""
    made = [*_remote(), *_local(), *_instructions(), _refill(), *_broadcast()]
    return {item.name: item for item in made}


def _remote() -> list[Parameter]:
    """First and further remote CPUs, and the clock that joins S01's ns and S02's cycles."""
    madvise, mprotect, page = fits()["madvise"], fits()["mprotect"], fits()["local"].values[1]
    step, cycles = madvise.interval({"step": 1}), mprotect.interval({"step": 1})
    ids = (*madvise.ids, *mprotect.ids)
    clock = Parameter(
        "haswell.clock", "GHz", cycles[0] / step[0], cycles[1] / step[2], cycles[2] / step[1],
        ids, "the same step in cycles (S02) and in ns (S01)",
    )  # fmt: skip
    # The step holds the responder's flush of one page; S05 says what that is.
    inside = page / clock.value
    value, low, high = (limit - inside for limit in step)
    first = Parameter(
        "remote.first", "ns", value, low, high,
        (*madvise.ids, *fits()["local"].ids), "S01 step less one INVLPG of S05",
    )  # fmt: skip
    near = madvise.parameter("next", "ns")
    far = Parameter(
        "remote.next_far", "ns", near.value * sqrt(_FAR), near.value, near.value * _FAR,
        near.source, f"nobody published it: 1 to {_FAR} times the slope inside a socket",
    )  # fmt: skip
    call = mprotect.parameter("call", "cycles")
    return [clock, first, near, far, madvise.parameter("loop", "ns"), call]


_FAR = 10
"""published-numbers.md section 10.2: the slope to another socket is 1 to 10 times as steep."""


def _local() -> list[Parameter]:
    """What one local flush costs, with and without PTI, in cycles."""
    local, hot, pti = fits()["local"], fits()["invlpg-intel-hot"], fits()["pti"]
    bias = published()["S05b-09"].value
    fixed, fixed_low, fixed_high = local.interval({"fixed": 1})
    page, page_low, page_high = local.interval({"page": 1})
    seen = [hot.values[1], *(row.value for row in _rows("S06-thread-02", "S06-thread-08"))]
    ids = (*local.ids, *hot.ids, "S06-thread-02", "S06-thread-08")
    crs = _rows("S06-thread-01", "S06-intel-01h", "S06-intel-01c", "S06-thread-04", "S06-thread-05")
    values = sorted(row.value for row in crs)
    whole = published()["S05-full"].value - fixed
    kernel = pti.interval({"page": 1})
    return [
        Parameter(
            "local.fixed", "cycles", fixed - bias / 2, fixed_low - bias, fixed_high,
            (*local.ids, "S05b-09"), "between none and all of the tracing bias taken off",
        ),
        _hull("local.page", "cycles", page, [page_low, page_high, *seen], ids),
        _hull(
            "local.full", "cycles", values[len(values) // 2], [*values, whole],
            (*(row.id for row in crs), "S05-full"),
            "CR3 writes of S06; up to S05's traced full flush less its fixed part",
        ),
        _hull(
            "pti.page", "cycles", kernel[0], [kernel[2], hot.values[1]], (*pti.ids, *hot.ids),
            "holds the zap of the page; S06's bare INVLPG is the lower end",
        ),
        pti.parameter("user", "cycles"),
    ]  # fmt: skip


def _instructions() -> list[Parameter]:
    """Single instructions of S06 and S07."""
    made = []
    amd, cold = fits()["invlpg-amd-hot"], fits()["invlpg-amd-cold"]
    page = amd.interval({"page": 1})
    made.append(
        _hull("amd.page", "cycles", page[0], [page[1], cold.values[1]], (*amd.ids, *cold.ids))
    )
    groups = {
        "amd.full": ("S06-amd-01h", "S06-amd-01c"),
        "amd.global": ("S06-amd-02h", "S06-amd-02c"),
        "intel.global": ("S06-intel-02h", "S06-intel-02c", "S06-thread-06", "S06-thread-07"),
    }
    for name, ids in groups.items():
        values = [row.value for row in _rows(*ids)]
        made.append(_hull(name, "cycles", _middle(values), values, ids, "hot to cold cache"))
    values = [row.value for row in _rows("S07-invpcid", "S07-pge")]
    made.append(
        _hull("skylake.global", "ns", values[0], values, ("S07-invpcid", "S07-pge"), "hot loops")
    )
    return made


def _refill() -> Parameter:
    """One page walk: S05b's counters warm, S06's flush and cold accesses at the upper end."""
    rows = {k: published()[f"S05b-{k}"].value for k in (11, 12, 15, 16)}
    cold = [published()[f"S06-{maker}-10c"] for maker in ("amd", "intel")]
    each = [row.value / (row.pages or 1) for row in cold]
    ids = [*(f"S05b-{k}" for k in rows), *(row.id for row in cold)]
    warm, instruction = rows[11] / rows[12], rows[15] / rows[16]
    return _hull("refill", "cycles", warm, [instruction, *each], ids, "data walks, warm to cold")


def _broadcast() -> list[Parameter]:
    arm = fits()["arm"]
    return [arm.parameter("sync", "ns"), arm.parameter("page", "ns")]


def flush_size_mix() -> Mapping[int, float]:
    """Share of each flush size in a kernel build (S05-share), by pages; 0 stands for full.

    The shares of the sizes that the table lists add up to a little less than 1.
    """
    shares = {
        row.pages or 0: row.value / 100
        for name, row in published().items()
        if name.startswith("S05-share")
    }
    return dict(sorted(shares.items()))
