"""How much a simulated scenario is, and where its randomness starts; light to import."""

from __future__ import annotations

from hashlib import sha256
from math import ceil

from mcost.spec.scenario import Scenario

__all__ = ["events_of", "seed_of"]


def seed_of(seed: int, cell: int) -> int:
    """The seed of one scenario: the sweep's and its number, hashed to 31 bits."""
    return int.from_bytes(sha256(f"{seed}:{cell}".encode()).digest()[:4], "big") >> 1


def events_of(scenario: Scenario) -> int:
    """Trace events of one trial, roughly."""
    held = 1.0 if scenario.held is None else scenario.held
    moves = 2 * (scenario.rate or 0.0) * (scenario.age or 0.0) * scenario.sharers
    visits = scenario.sharers * (1 + scenario.threads) + moves
    return ceil(visits + scenario.cpus * (2 + scenario.pages * held))
