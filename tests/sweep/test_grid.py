"""Grids: what a TOML file asks, and what is wrong with one that asks nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import bounded

from mcost.spec.designs import DESIGNS
from mcost.spec.files import data_path
from mcost.sweep import load_grid, parse_grid

SCENARIO = {"cpus": 8, "sharers": 3, "share": 0.5}


def cells(**document: object) -> list[dict[str, object]]:
    grid = parse_grid(document)
    return [grid.fields(cell) for cell in range(grid.cells)]


def test_every_combination_last_key_fastest() -> None:
    found = cells(scenario={"cpus": [2, 4], "sharers": [1, 3], "share": 0.5})
    assert [(one["cpus"], one["sharers"]) for one in found] == [(2, 1), (2, 3), (4, 1), (4, 3)]
    assert all(one["share"] == 0.5 for one in found)


def test_ranges() -> None:
    found = cells(scenario={"cpus": 8, "sharers": {"from": 2, "to": 5}})
    assert [one["sharers"] for one in found] == [2, 3, 4, 5]
    found = cells(
        scenario={"cpus": 8, "sharers": {"from": 1, "to": 1000, "points": 4, "log": True}}
    )
    assert [one["sharers"] for one in found] == [1, 10, 100, 1000]
    found = cells(scenario={"cpus": 8, "sharers": 1, "share": {"from": 0, "to": 1, "points": 5}})
    assert [one["share"] for one in found] == [0, 0.25, 0.5, 0.75, 1]


def test_doubles_drop_out() -> None:
    found = cells(scenario={"cpus": 8, "sharers": {"from": 1, "to": 4, "points": 40, "log": True}})
    assert [one["sharers"] for one in found] == [1, 2, 3, 4]


def test_linked_parameters_move_together() -> None:
    found = cells(linked=[{"cpus": [16, 64], "sharers": [4, 9]}], scenario={"pages": [1, 2]})
    assert [(one["cpus"], one["sharers"], one["pages"]) for one in found] == [
        (16, 4, 1), (16, 4, 2), (64, 9, 1), (64, 9, 2),
    ]  # fmt: skip


def test_bound_parameters_follow() -> None:
    found = cells(
        scenario={"cpus": [1, 64], "sharers": 3, "threads": {"of": "cpus", "times": 0.25}}
    )
    assert [one["threads"] for one in found] == [1, 16]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_of_scenarios(tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    table = pd.DataFrame({"cpus": [4, 8], "sharers": [1, 2], "kernel": ["6.1", "6.12"]})
    if suffix == "csv":
        table.to_csv(tmp_path / "asked.csv", index=False)
    else:
        table.to_parquet(tmp_path / "asked.parquet")
    grid = tmp_path / "grid.toml"
    grid.write_text(f'scenarios = "asked.{suffix}"\n[scenario]\nshare = [0.1, 0.2]\n')
    read = load_grid(grid)
    assert read.cells == 4
    assert read.fields(2) == {"cpus": 8, "sharers": 2, "kernel": "6.12", "share": 0.1}


def test_usual_answers() -> None:
    asked = parse_grid({"scenario": SCENARIO}).asked
    assert asked.designs == DESIGNS
    assert asked.by == ("algebra",)
    assert asked.machines == asked.costs == ()


@bounded(40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_every_cell_is_there_once(sizes: list[int]) -> None:
    names = ("cpus", "sharers", "pages", "batch")
    scenario = {name: list(range(1, size + 1)) for name, size in zip(names, sizes, strict=False)}
    grid = parse_grid({"scenario": {"cpus": 1, "sharers": 1} | scenario})
    seen = {tuple(sorted(grid.fields(cell).items())) for cell in range(grid.cells)}
    assert len(seen) == grid.cells


WRONG = {
    "no scenario": ({}, "cpus: missing"),
    "no sharers": ({"scenario": {"cpus": 2}}, "sharers: missing"),
    "unknown key": ({"scenario": SCENARIO, "design": "merged"}, "unknown key 'design'"),
    "unknown parameter": ({"scenario": SCENARIO | {"cpu": 2}}, "unknown parameter 'cpu'"),
    "empty list": ({"scenario": SCENARIO | {"cpus": []}}, "cpus: the list is empty"),
    "word for a number": ({"scenario": SCENARIO | {"cpus": "many"}}, "must be a whole number"),
    "half a CPU": ({"scenario": SCENARIO | {"cpus": 2.5}}, "must be a whole number"),
    "truth": ({"scenario": SCENARIO | {"cpus": True}}, "must be a whole number"),
    "number for a word": ({"scenario": SCENARIO | {"kernel": 6.1}}, "must be a word"),
    "range of words": ({"scenario": SCENARIO | {"kernel": {"from": 1, "to": 2}}}, "list of words"),
    "range without end": ({"scenario": SCENARIO | {"pages": {"from": 1}}}, "needs 'to'"),
    "range backwards": ({"scenario": SCENARIO | {"pages": {"from": 9, "to": 1}}}, "is empty"),
    "no points": ({"scenario": SCENARIO | {"share": {"from": 0, "to": 1}}}, "share.points"),
    "log of 0": (
        {"scenario": SCENARIO | {"pages": {"from": 0, "to": 9, "points": 3, "log": True}}},
        "no logarithm",
    ),
    "unknown range key": (
        {"scenario": SCENARIO | {"pages": {"from": 1, "to": 9, "step": 2}}},
        "unknown key of pages 'step'",
    ),
    "linked lengths": ({"linked": [{"cpus": [1, 2], "sharers": [1]}]}, "must be equally long"),
    "linked scalar": ({"linked": [{"cpus": 1, "sharers": 2}]}, "must be a list with values"),
    "twice": ({"scenario": SCENARIO, "linked": [{"cpus": [1]}]}, "cpus: given more than once"),
    "follows nobody": (
        {"scenario": SCENARIO | {"threads": {"of": "pages"}}},
        "threads: it follows pages",
    ),
    "unknown design": ({"scenario": SCENARIO, "designs": "mergd"}, "nearest valid merged"),
    "unknown method": ({"scenario": SCENARIO, "by": ["guess"]}, "unknown by 'guess'"),
    "unknown count": ({"scenario": SCENARIO, "counts": ["ipi"]}, "unknown counts 'ipi'"),
    "unknown hardware": ({"scenario": SCENARIO, "hardware": "vax"}, "unknown hardware 'vax'"),
    "costs of nothing": ({"scenario": SCENARIO, "costs": "total"}, "need hardware"),
    "no trials": ({"scenario": SCENARIO, "simulation": {"trials": 0}}, "simulation.trials: 0"),
    "draws": ({"scenario": SCENARIO, "cost_points": 100}, "power of two"),
    "table for a list": ({"scenario": 3}, "scenario: must be a table"),
    "no file": ({"scenarios": 3}, "must name a file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_grids_are_refused_in_one_sentence(case: str) -> None:
    document, message = WRONG[case]
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        parse_grid(document)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cpus,sharers\n", "no scenarios"),
        ("cpus,sharers\n1,\n", "column sharers has empty cells"),
        ("cpus,sharer\n1,2\n", "unknown column of asked.csv 'sharer'"),
        ("cpus,sharers\n1,many\n", "sharers: 'many' must be a whole number"),
        ("", "not a readable table"),
    ],
)
def test_wrong_files_of_scenarios(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "asked.csv").write_text(text)
    with pytest.raises(ValueError, match=r"asked\.csv") as caught:
        parse_grid({"scenarios": "asked.csv"}, tmp_path)
    assert message in str(caught.value)


def test_what_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("[scenario\n")
    with pytest.raises(ValueError, match=r"grid\.toml: not a readable grid"):
        load_grid(path)


@pytest.mark.parametrize("path", sorted(data_path("grids").glob("*.toml")), ids=lambda p: p.stem)
def test_bundled_grids_are_good(path: Path) -> None:
    grid = load_grid(path)
    assert grid.title
    assert grid.rows > 0
