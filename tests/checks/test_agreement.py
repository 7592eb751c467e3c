"""Algebra and machine agree on the quick grid; a wrong formula or machine would be seen."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from math import log, sqrt

import pytest

from mcost.checks import agreement
from mcost.checks.agreement import agree, cells_of
from mcost.checks.grid import grid
from mcost.spec.designs import DESIGNS, design
from mcost.spec.kernels import KERNELS
from mcost.spec.operations import OPERATIONS
from mcost.spec.placements import PLACEMENTS
from mcost.spec.scenario import Scenario

SCENARIO = Scenario(32, 12, share=0.5, operation="protect")


def test_quick_validation_holds_in_every_cell():
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "validate", "--quick", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    failing = [cell for cell in document["cells"] if not cell["holds"]]
    assert document["judge"] == "simulator"
    assert failing == []
    assert done.returncode == 0
    assert {cell["design"] for cell in document["cells"]} >= {one.name for one in DESIGNS}


def test_the_grid_crosses_what_it_says():
    cells = grid()
    assert {one.operation for one in cells} == {one.name for one in OPERATIONS}
    assert {one.kernel for one in cells} == {one.name for one in KERNELS}
    for law in PLACEMENTS:
        mine = [one for one in cells if one.placement == law.name]
        assert {one.initiator for one in mine} == set(law.initiators)
        kernels = [one.name for one in KERNELS if one.lazy_masks or not law.lazy_only]
        assert {one.kernel for one in mine} == set(kernels)
    assert len(cells) == len(set(cells))


@pytest.mark.parametrize(
    "wrong",
    [
        {"tracks": "nothing", "scope": "everything", "bumps": False},
        {"scope": "pages-or-asid"},
        {"bumps": False},
    ],
)
def test_a_formula_of_another_design_does_not_pass(wrong, monkeypatch):
    """The judge sees it when algebra and machine are given different designs."""
    real = agreement.expect
    other = replace(design("merged"), **wrong)
    monkeypatch.setattr(agreement, "expect", lambda scenario, one: real(scenario, other))
    assert not all(cell.holds for cell in agree(SCENARIO, [design("merged")], seed=3))


def test_intervals_are_narrow_and_reproducible():
    first = agree(SCENARIO, [design("merged")], seed=5)
    assert first == agree(SCENARIO, [design("merged")], seed=5)
    ipis = next(cell for cell in first if cell.count == "ipis")
    assert 0 < ipis.half_width <= 0.01 * ipis.expected
    assert ipis.simulated != ipis.expected


@pytest.mark.parametrize("cells", [None, 10**6])
def test_the_joint_risk_counts_every_cell_of_the_run(cells):
    """No run has more cells than allowed for, and the interval is as wide as that many ask."""
    found = agree(SCENARIO, [design("merged")], seed=5, cells=cells)
    allowed = cells or cells_of(1, [design("merged")])
    assert len(found) <= allowed
    ipis = next(cell for cell in found if cell.count == "ipis")
    variance = float(agreement.expect(SCENARIO, design("merged")).ipis.variance)
    part = log(2 * allowed / agreement.RISK) / ipis.trials
    least = sqrt(2 * variance * part)
    assert least < ipis.half_width <= least + SCENARIO.cpus * part / 3


def test_the_grid_has_no_more_cells_than_allowed_for():
    total = sum(len(agreement._moments(one, design("exact"))) for one in grid(quick=True))
    assert total <= cells_of(len(grid(quick=True)), [design("exact")])


def test_cells_do_not_depend_on_the_number_of_processes():
    code = (
        "from mcost.checks.agreement import judge\n"
        "from mcost.spec.designs import design\n"
        "asked = [design('exact')]\n"
        "one, two = (list(judge(True, 1, asked, workers)) for workers in (1, 2))\n"
        "assert len(one) > 10 and one == two\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
