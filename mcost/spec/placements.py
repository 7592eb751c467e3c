"""The placements: laws of where sharers run when a flush comes. Values only.

What each law means for counts is derived in ``mcost.algebra.placements``; traces that
obey it are made in ``mcost.traces.synthetic``.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcost.spec.lookup import find

__all__ = ["INITIATORS", "PLACEMENTS", "Placement", "placement"]


@dataclass(frozen=True)
class Placement:
    """One law of (masks, running CPUs, lazy CPUs) at the moment of a flush.

    Attributes:
        name: as in options and columns.
        needs: scenario parameters without which the law is not stated.
        takes: parameters it understands, with their defaults.
        threads: whether the number of threads of a sharer means anything.
        lazy_only: the law is about masks that keep stale bits (kernels from about 6.14).
        initiators: who may ask.
        kernel: the kernel assumed when none is named.
        meaning: the law in one sentence.
    """

    name: str
    needs: tuple[str, ...]
    takes: tuple[tuple[str, float], ...]
    threads: bool
    lazy_only: bool
    initiators: tuple[str, ...]
    kernel: str
    meaning: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters the placement understands."""
        return self.needs + tuple(name for name, _ in self.takes)


INITIATORS = {
    "outside": "a CPU drawn independently of the placement, such as kswapd's",
    "sharer": "a CPU that runs a sharer",
    "apart": "a CPU that runs no sharer",
}
"""Who asks for the flush."""

PLACEMENTS: tuple[Placement, ...] = (
    Placement(
        "pinned", (), (("held", 1.0),), True, False, ("outside", "sharer", "apart"), "6.12",
        "thread k of all sharers' threads, sharer by sharer, is pinned to CPU k mod N; where"
        " several share a CPU the last one is loaded",
    ),
    Placement(
        "snapshot", ("share",), (("idle", 0.0), ("held", 1.0)), False, False,
        ("outside", "sharer", "apart"), "6.12",
        "each CPU independently runs sharer i with probability share/S, is lazy on one with"
        " probability idle/S, else runs something else",
    ),
    Placement(
        "uniform", (), (("share", 1.0), ("held", 1.0)), True, True, ("outside", "sharer"), "6.14",
        "each sharer visits a uniform subset of T CPUs, sharers in random order; the last"
        " visitor stays loaded unless, with probability 1 - share, a bystander follows it",
    ),
    Placement(
        "roaming", ("rate", "age"), (("held", 1.0),), False, True, ("outside", "sharer"), "6.14",
        "each sharer has one thread, moves to a uniformly chosen CPU at the given rate and"
        " leaves its old CPU to a bystander; masks have grown for the given age",
    ),
)  # fmt: skip


def placement(name: str) -> Placement:
    """The placement called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("placement", name, {entry.name: entry for entry in PLACEMENTS})
