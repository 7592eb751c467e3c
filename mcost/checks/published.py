"""Published measurements that no price was fitted to, against what the profiles predict.

Every prediction is a function of a bundled profile and of the setting that was published with
the row (platform, CPUs, pages, the run before a change); nothing here is adjusted to a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcost.algebra.cost import NotPriced
from mcost.algebra.spread import Estimate
from mcost.checks.predict import CannotPredict, Question, Rule
from mcost.checks.predict_broadcast import BROADCAST_RULES
from mcost.checks.predict_counts import COUNT_RULES
from mcost.checks.predict_ipi import IPI_RULES
from mcost.checks.terms import as_estimate
from mcost.spec.published import Row, published, read_rows

__all__ = ["CHECKS", "PublishedCase", "Verdict", "judge", "judge_file", "judge_short_list"]

RULES: tuple[Rule, ...] = (*COUNT_RULES, *BROADCAST_RULES, *IPI_RULES)

CHECKS: Mapping[str, str] = {
    "overlap of local and remote flush": r"S01-after-0[23]",
    "one remote flush skipped": r"S02-rw-after-\d\d",
    "interrupts of batched reclaim": r"S09-(4n-4b|1n-3b)",
    "system time of batched reclaim": r"S09-(4n|1n)-2b",
    "full batching series": r"S09-cover-b",
    "batched migration": r"S14-mig-ipi",
    "INVLPGB against IPI": r"S16-(4way-4|amd-.*-both)",
    "lazy (LUF) flush": r"S18-(1b|5b)",
    "32 CPUs broadcasting at once": r"S13-aa(1-a|2-1a)",
    "bystander of one broadcaster": r"S13-(ind-b|qi-3)",
    "per-page against range TLBI": r"S11-4k-base-\d\d",
    "broadcast IPIs on unshare": r"S23-huge-slow",
}
"""The short list of published-numbers.md 1.2: what is checked, and which rows hold it."""


@dataclass(frozen=True)
class PublishedCase:
    """One row against its prediction, both in ``unit``.

    Attributes:
        id: of the row.
        check: which line of the short list, or the rule's name.
        predicted: value with its 90 % interval.
        published: what was measured.
        unit: of both.
        assumes: the first suspect when the two disagree.
    """

    id: str
    check: str
    predicted: Estimate
    published: float
    unit: str
    assumes: str

    @property
    def error(self) -> float:
        """Predicted over published, less 1: positive when too high."""
        return self.predicted.value / self.published - 1

    @property
    def covered(self) -> bool:
        """Whether the published value lies in the 90 % interval."""
        return self.predicted.low <= self.published <= self.predicted.high

    def as_json(self) -> dict[str, float | str]:
        """The record that issue 5 fixes."""
        return {
            "id": self.id,
            "predicted": self.predicted.value,
            "low": self.predicted.low,
            "high": self.predicted.high,
            "published": self.published,
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Verdict:
    """All cases, and the rows that cannot be predicted with the reason for each."""

    cases: tuple[PublishedCase, ...]
    not_predicted: Mapping[str, str]

    def within(self, limit: float) -> int:
        """Cases whose relative error is at most ``limit``."""
        return sum(abs(case.error) <= limit for case in self.cases)

    def summary(self) -> dict[str, int]:
        """Counts: cases, within 10 % and 20 %, beyond 20 % over and under, covered."""
        return {
            "cases": len(self.cases),
            "within_10_percent": self.within(0.10),
            "within_20_percent": self.within(0.20),
            "over_20_percent": sum(case.error > 0.20 for case in self.cases),
            "under_20_percent": sum(case.error < -0.20 for case in self.cases),
            "covered": sum(case.covered for case in self.cases),
            "not_predicted": len(self.not_predicted),
        }

    def worst(self, count: int = 5) -> tuple[PublishedCase, ...]:
        """The cases with the largest error as a ratio, worst first."""

        def ratio(case: PublishedCase) -> float:
            over = case.predicted.value / case.published
            return -max(over, 1 / over if over > 0 else float("inf"))

        return tuple(sorted(self.cases, key=ratio)[:count])


def judge(rows: Iterable[Row], among: Mapping[str, Row], checks: Mapping[str, str]) -> Verdict:
    """Predicts rows and compares.

    Args:
        rows: what to predict.
        among: every row that may serve as a setting, by id.
        checks: name of the check by row id, for the report.
    """
    cases: list[PublishedCase] = []
    missing: dict[str, str] = {}
    for row in rows:
        try:
            cases.append(_case(Question(row, among), checks.get(row.id, "")))
        except (CannotPredict, NotPriced) as reason:
            missing[row.id] = str(reason)
    return Verdict(tuple(cases), missing)


def _case(question: Question, check: str) -> PublishedCase:
    row = question.row
    rule = next((rule for rule in RULES if rule.fits(question)), None)
    if rule is None:
        raise CannotPredict(f"no rule for {row.metric!r} of {row.operation!r} in {row.unit}")
    answer = rule.predict(question)
    value = row.value if answer.published is None else answer.published
    if not value:
        raise CannotPredict("the published value is 0, so no relative error exists")
    return PublishedCase(
        row.id,
        check or rule.name,
        as_estimate(answer.values),
        value,
        answer.unit or row.unit,
        answer.assumes,
    )


def judge_short_list() -> Verdict:
    """The checks that published-numbers.md 1.2 keeps back, on the bundled rows."""
    rows = published()
    checks = {
        name: check
        for name in rows
        for check, pattern in CHECKS.items()
        if re.fullmatch(pattern, name)
    }
    return judge((rows[name] for name in checks), rows, checks)


def judge_file(path: str | Path) -> Verdict:
    """Rows of another file of the same columns; only that file gives settings.

    Raises:
        ValueError: the file breaks the format.
        OSError: it cannot be read.
    """
    rows = {row.id: row for row in read_rows(path)}
    return judge(rows.values(), rows, {})
