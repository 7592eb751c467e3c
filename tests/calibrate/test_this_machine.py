"""Calibration here: the fits find what made the times; the verb measures, writes and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mcost.calibrate.machine import PAGES, Point, Run, measure
from mcost.calibrate.profile import Description, fit_local, fit_remote, profile
from mcost.spec.hardware import load_hardware
from mcost.spec.hardware_text import write_hardware
from mcost.spec.operations import CEILING

ABOUT = Description("Test CPU", 8, 2, "6.12.1", False, False, 3.0, "AuthenticAMD")


def truth(point: Point) -> float:
    """ns by known prices: call 800, page 30, INVLPG 50, full 400, step 900, far 700, ..."""
    pages, remotes = point.pages, point.near + point.far
    time = 800 + 30 * pages + (50 * pages if pages <= CEILING else 400)
    if point.operation == "madvise":
        time += 5 * pages**1.1
    if remotes:
        time += 900 + 700 * (point.far > 0) + 60 * max(point.near - 1, 0)
        time += 200 * (point.far - (not point.near) if point.far else 0)
    return time


SETS = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 4), (3, 4)]
POINTS = [Point(op, p, n, f) for op in ("madvise", "mprotect") for p in PAGES for n, f in SETS]


def test_fits_recover_known_prices_on_two_sockets() -> None:
    times = {point: truth(point) for point in POINTS}
    local, remote = fit_local(times), fit_remote(times)
    assert (local.call, local.page, local.invlpg, local.full) == pytest.approx((800, 30, 50, 400))
    assert (remote.step, remote.far, remote.next, remote.next_far) == pytest.approx(
        (900, 700, 60, 200), rel=1e-3
    )


def test_a_few_wild_points_do_not_move_the_fit() -> None:
    rng = np.random.default_rng(2)
    times = {point: truth(point) * rng.normal(1, 0.005) for point in POINTS}
    for point in POINTS[::17]:
        times[point] *= 5
    local = fit_local(times)
    assert local.invlpg == pytest.approx(50, rel=0.1)
    assert fit_remote(times).step == pytest.approx(900, rel=0.1)


def test_a_profile_says_what_it_could_not_fit(tmp_path) -> None:
    one_remote = [point for point in POINTS if point.far == 0 and point.near <= 1]
    rng = np.random.default_rng(4)
    run = Run({p: list(truth(p) * rng.normal(1, 0.01, 9)) for p in one_remote},
              {p: [100.0] * 9 for p in one_remote}, [1500.0] * 9, [12.0] * 9)  # fmt: skip
    machine, missing = profile(run, ABOUT, "here")
    assert any(line.startswith("next: needs a third CPU") for line in missing)
    assert any(line.startswith("first_far: needs another socket") for line in missing)
    assert machine.prices["next"].basis == "fitted"  # of zen3
    assert machine.prices["first"].basis == "measured"
    assert machine.prices["first"].low <= 900 + 376 <= machine.prices["first"].high * 1.1
    assert machine.prices["responder"].value == 1500
    write_hardware(machine, tmp_path / "here.toml")
    assert load_hardware(tmp_path / "here.toml").title.startswith("Test CPU, 8 CPUs, Linux 6.12.1")


def test_a_run_that_was_never_undisturbed_is_refused() -> None:
    alone = {point: [truth(point)] * 5 for point in POINTS if not point.near + point.far}
    with pytest.raises(ValueError, match="did not run undisturbed"):
        profile(Run(alone, alone, told=0, stalled=900), ABOUT, "here")


@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0])
def test_seconds_are_limited(seconds) -> None:
    with pytest.raises(ValueError, match="must be above 0, to 60"):
        measure(seconds)


def verb(*arguments: str, cpus: int | None = None) -> subprocess.CompletedProcess[str]:
    def narrow() -> None:
        if cpus is not None:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])

    return subprocess.run(
        [sys.executable, "-m", "mcost.cli", "calibrate", *arguments],
        capture_output=True, text=True, check=False, preexec_fn=narrow,
    )  # fmt: skip


linux_2 = pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and 2 CPUs",
)


@linux_2
def test_the_verb_measures_this_machine(tmp_path) -> None:
    path = tmp_path / "here.toml"
    done = verb("-o", str(path), "--seconds", "3", "--json")
    if done.returncode == 2 and ("undisturbed" in done.stderr or "too busy" in done.stderr):
        pytest.skip("the other CPUs are busy")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    machine = load_hardware(path)
    assert answer["machine"] == machine.title
    assert machine.prices["first"].basis == "measured"
    assert machine.prices["first"].value > 50  # no interrupt is faster
    assert answer["flushes_watched"] > 0


@linux_2
def test_one_cpu_is_refused_in_one_line(tmp_path) -> None:
    done = verb("-o", str(tmp_path / "here.toml"), cpus=1)
    assert done.returncode == 2
    assert done.stderr == ("mcost: calibrate: needs 2 CPUs or more to interrupt one, this has 1\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give either --published, or -o FILE.toml"),
        (("--published", "-o", "x.toml"), "give either --published, or -o FILE.toml"),
        (("-o", "x.txt"), "'x.txt' must end in .toml"),
        (("-o", "x.toml", "--residuals"), "--residuals and --write go with --published"),
    ],
)
def test_wrong_options_are_one_line(arguments, says) -> None:
    done = verb(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_published_fits_print_with_their_residuals() -> None:
    done = verb("--published", "--json")
    answer = json.loads(done.stdout)
    names = {row["parameter"] for row in answer["parameters"]}
    assert {"remote.first", "madvise.next", "arm.page"} <= names
    assert {row["id"] for row in answer["residuals"]} >= {"S01-before-01", "S05-33", "S10-hw-15"}
    table = verb("--published", "--residuals", "--csv").stdout.splitlines()
    assert table[0] == "fit,id,unit,published,fitted,error_percent"
    assert len(table) == 1 + len(answer["residuals"])
