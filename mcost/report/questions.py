"""Questions that notebooks and tables ask, answered as frames or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from mcost.algebra.cost import NotPriced
from mcost.checks.costs import cost_rows
from mcost.checks.crossover import crossover
from mcost.checks.kernel import summary as kernel_summary
from mcost.checks.rates import rate_rows
from mcost.checks.sensitivity import sensitivity
from mcost.report.judges import kernel_verdicts
from mcost.report.measure import measure, stale_uses
from mcost.report.points import expected
from mcost.report.setting import Setting
from mcost.report.workload import totals
from mcost.spec.designs import DESIGNS, design
from mcost.spec.hardware import hardware
from mcost.spec.vocabulary import COUNTS

__all__ = [
    "MACHINES",
    "PAIRS",
    "PER_SECOND",
    "across",
    "agreement_rows",
    "cost_table",
    "crossover_rows",
    "designs_table",
    "inside",
    "kernel_table",
    "per_operation",
    "rates_table",
    "sensitivity_table",
    "stale_rows",
    "stale_share",
    "workload_table",
]

_COLUMNS = ("flush_events", "rounds", "ipis", "useful_ipis", "bystander_ipis", "generation_bumps")
MACHINES = ("haswell-1s", "skylake-2s", "skylake-4s", "kvm-guest")
"""Price lists on which designs that interrupt are compared."""
PAIRS = (("per-mm", "merged"), ("notifier", "per-mm"), ("notifier", "batched"))
"""Designs whose order is asked for."""


def per_operation(setting: Setting, counts: tuple[str, ...] = _COLUMNS) -> pd.DataFrame:
    """Mean counts of one operation: a row per design, a column per count (NaN: no closed form)."""
    frame = pd.DataFrame(expected(setting.scenario(), DESIGNS, counts))
    wide = frame.pivot(index="design", columns="count", values="mean")
    wide = wide.reindex(index=[one.name for one in DESIGNS], columns=list(counts))
    return wide.reset_index().rename_axis(columns=None)


def designs_table(_: Setting) -> pd.DataFrame:
    """The four columns of every design, and whether it is safe."""
    return pd.DataFrame(one.columns() for one in DESIGNS)


def stale_share(setting: Setting, name: str) -> tuple[int, int]:
    """(stale uses, uses) of a design after one operation: every CPU, every page, once each."""
    return stale_uses(setting.scenario(), design(name), setting.seed)


def agreement_rows(setting: Setting) -> pd.DataFrame:
    """Simulated means with 95 % half-widths beside the closed forms."""
    found = measure(setting.scenario(), DESIGNS, ("ipis", "rounds"), setting.seed)
    frame = pd.DataFrame([asdict(cell) for cell in found.cells])
    return frame[["design", "count", "model", "mean", "half_width", "trials"]]


def inside(setting: Setting) -> tuple[int, int, float]:
    """(cells inside, cells, worst difference in %): every closed form of every design."""
    counts = tuple(entry.name for entry in COUNTS if entry.closed_form)
    return measure(setting.scenario(), DESIGNS, counts, setting.seed).agreement()


def cost_table(setting: Setting, component: str = "initiator") -> pd.DataFrame:
    """One component of the cost of each design, us; NaN where the machine cannot."""
    names = [one.name for one in DESIGNS]
    rows = cost_rows(setting.scenario(), names, hardware(setting.hardware))
    frame = pd.DataFrame([row for row in rows if row["component"] == component])
    for name in ("mean", "low", "high"):
        frame[f"{name}_us"] = frame[f"{name}_ns"].astype(float) / 1000
    return frame[["design", "mean_us", "low_us", "high_us"]]


def crossover_rows(setting: Setting) -> pd.DataFrame:
    """Where the initiator's time of two designs changes order as sharers are added."""
    rows = []
    for name in MACHINES:
        for one, other in PAIRS:
            pair = design(one), design(other)
            try:
                found = crossover(setting.scenario(), pair, "sharers", "initiator", hardware(name))
            except NotPriced:
                continue
            rows.append(
                {"hardware": name, "pair": f"{one} | {other}", "at": found.at, "low": found.low,
                 "high": found.high, "below": found.before, "above": found.after}
            )  # fmt: skip
    return pd.DataFrame(rows)


PER_SECOND = 100
"""Operations per second at which designs are compared."""


def rates_table(setting: Setting) -> pd.DataFrame:
    """How often one operation can run, and what 100 of them a second take."""
    machine = hardware(setting.hardware)
    return pd.DataFrame(rate_rows(setting.scenario(), DESIGNS, machine, PER_SECOND))


def kernel_table(_: Setting) -> pd.DataFrame:
    """Verdicts on the bundled counters of real kernels, by workload and kernel."""
    return pd.DataFrame(kernel_summary(kernel_verdicts()))


def workload_table(_: Setting) -> pd.DataFrame:
    """Totals of the bundled recorded trace under every design."""
    return totals()


def across(setting: Setting, name: str, values: Sequence[int]) -> pd.DataFrame:
    """Mean and standard deviation of IPIs and rounds, one row per value and design."""
    rows = []
    for value in values:
        scenario = setting.scenario(**{name: value})
        found: dict[object, dict[str, object]] = {}
        for row in expected(scenario, DESIGNS, ("ipis", "rounds")):
            cells = found.setdefault(row["design"], {name: value, "design": row["design"]})
            cells |= {f"{row['count']}": row["mean"], f"{row['count']} sd": row["sd"]}
        rows += [row for row in found.values() if row.get("ipis")]
    return pd.DataFrame(rows)


def stale_rows(setting: Setting) -> pd.DataFrame:
    """Stale uses after one operation, for every design."""
    found = {one.name: stale_share(setting, one.name) for one in DESIGNS}
    return pd.DataFrame(
        {"design": name, "stale": stale, "uses": uses} for name, (stale, uses) in found.items()
    )


def sensitivity_table(setting: Setting, name: str = "batched") -> pd.DataFrame:
    """Total Sobol indices of the caller's time under one design, largest first."""
    found = sensitivity(
        setting.scenario(),
        design(name),
        "initiator",
        hardware(setting.hardware),
        points=256,
        seed=setting.seed,
    )
    frame = pd.DataFrame([{"design": name, **asdict(one)} for one in found])
    return frame.sort_values("total", ascending=False, kind="stable").reset_index(drop=True)
