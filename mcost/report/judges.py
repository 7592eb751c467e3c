"""What the other judges say, in one line each: real kernels' counters, published numbers."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pandas as pd

from mcost.checks.kernel import Verdict, bundled, read_rows
from mcost.checks.kernel import judge as judge_kernel
from mcost.checks.published import judge_short_list

__all__ = ["kernel_line", "kernel_verdicts", "published_line", "worst_published"]


@lru_cache(maxsize=1)
def kernel_verdicts() -> tuple[Verdict, ...]:
    """Every counter of every bundled row, judged."""
    return tuple(judge_kernel([row for path in bundled() for row in read_rows(path)]))


def kernel_line() -> str:
    """How many counters of real kernels the model predicts."""
    found = Counter(one.verdict for one in kernel_verdicts())
    total = sum(found.values())
    kernels = sorted({one.row.kernel for one in kernel_verdicts()})
    within = sum(number for name, number in found.items() if name.startswith("within"))
    return (
        f"{found['exact']} of {total} counters exact, {within} more inside their"
        f" interval, {found['explained']} off for a known reason, {found['unexplained']}"
        f" unexplained (kernels {', '.join(kernels)})"
    )


def published_line() -> str:
    """How near predictions come to measurements no price was fitted to."""
    found = judge_short_list().summary()
    return (
        f"{found['within_20_percent']} of {found['cases']} within 20%,"
        f" {found['within_10_percent']} within 10%, {found['covered']} inside their 90% interval"
    )


def worst_published(count: int = 6) -> pd.DataFrame:
    """The held-out rows that predictions miss most, with the first suspect of each."""
    return pd.DataFrame(
        {
            "id": case.id,
            "predicted": case.predicted.value,
            "published": case.published,
            "unit": case.unit,
            "ratio": case.predicted.value / case.published,
            "first suspect": case.assumes,
        }
        for case in judge_short_list().worst(count)
    )
