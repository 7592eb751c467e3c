"""The record both answerers fill in: one value for each count of the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

__all__ = ["Counts"]

V = TypeVar("V")
W = TypeVar("W")


@dataclass(frozen=True)
class Counts(Generic[V]):
    """Counts of one operation or one trace, in the order of ``vocabulary.COUNTS``.

    Fields are SymPy expressions (or None, "simulation only") from the algebra, ints from
    one simulation. Units and meanings stand in ``mcost.spec.vocabulary``.
    """

    flush_events: V
    rounds: V
    ipis: V
    useful_ipis: V
    sharer_ipis: V
    idle_ipis: V
    bystander_ipis: V
    csds: V
    icr_writes: V
    page_flushes: V
    full_flushes: V
    global_flushes: V
    generation_bumps: V
    mask_words: V
    broadcasts: V
    faults: V
    denied_cpus: V
    switch_tax: V
    switch_flushes: V
    walks: V
    lost_entries: V
    stale_hits: V
    deferred_hits: V

    def items(self) -> Iterator[tuple[str, V]]:
        """(name, value) pairs in vocabulary order."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    def map(self, change: Callable[[V], W]) -> Counts[W]:
        """The record with ``change`` applied to every value."""
        return Counts(**{name: change(value) for name, value in self.items()})
