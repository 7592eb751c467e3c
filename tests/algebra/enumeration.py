"""All configurations of small placements with their probabilities, and who is told in each.

Plain counting from the definitions of model.md sections 4 to 6: no algebra, no simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations, product


@dataclass(frozen=True)
class Moment:
    """One frozen moment: masks by sharer, what each CPU has loaded (None: a bystander)."""

    p: Fraction
    masks: tuple[frozenset[int], ...]
    loaded: tuple[int | None, ...]
    lazy: frozenset[int]
    initiator: int


def snapshot(
    cpus: int, sharers: int, share: Fraction, idle: Fraction, initiator: str
) -> Iterator[Moment]:
    """Every state of every CPU: runs i, lazy on i, or something else."""
    states = [("run", i, share / sharers) for i in range(sharers)]
    states += [("lazy", i, idle / sharers) for i in range(sharers)]
    states.append(("other", None, 1 - share - idle))
    for at, choice in product(range(cpus), product(states, repeat=cpus)):
        if initiator == "sharer" and choice[at][0] != "run":
            continue
        if initiator == "apart" and choice[at][0] != "other":
            continue
        p = Fraction(1, cpus)
        for cpu, (_, _, one) in enumerate(choice):
            if cpu != at or initiator == "outside":
                p *= one
        if initiator == "sharer":
            p /= sharers
        yield Moment(
            p,
            tuple(
                frozenset(cpu for cpu in range(cpus) if choice[cpu][1] == i) for i in range(sharers)
            ),
            tuple(choice[cpu][1] for cpu in range(cpus)),
            frozenset(cpu for cpu in range(cpus) if choice[cpu][0] == "lazy"),
            at,
        )


def uniform(
    cpus: int, sharers: int, threads: int, share: Fraction, initiator: str
) -> Iterator[Moment]:
    """Every subset of every sharer, every order of visits, every set of followed CPUs."""
    subsets = [frozenset(one) for one in combinations(range(cpus), threads)]
    orders = list(permutations(range(sharers)))
    for chosen, order in product(product(subsets, repeat=sharers), orders):
        base = Fraction(1, len(subsets) ** sharers * len(orders))
        visited: list[int | None] = [None] * cpus
        for one in order:
            for cpu in chosen[one]:
                visited[cpu] = one
        places = sorted(chosen[0]) if initiator == "sharer" else range(cpus)
        for followed in product((False, True), repeat=cpus):
            p = base
            for late in followed:
                p *= 1 - share if late else share
            if not p:
                continue
            for c in places:
                loaded = [None if followed[cpu] else visited[cpu] for cpu in range(cpus)]
                if initiator == "sharer":
                    loaded[c] = 0
                yield Moment(p / len(places), chosen, tuple(loaded), frozenset(), c)


def told(moment: Moment, design: str, freed: bool) -> list[set[int]]:
    """The rounds of one flush event: remote CPUs interrupted by each flush call."""
    every = set(range(len(moment.loaded))) - {moment.initiator}
    if design == "notifier":
        return [every]
    if design in ("per-mm", "per-mm-tables"):
        freed = freed or design == "per-mm-tables"
        return [
            {cpu for cpu in mask & every if freed or _runs(moment, cpu, i)}
            for i, mask in enumerate(moment.masks)
        ]
    union = set().union(*moment.masks) & every
    if freed:
        return [union]
    if design == "merged-loaded":
        return [{cpu for cpu in union - moment.lazy if moment.loaded[cpu] is not None}]
    return [union - moment.lazy]


def _runs(moment: Moment, cpu: int, sharer: int) -> bool:
    return moment.loaded[cpu] == sharer and cpu not in moment.lazy


def counts(moment: Moment, design: str, freed: bool, cluster: int) -> dict[str, int]:
    """ipis by kind, rounds and ICR writes of one flush event."""
    rounds = [one for one in told(moment, design, freed) if one]
    told_cpus = [cpu for one in rounds for cpu in one]
    idle = sum(cpu in moment.lazy for cpu in told_cpus)
    bystander = sum(moment.loaded[cpu] is None for cpu in told_cpus)
    others = len(moment.loaded) - 1
    return {
        "rounds": len(rounds),
        "ipis": len(told_cpus),
        "idle_ipis": idle,
        "bystander_ipis": bystander,
        "sharer_ipis": len(told_cpus) - idle - bystander,
        "icr_writes": sum(
            1 if len(one) == others else len({cpu // cluster for cpu in one}) for one in rounds
        ),
    }
