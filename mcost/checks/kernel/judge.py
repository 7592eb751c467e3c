"""Each row and counter: exact, within, explained, or not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcost.checks.kernel.asleep import predict_w7
from mcost.checks.kernel.crowd import predict_w4
from mcost.checks.kernel.host import predict_w6
from mcost.checks.kernel.mechanisms import explain
from mcost.checks.kernel.own_mm import predict_w1, predict_w5
from mcost.checks.kernel.reclaim import predict_w3
from mcost.checks.kernel.rows import Row
from mcost.checks.kernel.steps import Prediction, Predictor
from mcost.checks.kernel.walks import predict_w2

__all__ = ["VERDICTS", "WORKLOADS", "Verdict", "judge", "predict", "summary"]

WORKLOADS: dict[str, Predictor] = {
    "w1": predict_w1,
    "w2": predict_w2,
    "w3": predict_w3,
    "w4": predict_w4,
    "w5": predict_w5,
    "w6": predict_w6,
    "w7": predict_w7,
}
"""Workload -> what its settings predict."""

VERDICTS = ("exact", "within", "explained", "unexplained")

_TAKEN = ("start", "pswpout", "n_try_to_unmap_one", "n_shrink_folio_list", "n_shrink_page_list")
"""Keys of ``extra`` that stand in for settings: pages and lists that reclaim took."""


@dataclass(frozen=True)
class Verdict:
    """One counter of one row.

    Attributes:
        row: the row.
        counter: which counter.
        predicted: expected value over the row's repetitions.
        counted: what the kernel counted.
        verdict: ``exact``: counted is predicted. ``within``: counted lies inside the stated
            interval, or predicted inside the spread of the point's own runs. ``explained``: by
            ``mechanism``. ``unexplained``: none of these.
        mechanism: its text, empty otherwise.
        interval: (low, high) where the setting leaves a choice.
    """

    row: Row
    counter: str
    predicted: float
    counted: int
    verdict: str
    mechanism: str
    interval: tuple[float, float] | None

    def as_dict(self) -> dict[str, object]:
        """As JSON shows it."""
        row = self.row
        whole = self.predicted == int(self.predicted)
        shown: dict[str, object] = {
            "workload": row.workload, "kernel": row.kernel, "cpus": row.cpus,
            "sharers": row.sharers, "cpus_per_sharer": row.cpus_per_sharer, "pages": row.pages,
            "op": row.op, "run": row.run, "counter": self.counter,
            "predicted": int(self.predicted) if whole else round(self.predicted, 3),
            "counted": self.counted, "verdict": self.verdict,
            "mechanism": self.mechanism or None,
        }  # fmt: skip
        low, high = self.interval or (None, None)
        return shown | {"low": low and round(low, 3), "high": high and round(high, 3)}


def predict(row: Row) -> Prediction:
    """What the row's setting predicts.

    Raises:
        RowError: an unknown workload or a setting its workload cannot have.
    """
    if row.workload not in WORKLOADS:
        known = ", ".join(WORKLOADS)
        raise row.error(f"workload {row.workload!r} is not known, must be one of {known}")
    return WORKLOADS[row.workload](row)


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Every counter that its setting predicts, in the order of the rows.

    Args:
        rows: runs of one point are recognised by their settings (``Row.point``).

    Raises:
        RowError: a setting that no rule covers.
    """
    known: dict[tuple[object, ...], Prediction] = {}
    spread = _spreads(rows)
    made: list[Verdict] = []
    for row in rows:
        key = (row.point, row.run, row.variant.name, *(row.extra.get(name) for name in _TAKEN))
        if key not in known:
            known[key] = predict(row)
        made += _verdicts(row, known[key], spread[row.point])
    return made


def _spreads(rows: Iterable[Row]) -> dict[tuple[object, ...], dict[str, tuple[int, int]]]:
    """Lowest and highest count of each point's runs, by counter."""
    seen: dict[tuple[object, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, number in row.counted.items():
            seen[row.point][name].append(number)
    return {
        point: {name: (min(found), max(found)) for name, found in counters.items()}
        for point, counters in seen.items()
    }


def _verdicts(
    row: Row, prediction: Prediction, spread: dict[str, tuple[int, int]]
) -> Iterable[Verdict]:
    off = {
        name: row.counted[name] - round(value.mean) if value.exact else 0
        for name, value in prediction.values.items()
    }
    off |= {
        name: row.counted[name] - round(value.mean)
        for name, value in prediction.values.items()
        if not value.holds(row.counted[name])
    }
    why = explain(row, prediction, off) if any(off.values()) else {}
    for name, value in prediction.values.items():
        counted = row.counted[name]
        low, high = spread[name]
        if counted == value.mean:
            verdict = "exact"
        elif value.holds(counted) or low <= value.mean <= high:
            verdict = "within"
        else:
            verdict = "explained" if name in why else "unexplained"
        interval = None if value.exact else (value.low, value.high)
        text = why.get(name, "") if verdict == "explained" else ""
        yield Verdict(row, name, value.mean, counted, verdict, text, interval)


_GROUPS = ("exact", "within spread", "within interval", "explained", "unexplained")


def _group(one: Verdict) -> str:
    if one.verdict != "within":
        return one.verdict
    return "within interval" if one.interval else "within spread"


def summary(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """One row per workload and kernel: rows, counters, and how many got which verdict.

    ``within`` is told apart: inside the point's own spread, or inside a stated interval.
    """
    groups: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        groups[one.row.workload, one.row.kernel].append(one)
    made: list[dict[str, object]] = []
    for (workload, kernel), mine in sorted(groups.items()):
        count = Counter(_group(one) for one in mine)
        made.append(
            {
                "workload": workload,
                "kernel": kernel,
                "rows": len({(one.row.file, one.row.line) for one in mine}),
                "counters": len(mine),
                **{name: count[name] for name in _GROUPS},
            }
        )
    return made
