"""Prints one table at the end of ``pytest tests/benchmarks/bench_*.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from results import Result, table

_RESULTS: list[Result] = []


@pytest.fixture
def measure(benchmark: Any) -> Callable[..., Any]:
    """Times a call, keeps it for the table, and returns what the call returned.

    ``amount`` is what one call does; the unit is of amount per second, or of seconds when
    ``amount`` is None.
    """

    def timed(
        name: str,
        unit: str,
        amount: float | None,
        call: Callable[[], Any],
        *,
        rounds: int = 7,
        against: tuple[tuple[str, str], ...] = (),
        aim: str = "",
    ) -> Any:
        answer = benchmark.pedantic(call, rounds=rounds, warmup_rounds=1)
        stats = benchmark.stats.stats
        times = (stats.q1, stats.median, stats.q3)
        low, middle, high = times if amount is None else sorted(amount / one for one in times)
        _RESULTS.append(Result(name, unit, low, middle, high, against, aim))
        return answer

    return timed


@pytest.fixture
def keep() -> Callable[[Result], None]:
    """Adds a measurement that is no time to the table."""
    return _RESULTS.append


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table."""
    if _RESULTS:
        terminalreporter.section("side by side")
        for line in table(_RESULTS):
            terminalreporter.write_line(line)
