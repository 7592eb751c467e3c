"""A formula as one compiled loop: what the sweep could do with a second to compile each form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from sympy import Expr, Mod, Symbol, floor, lambdify

__all__ = ["fused"]


def fused(symbols: list[Symbol], expressions: list[Expr]) -> Callable[..., None]:
    """A Numba function of (inputs [names, n], outputs [expressions, n])."""
    rounds = {"floor": np.floor, "ceil": np.ceil}
    plain = [one.replace(Mod, lambda p, q: p - q * floor(p / q)) for one in expressions]
    point = njit(lambdify(symbols, plain, modules=[rounds, "math"], cse=True), error_model="numpy")
    rows = ", ".join(f"given[{at}, i]" for at in range(len(symbols)))
    puts = "\n".join(f"        out[{at}, i] = values[{at}]" for at in range(len(plain)))
    text = f"def loop(given, out):\n    for i in range(given.shape[1]):\n        values = point({rows})\n{puts}\n"
    names: dict[str, Any] = {"point": point}
    exec(text, names)
    compiled: Callable[..., None] = njit(names["loop"], error_model="numpy")
    return compiled
