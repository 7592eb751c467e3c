"""Flushing all running CPUs at once counts what asking each of them counts."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import story
from strategies import bounded, traces

from mcost.simulator import layout, simulate
from mcost.spec.counts import Counts
from mcost.spec.designs import design
from mcost.spec.kernels import kernel
from mcost.traces.schema import Trace

NAMES = ("per-mm", "merged", "batched", "region-mask")


def _asked_in_turn(trace: Trace, name: str, version: str, cpus: int) -> Counts[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_MOST_HELD", -1)
        return simulate(trace, design(name), kernel(version), cpus=cpus, sets=2, ways=2)


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_count_alike(name: str) -> None:
    @bounded(60)
    @given(trace=traces(), version=st.sampled_from(("6.12", "6.14")), spare=st.integers(0, 70))
    def compare(trace: Trace, version: str, spare: int) -> None:
        cpus = trace.cpus + spare
        at_once = simulate(trace, design(name), kernel(version), cpus=cpus, sets=2, ways=2)
        assert at_once == _asked_in_turn(trace, name, version, cpus)

    compare()


def test_the_table_has_a_limit() -> None:
    """More pages than fit are flushed by asking each CPU, not by a table of any size."""
    rules = layout.Rules(*range(len(layout.Rules._fields)))
    rules = rules._replace(
        tracks=layout.EACH, delivery=layout.IPI, everything=0, tables=0, bumps=1, words=1
    )
    assert layout._at_once(rules, 1 << 23) == 1
    assert layout._at_once(rules, (1 << 23) + 1) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_last_cpu_of_a_word(name: str) -> None:
    """CPUs 62 to 65 run sharers and hold the page; CPU 63 asks."""
    lines = [f"attach mm={mm}" for mm in range(4)]
    for cpu in range(62, 66):
        lines += [f"switch cpu={cpu} mm={cpu - 62}", f"touch cpu={cpu} page=5"]
    trace = story("\n".join([*lines, "invalidate cpu=63 page=5 kind=pte", "touch cpu=65 page=5"]))
    counts = simulate(trace, design(name), kernel("6.12"))
    assert (counts.ipis, counts.useful_ipis, counts.stale_hits, counts.walks) == (3, 3, 0, 5)
    in_turn = _asked_in_turn(trace, name, "6.12", 66)
    same = [f.name for f in fields(counts) if getattr(counts, f.name) == getattr(in_turn, f.name)]
    assert len(same) == len(fields(counts))
