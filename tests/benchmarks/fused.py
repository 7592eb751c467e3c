"""Formulas as compiled loops: what a sweep could do if it had a second to compile each form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from sympy import Expr, Mod, Symbol, floor, lambdify

__all__ = ["fused"]

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": True}
_TOGETHER = 2
"""Expressions of one loop; with more outputs the compiler gives up proving them apart."""


def fused(symbols: list[Symbol], expressions: list[Expr]) -> Callable[..., None]:
    """A function of (inputs [names, n], outputs [expressions, n], points of a block)."""
    plain = [one.replace(Mod, lambda p, q: p - q * floor(p / q)) for one in expressions]
    groups = [slice(at, at + _TOGETHER) for at in range(0, len(plain), _TOGETHER)]
    loops = [_loop(symbols, plain[group]) for group in groups]

    def run(given: np.ndarray, out: np.ndarray, block: int) -> None:
        for start in range(0, given.shape[1], block):
            part = slice(start, start + block)
            for loop, group in zip(loops, groups, strict=True):
                loop(*given[:, part], *out[group, part])

    return run


def _loop(symbols: list[Symbol], expressions: list[Expr]) -> Callable[..., None]:
    """One loop over arrays: inputs, then outputs."""
    rounds = {"floor": np.floor, "ceil": np.ceil}
    scope: dict[str, Any] = {}
    names = [f"x{at}" for at in range(len(symbols))]
    puts = [f"y{at}" for at in range(len(expressions))]
    formula = lambdify(symbols, tuple(expressions), [rounds, "math"], cse=True)
    scope["point"] = njit(formula, **_OPTIONS)
    lines = (
        f"def loop({', '.join(names + puts)}):",
        "    for i in range(len(y0)):",
        f"        {', '.join(f'{put}[i]' for put in puts)}, = "
        f"point({', '.join(f'{name}[i]' for name in names)})",
    )
    exec("\n".join(lines), scope)
    compiled: Callable[..., None] = njit(scope["loop"], **_OPTIONS)
    return compiled
