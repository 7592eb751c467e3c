"""The held-out checks for people and for tools: one table, the worst cases, one JSON record."""

from __future__ import annotations

from mcost.checks.published import PublishedCase, Verdict

__all__ = ["GOALS", "by_check", "case_rows", "document", "lines"]

GOALS = {"within_20_percent": 0.80, "covered": 0.90}
"""Shares of the cases that the project wants; the field's best tool reaches 0.48 to 0.60 of
the first one (peers: OSACA's own validation)."""


def document(verdict: Verdict) -> dict[str, object]:
    """The JSON record of issue 5, with the summary and the rows that have no prediction."""
    return {
        "judge": "published",
        "cases": [case.as_json() for case in verdict.cases],
        "summary": verdict.summary(),
        "not_predicted": dict(verdict.not_predicted),
    }


def case_rows(verdict: Verdict) -> list[dict[str, object]]:
    """One row a case, in the order judged."""
    return [
        {
            "id": case.id,
            "check": case.check,
            "predicted": case.predicted.value,
            "low": case.predicted.low,
            "high": case.predicted.high,
            "published": case.published,
            "unit": case.unit,
            "error_percent": 100 * case.error,
            "covered": case.covered,
        }
        for case in verdict.cases
    ]


def by_check(verdict: Verdict) -> list[dict[str, object]]:
    """One row a check: series of many rows count once here."""
    rows: list[dict[str, object]] = []
    for check in dict.fromkeys(case.check for case in verdict.cases):
        part = Verdict(tuple(case for case in verdict.cases if case.check == check), {})
        found = part.summary()
        worst = part.worst(1)[0]
        rows.append(
            {
                "check": check,
                "cases": found["cases"],
                "10%": found["within_10_percent"],
                "20%": found["within_20_percent"],
                "over": found["over_20_percent"],
                "under": found["under_20_percent"],
                "covered": found["covered"],
                "worst %": round(100 * worst.error, 1),
            }
        )
    return rows


def lines(verdict: Verdict, worst: int = 5) -> list[str]:
    """Totals against the goals, the worst cases with their first suspect, and the rest."""
    found = verdict.summary()
    total = found["cases"]
    said = [
        "10%, 20%: cases within; over, under: further off; covered: inside the 90 % interval",
        f"{total} cases: {found['within_10_percent']} within 10 %, {found['within_20_percent']}"
        f" within 20 %, {found['over_20_percent']} over, {found['under_20_percent']} under;"
        f" {found['covered']} covered",
        *(_goal(name, share, found[name], total) for name, share in GOALS.items() if total),
        "worst cases, and what is wrong first:" if total else "nothing could be predicted",
        *(_worst(case) for case in verdict.worst(worst)),
    ]
    if verdict.not_predicted:
        said.append("not predicted:")
        said += [f"  {name}: {why}" for name, why in verdict.not_predicted.items()]
    return said


def _goal(name: str, share: float, count: int, total: int) -> str:
    met = "met" if count >= share * total else "missed"
    words = name.replace("_percent", " %").replace("_", " ")
    return f"goal {share:.0%} {words}: {count / total:.0%}, {met}"


def _worst(case: PublishedCase) -> str:
    return (
        f"  {case.id}: predicted {case.predicted} {case.unit}, published {case.published:.4g}"
        f" ({100 * case.error:+.0f} %): {case.assumes}"
    )
