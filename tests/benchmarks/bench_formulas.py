"""The sweep's compiled formulas against the bandwidth of copying.

A point reads its free parameters and writes every count that varies, 8 bytes each; the
roofline is how often a second as many bytes can be copied. Beside what the sweep does
(NumPy, blocks of ``BLOCK`` points, common subexpressions once) stand loops by Numba over the
same expressions; what they take to compile is a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from fused import fused
from results import Result
from sympy import Expr

from mcost.algebra.compiled import BLOCK, Setting, _expressions, formulas, setting_of
from mcost.algebra.symbols import SYMBOL
from mcost.spec.designs import design
from mcost.spec.scenario import Scenario

Measure = Callable[..., Any]

POINTS = 2_000_000
MILLION = 1_000_000
RATE = "M points/s"

FORMS: dict[str, dict[str, Any]] = {
    "rational": {"placement": "pinned", "threads": 4},
    "powers": {"placement": "snapshot", "share": 0.5, "idle": 0.1},
}


def _setting(form: str) -> Setting:
    setting = setting_of(Scenario(cpus=64, sharers=50, pages=32, **FORMS[form]))
    assert setting is not None
    return setting


def _varying(name: str, setting: Setting) -> list[tuple[int, Expr]]:
    """(place, expression) of the counts that are no constants."""
    return [
        (at, one)
        for at, one in enumerate(_expressions(design(name), setting)[0])
        if one.free_symbols
    ]


def _inputs(names: tuple[str, ...]) -> np.ndarray:
    rng = np.random.default_rng(1)
    drawn = {
        "cpus": rng.integers(100, 1000, POINTS).astype(np.float64),
        "sharers": rng.integers(2, 1000, POINTS).astype(np.float64),
        "share": rng.uniform(0.1, 0.9, POINTS),
        "idle": rng.uniform(0.01, 0.1, POINTS),
    }
    return np.array([drawn[name] for name in names])


def _in_blocks(name: str, setting: Setting, places: list[int]) -> Callable[..., None]:
    call = formulas(design(name), setting).call

    def run(given: np.ndarray, out: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            for start in range(0, POINTS, BLOCK):
                part = slice(start, start + BLOCK)
                values = call(*given[:, part])
                for at, place in enumerate(places):
                    out[at, part] = values[place]

    return run


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["per-mm", "merged"])
@pytest.mark.parametrize("how", ["copy", "sweep", "Numba"])
def test_formulas(
    measure: Measure, keep: Callable[[Result], None], form: str, name: str, how: str
) -> None:
    """Points a second, each with all its counts and their variances."""
    setting = _setting(form)
    varying = _varying(name, setting)
    given = _inputs(setting.free)
    wide = len(given) + len(varying)
    out, wanted = np.zeros((2, len(varying), POINTS))
    in_blocks = _in_blocks(name, setting, [place for place, _ in varying])
    in_blocks(given, wanted)
    label = f"{{}}, {form}, {name}, {8 * wide} bytes a point"
    if how == "copy":
        source = np.zeros(wide * POINTS // 2)
        target = np.zeros_like(source)
        measure(label.format(how), RATE, POINTS / MILLION, lambda: np.copyto(target, source))
        return
    run = in_blocks
    if how == "Numba":
        start = perf_counter()
        loops = fused([SYMBOL[free] for free in setting.free], [one for _, one in varying])
        run = partial(loops, block=BLOCK)
        run(given, out)
        took = perf_counter() - start
        keep(Result(f"compiling for Numba, {form}, {name}", "s", took, took, took))
    aim = ">= 0.6" if form == "rational" else ""
    against = ((label.format("copy"), aim),)
    call = partial(run, given, out)
    measure(label.format(how), RATE, POINTS / MILLION, call, against=against)
    np.testing.assert_allclose(out, wanted, rtol=1e-9, atol=1e-9)
