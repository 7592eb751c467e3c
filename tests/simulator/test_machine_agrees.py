"""The compiled machine against the reference, count by count, on random traces.

Every design, every variant and a few more values of the design columns see EXAMPLES
distinct traces each, on an eager and on a lazy kernel: 29 x 70 = 2,030 traces and 4,060
comparisons of all counts. MCOST_TEST_SCALE=10 makes it ten times as many, and new ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st
from reference_machine import reference
from stories import retell, story
from strategies import bounded, seed_of, traces

from mcost.simulator import simulate
from mcost.spec.designs import DESIGNS, VARIANTS, Design
from mcost.spec.kernels import kernel
from mcost.traces.schema import Trace, TraceError

EXAMPLES = 70


def made_up(hook: str, tracks: str, delivery: str, scope: str, bumps: bool = True) -> Design:
    """A design nobody has proposed, that its columns describe all the same."""
    name = f"{hook}+{tracks}+{delivery}+{scope}" + ("" if bumps else "+unbumped")
    return Design(name, hook, tracks, delivery, scope, (), "this test", bumps=bumps)  # type: ignore[arg-type]


MADE_UP = (
    made_up("batch", "each", "ipi", "pages-or-asid"),
    made_up("event", "each", "ipi", "asid", bumps=False),
    made_up("event", "union", "ipi", "pages-or-asid"),
    made_up("batch", "running", "ipi", "pages-or-asid"),
    made_up("event", "running", "ipi", "everything"),
    made_up("event", "nothing", "ipi", "asid"),
    made_up("batch", "region", "ipi", "asid"),
    made_up("event", "region", "ipi", "everything"),
    made_up("batch", "union", "deferred", "asid"),
    made_up("event", "each", "tlbi", "asid", bumps=False),
    made_up("batch", "nothing", "invlpgb", "everything", bumps=False),
)

OPTIONS = st.fixed_dictionaries(
    {
        "sets": st.integers(1, 4),
        "ways": st.integers(1, 3),
        "batch": st.sampled_from((31, 1, 2, 3, 7, 64)),
        "apic": st.sampled_from(("cluster", "physical")),
        "share_level": st.sampled_from(("p4d", "pmd", "pte")),
        "invlpgb_max": st.sampled_from((8, 1, 3)),
    }
)
"""Small TLBs, so that entries are evicted; LARGE_TLB is the other half."""

LARGE_TLB = st.fixed_dictionaries(
    {"sets": st.sampled_from((128, 16)), "ways": st.sampled_from((12, 4))}
)


@pytest.mark.parametrize(
    ("number", "design"),
    list(enumerate((*DESIGNS, *VARIANTS, *MADE_UP))),
    ids=[each.name for each in (*DESIGNS, *VARIANTS, *MADE_UP)],
)
def test_every_count_agrees(number: int, design: Design) -> None:
    # A seed a design: the same test body would draw the same traces for all of them.
    @seed(seed_of(number))
    @bounded(EXAMPLES)
    @given(
        trace=traces(),
        options=OPTIONS | LARGE_TLB,
        eager=st.sampled_from(("6.12", "6.1")),
        spare=st.sampled_from((0, 0, 0, 0, 0, 1, 12, 60)),
    )
    def agree(trace: Trace, options: dict[str, object], eager: str, spare: int) -> None:
        cpus = trace.cpus + spare
        for version in (eager, "6.14"):
            expected = reference(trace, design, kernel(version), cpus=cpus, **options)
            counted = simulate(trace, design, kernel(version), cpus=cpus, **options)  # type: ignore[arg-type]
            differ = {
                name: f"machine {value}, reference {getattr(expected, name)}"
                for name, value in counted.items()
                if value != getattr(expected, name)
            }
            assert not differ, f"kernel {version}, {cpus} CPUs:\n{retell(trace)}"

    agree()


def test_plain_python_agrees() -> None:
    # The machine without Numba is the debugging mode: it must answer the same.
    root = Path(__file__).parents[2]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "MCOST_TEST_SCALE": "0.03"}
    files = ["tests/test_reference.py", "tests/simulator/test_machine_agrees.py"]
    chosen = ["-k", "compiled or every_count", *files]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("attach mm=1\n attach mm=1", "row 2: mm 1 is attached already"),
        ("detach mm=1", "row 1: mm 1 is not attached"),
        ("tick cpu=-1", "row 1: cpu -1 is negative"),
        ("tick cpu=9", "row 1: cpu 9 is not below 4, the number of CPUs"),
        ("", "the trace has no events"),
    ],
)
def test_impossible_traces_are_refused(text: str, said: str) -> None:
    # The compiled loop checks no bounds: such a trace would write where it must not.
    with pytest.raises(TraceError, match=f"^{said}$"):
        simulate(story(text), DESIGNS[0], kernel("6.12"), cpus=4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cpus": 0}, "is not below 0"),
        ({"cpus": 2}, "cpu 2 is not below 2"),
        ({"sets": 0}, "sets: 0 is out of range, must be at least 1"),
        ({"ways": 0}, "ways: 0 is out of range, must be at least 1"),
        ({"batch": 0}, "batch: 0 is out of range, must be at least 1"),
        ({"invlpgb_max": 0}, "invlpgb_max: 0 is out of range, must be at least 1"),
        ({"apic": "flat"}, "unknown apic mode 'flat'"),
        ({"share_level": "pud"}, "unknown share level 'pud': must be one of pte, pmd, p4d"),
    ],
)
def test_impossible_machines_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        simulate(story("tick cpu=2"), DESIGNS[0], kernel("6.12"), **options)  # type: ignore[arg-type]
