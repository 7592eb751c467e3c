"""Random sets of CPUs, as the workload drew them: its generator, step by step."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["random_sets"]

_WORD = (1 << 64) - 1


def random_sets(cpus: int, sharers: int, size: int, seed: int) -> list[list[int]]:
    """Each sharer's CPUs, drawn without repetition from 1 .. cpus - 1 (w123.c, layout).

    Raises:
        ValueError: more CPUs in a set than there are.
    """
    if size > cpus - 1:
        raise ValueError(f"cpus_per_sharer is {size}, must be at most cpus - 1 ({cpus - 1})")
    draw = _splitmix(seed)
    made = []
    for _ in range(sharers):
        pool = list(range(1, cpus))
        chosen = []
        for _ in range(size):
            at = next(draw) % len(pool)
            chosen.append(pool[at])
            pool[at] = pool[-1]
            pool.pop()
        made.append(chosen)
    return made


def _splitmix(seed: int) -> Iterator[int]:
    """SplitMix64 (common.h, rnd)."""
    state = seed & _WORD
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _WORD
        word = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
        yield word ^ (word >> 31)
