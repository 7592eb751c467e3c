"""Splits that counts do not give: over sockets, over who runs what, over flush events."""

from __future__ import annotations

from mcost.spec.counts import Counts
from mcost.spec.designs import Design
from mcost.spec.operations import CEILING, cut
from mcost.spec.scenario import APIC_MODES, Scenario

__all__ = ["event_sizes", "filled", "near_share", "running_share"]


def near_share(cpus: int, sockets: int) -> float:
    """P(a given other CPU is on the initiator's socket), CPUs spread evenly: (N/s - 1)/(N - 1).

    1 with one socket or no other CPU; 0 when every socket has one CPU or less.
    """
    if sockets == 1 or cpus == 1:
        return 1.0
    return max(0.0, (cpus / sockets - 1) / (cpus - 1))


def running_share(scenario: Scenario) -> float:
    """P(a CPU drawn uniformly runs a sharer and is not lazy), by the placement's law."""
    cpus, sharers, threads = scenario.cpus, scenario.sharers, scenario.threads
    if sharers == 0:
        return 0.0
    if scenario.placement == "pinned":
        return min(cpus, sharers * threads) / cpus
    if scenario.placement == "roaming":
        return 1 - (1 - 1 / cpus) ** sharers
    share = 1.0 if scenario.share is None else scenario.share
    if scenario.placement == "uniform":
        return share * (1 - (1 - threads / cpus) ** sharers)
    return share


def event_sizes(scenario: Scenario, design: Design) -> tuple[tuple[tuple[int, int], ...], int]:
    """Sizes of the flush events as (pages, times), and the number of table-freeing ones."""
    rule = cut(scenario.op, scenario.variant, design.hook, scenario.batch)
    pages = scenario.pages
    if rule.size == 0:
        return (), 0
    size = rule.size or pages
    first = min(pages, size - scenario.offset % size) if rule.aligned else 0
    whole, rest = divmod(pages - first, size)
    parts = ((first, 1), (size, whole), (rest, 1))
    return tuple((part, times) for part, times in parts if part and times), rule.tables


def filled(
    counts: Counts[float | None], scenario: Scenario, design: Design
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Counts as numbers, and the names of those that a bound stands in for.

    - ``rounds`` without a closed form: as many as there are flush calls, or IPIs if fewer.
    - ``icr_writes``: one per cluster that a uniform choice of as many targets would hit.
    - ``faults``: one a denied CPU.
    - of ``deferred``, the flushes that other CPUs run later: one a flush event on each CPU that
      runs a sharer, as many as there can be (a late sweep serves several events at once).
    - counts of context switches: 0, and lost entries are left to ``live``.
    """
    number = {name: float(value or 0.0) for name, value in counts.items()}
    assumed = []
    if counts.rounds is None:
        calls = number["flush_events"] * (scenario.sharers if design.tracks == "each" else 1)
        number["rounds"] = min(calls, number["ipis"])
        assumed.append("rounds")
    if counts.icr_writes is None:
        number["icr_writes"] = _clusters(number, scenario)
        assumed.append("icr_writes")
    if counts.faults is None:
        number["faults"] = number["denied_cpus"]
        assumed += ["faults"] if number["faults"] else []
    if design.delivery == "deferred" and counts.lost_entries is None:
        _add_late_flushes(number, scenario, design)
        assumed.append("late flushes")
    return number, tuple(assumed)


def _add_late_flushes(number: dict[str, float], scenario: Scenario, design: Design) -> None:
    late = (scenario.cpus - 1) * running_share(scenario)
    for pages, times in event_sizes(scenario, design)[0]:
        if pages <= CEILING:
            number["page_flushes"] += late * pages * times
        else:
            number["full_flushes"] += late * times


def _clusters(number: dict[str, float], scenario: Scenario) -> float:
    size = APIC_MODES[scenario.apic]
    if not number["rounds"]:
        return 0.0
    clusters = max(1.0, scenario.cpus / size)
    missed = 1 - min(1.0, number["ipis"] / number["rounds"] / scenario.cpus)
    return number["rounds"] * max(1.0, clusters * (1.0 - float(missed) ** size))
