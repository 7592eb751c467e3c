"""The misses in lines for people: which group, how many, why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mcost.checks.kernel.judge import VERDICTS, Verdict
from mcost.checks.kernel.mechanisms import MECHANISMS

__all__ = ["lines"]

_SHOWN = 20


def lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Totals, explained groups with their mechanism and its source, unexplained rows."""
    count = Counter(one.verdict for one in verdicts)
    named = {one.text: one for one in MECHANISMS.values()}
    groups = Counter(
        (one.row.workload, one.row.kernel, one.row.op, one.mechanism)
        for one in verdicts
        if one.verdict == "explained"
    )
    made = [
        f"{len(verdicts)} counters: " + ", ".join(f"{count[name]} {name}" for name in VERDICTS),
        "exact: counted as predicted; within: inside the stated interval of a setting that leaves"
        " a choice, or the prediction lies inside the spread of the point's own runs",
    ]
    for (workload, kernel, op, text), number in sorted(groups.items()):
        made.append(f"explained: {workload} {kernel} {op}, {number} counters: {text}")
    used = sorted({text for _, _, _, text in groups})
    made += [f"supported by, {text.partition(':')[0]}: {named[text].source}" for text in used]
    lost = [one for one in verdicts if one.verdict == "unexplained"]
    made += [_lost(one) for one in lost[:_SHOWN]]
    if len(lost) > _SHOWN:
        made.append(f"... and {len(lost) - _SHOWN} more; --json has them all")
    return made


def _lost(one: Verdict) -> str:
    row = one.row
    return (
        f"unexplained: {row.file} row {row.line}: {row.workload} {row.op} N={row.cpus}"
        f" S={row.sharers} P={row.pages} run {row.run}: {one.counter} counted {one.counted},"
        f" predicted {one.predicted:g}"
    )
