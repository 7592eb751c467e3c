"""From measured times to a price list of this machine."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from mcost.calibrate.machine import Point, Run, sockets_of, usable_cpus
from mcost.calibrate.refresh import refreshed
from mcost.spec.hardware import Constant, Hardware, hardware
from mcost.spec.operations import CEILING

__all__ = ["Description", "Local", "Remote", "describe", "fit_local", "fit_remote", "profile"]

Floats = npt.NDArray[np.float64]
F = TypeVar("F")
_RESAMPLES = 200
_SCATTER = 0.02  # relative error from which the robust loss stops trusting a point
_SOURCE = "mcost calibrate"


@dataclass(frozen=True)
class Description:
    """What machine was measured.

    Attributes:
        cpu: model name.
        cpus: CPUs used.
        sockets: packages they sit in.
        kernel: release.
        guest: whether a hypervisor is below.
        pti: whether kernel page-table isolation is on.
        ghz: clock as the kernel reports it.
        vendor: ``vendor_id`` of /proc/cpuinfo.
    """

    cpu: str
    cpus: int
    sockets: int
    kernel: str
    guest: bool
    pti: bool
    ghz: float
    vendor: str


def describe() -> Description:
    """This machine.

    Raises:
        ValueError: not Linux on x86, or one CPU only.
    """
    cpus = usable_cpus()
    if platform.machine() not in ("x86_64", "AMD64", "i686"):
        raise ValueError(
            f"calibrate: flushes of {platform.machine()} send no interrupts, only x86 can be"
            " measured; use --published"
        )
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    meltdown = Path("/sys/devices/system/cpu/vulnerabilities/meltdown")
    return Description(
        _first(info, "model name") or "unknown CPU",
        len(cpus),
        len(set(sockets_of(cpus).values())),
        _first_number(platform.release()),
        "hypervisor" in _first(info, "flags").split(),
        meltdown.exists() and "PTI" in meltdown.read_text(encoding="ascii"),
        float(_first(info, "cpu MHz") or 1000.0) / 1000,
        _first(info, "vendor_id"),
    )


def _first_number(release: str) -> str:
    found = re.match(r"[\d.]+", release)
    return found[0].rstrip(".") if found else release


def _first(info: str, key: str) -> str:
    found = re.search(rf"^{key}\s*:\s*(.*)$", info, re.MULTILINE)
    return found[1].strip() if found else ""


@dataclass(frozen=True)
class Local:
    """Prices of mprotect of P pages without remote CPUs, ns.

    ``call + page P``, plus ``invlpg P`` up to the ceiling, ``full`` above it.
    """

    call: float
    page: float
    invlpg: float
    full: float


@dataclass(frozen=True)
class Remote:
    """What remote CPUs add, ns: the first one, one on another socket, each further one."""

    step: float
    far: float
    next: float
    next_far: float


def fit_local(times: Mapping[Point, float]) -> Local:
    """Robust fit of the mprotect points without remote CPUs.

    Args:
        times: ns of the call by point; others are ignored.
    """
    points = [p for p in times if p.operation == "mprotect" and not p.near + p.far]
    pages = np.array([float(p.pages) for p in points])
    wise = pages <= CEILING
    columns = np.array([np.ones_like(pages), pages, pages * wise, 1.0 - wise]).T
    return Local(*_robust(columns, np.array([times[p] for p in points])))


def fit_remote(times: Mapping[Point, float]) -> Remote:
    """Robust fit of every point against the same point without remote CPUs."""
    rows, added = [], []
    for point, value in times.items():
        alone = times.get(replace(point, near=0, far=0))
        if alone is None or not point.near + point.far:
            continue
        near_further = max(point.near - 1, 0)
        far_further = point.far - (not point.near) if point.far else 0
        rows.append([1.0, float(point.far > 0), near_further, far_further])
        added.append(value - alone)
    columns = np.array(rows)
    return Remote(*_robust(columns, np.array(added)))


def _robust(columns: Floats, values: Floats) -> Floats:
    """Non-negative coefficients by soft-L1 loss on relative errors; unused columns give 0."""
    scale = np.maximum(np.abs(values), 1.0)
    used = columns.any(axis=0)
    part = columns[:, used]
    start = np.maximum(np.linalg.lstsq(part, values, rcond=None)[0], 1e-3)

    def errors(x: Floats) -> Floats:
        return np.asarray((part @ x - values) / scale)

    found = least_squares(
        errors,
        start,
        bounds=(0, np.inf),
        x_scale=start,
        loss="soft_l1",
        f_scale=_SCATTER,
    ).x
    full = np.zeros(columns.shape[1])
    full[used] = found
    return full


def profile(
    run: Run, about: Description, name: str, seed: int = 0
) -> tuple[Hardware, tuple[str, ...]]:
    """A price list from one calibration.

    Args:
        run: what was measured.
        about: the machine.
        name: of the price list, its file's stem.
        seed: of the rounds drawn for the spread.

    Returns:
        The price list, and one line for each price that could not be fitted here and keeps
        the value of the nearest bundled machine.

    Raises:
        ValueError: too few undisturbed runs to fit the first remote CPU.
    """
    if not any(point.near + point.far for point in run.times):
        raise ValueError(
            f"calibrate: the other CPUs did not run undisturbed ({run.stalled} of"
            f" {run.told + run.stalled} runs stalled); try again on an idle machine"
        )
    base = hardware("kvm-guest" if about.guest else _NATIVE.get(about.vendor, "haswell-1s"))
    measured = _prices(run, base, np.random.default_rng(seed))
    prices = {**base.prices, **measured}
    kept = [n for n in base.prices if n not in (*measured, "invlpg_user", "full_user")]
    missing = (
        *([] if "next" in measured else ["next: needs a third CPU on one socket"]),
        *([] if "next_far" in measured else ["next_far: needs two CPUs on another socket"]),
        *([] if "first_far" in measured else ["first_far: needs another socket"]),
        *(f"{n}: no loop here measures it" for n in kept if n not in _REMOTE),
    )
    if about.pti:
        # One loop cannot tell the two halves of a flush under PTI apart.
        inside = Constant("ns", 0.0, 0.0, 0.0, "measured", (_SOURCE,), note="inside the first half")
        prices |= {"invlpg_user": inside, "full_user": inside}
    clock = Constant("GHz", about.ghz, about.ghz, about.ghz, "measured", (_SOURCE,))
    where = "KVM or other guest" if about.guest else "bare metal"
    note = f"Measured here; not measured, so as in {base.name}: {', '.join(kept)}."
    machine = Hardware(
        name,
        f"{about.cpu}, {about.cpus} CPUs, Linux {about.kernel}, {where}",
        "x86",
        about.sockets,
        about.pti,
        clock,
        base.tlb_entries,
        prices,
        note,
    )
    return refreshed(machine), missing


_REMOTE = ("next", "next_far", "first_far")
_NATIVE = {"AuthenticAMD": "zen3", "GenuineIntel": "haswell-1s"}


def _prices(run: Run, base: Hardware, rng: np.random.Generator) -> dict[str, Constant]:
    """Every price that these runs determine."""
    local = _resampled(run.times, fit_local, rng)
    remote = _resampled(run.times, fit_remote, rng)
    made = {
        "invlpg": _constant([fit.invlpg for fit in local]),
        "full_flush": _constant([fit.full for fit in local]),
        "call_mprotect": _constant([fit.call + fit.page + fit.invlpg for fit in local]),
        "first": _first_remote([fit.step for fit in remote], base),
        "first_far": _constant([fit.far for fit in remote]),
        "next": _constant([fit.next for fit in remote]),
        "next_far": _constant([fit.next_far for fit in remote]),
    }
    one = Point("madvise", 1, 0, 0)
    if one in run.times:
        loop = np.array(run.times[one]) + np.array(run.touches[one])
        made["loop_madvise"] = _constant(_medians(loop, rng))
        fault = _constant(_medians(np.array(run.touches[one]), rng))
        made["fault"] = replace(fault, note="an anonymous page, zeroing it included")
    if run.busy:
        made["responder"] = _constant(_medians(np.array(run.busy), rng))
    if run.refill:
        made["refill"] = _constant(_medians(np.array(run.refill), rng))
    return {name: price for name, price in made.items() if price.value > 0}


def _resampled(
    times: Mapping[Point, list[float]],
    fit: Callable[[Mapping[Point, float]], F],
    rng: np.random.Generator,
) -> list[F]:
    """The fit of each point's median over rounds, and of rounds drawn at random."""
    draws = {point: _medians(np.array(values), rng) for point, values in times.items()}
    count = _RESAMPLES + 1
    return [fit({point: values[k] for point, values in draws.items()}) for k in range(count)]


def _medians(values: Floats, rng: np.random.Generator) -> list[float]:
    """The median over rounds, and single rounds drawn at random.

    A price's spread is that of a round, not of the median: the next run of the same code on
    the same machine scatters like a round does.
    """
    return [float(np.median(values)), *map(float, rng.choice(values, _RESAMPLES))]


def _constant(values: Iterable[float]) -> Constant:
    """Central value first, drawn rounds after it."""
    central, *others = values
    low, high = (float(limit) for limit in np.quantile(others, [0.05, 0.95]))
    low, high = max(min(low, central), 0.0), max(high, central)
    shape = "linear" if low == 0 < high else "log"
    return Constant("ns", central, low, high, "measured", (_SOURCE,), shape=shape)


def _first_remote(steps: list[float], base: Hardware) -> Constant:
    """``first`` from the step: an overlapped local call hides its own fixed part of the wait."""
    step, hidden = _constant(steps), base.prices["flush_call"]
    return replace(
        step,
        value=step.value + hidden.value,
        low=step.low + hidden.low,
        high=step.high + hidden.high,
        note="the step seen here, and the local call that runs while it waits",
    )
