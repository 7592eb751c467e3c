"""Sweeps: the answers are those of a single question, whoever works on them and how often."""

from __future__ import annotations

import json
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import mcost
from mcost.algebra.cost import price
from mcost.algebra.counts import expect, mean_sd
from mcost.spec.designs import design
from mcost.spec.hardware import hardware
from mcost.spec.scenario import Scenario
from mcost.sweep import Grid, parse_grid, run_sweep
from mcost.sweep.chunks import Chunks
from mcost.sweep.sizes import seed_of

SMALL = {
    "designs": ["per-mm", "merged"],
    "scenario": {"cpus": [4, 8, 17], "sharers": [0, 1, 5], "share": [0.0, 0.4], "pages": 3},
}


@pytest.fixture
def in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcost.sweep.chunks._ROWS", 120)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


class LastFirst(ThreadPoolExecutor):
    """Works on what it was given last."""

    def __init__(self) -> None:
        super().__init__(1)
        self.given: list[tuple[Future[Any], Any, Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.append((future, fn, args))
        super().submit(self.work)
        return future

    def work(self) -> None:
        future, fn, args = self.given.pop()
        future.set_result(fn(*args))


def test_algebra_is_expect() -> None:
    frame = mcost.sweep(SMALL)
    for row in frame.itertuples():
        scenario = Scenario(cpus=row.cpus, sharers=row.sharers, share=row.share, pages=3)
        pair = mean_sd(getattr(expect(scenario, design(row.design)), row.quantity))
        if pair is None:
            assert np.isnan(row.mean_count), row
        else:
            assert row.mean_count == pytest.approx(pair[0], abs=1e-9), row
            if pair[1] is not None and not np.isnan(row.sd_count):
                assert row.sd_count == pytest.approx(pair[1], abs=1e-5), row
    assert set(frame.by) == {"algebra"}
    assert frame.error.isna().all()
    assert len(frame) == parse_grid(SMALL).rows


def test_simulation_agrees_and_states_its_error() -> None:
    asked = {**SMALL, "by": ["algebra", "simulation"], "simulation": {"trials": 400, "seed": 3}}
    frame = mcost.sweep({**asked, "counts": ["ipis", "rounds", "walks"]})
    keys = ["scenario", "design", "quantity"]
    formula = frame[frame.by == "algebra"].set_index(keys)
    machine = frame[frame.by == "simulation"].set_index(keys).loc[formula.index]
    assert len(formula) == 18 * 2 * 2
    off = (machine.mean_count - formula.mean_count).abs()
    assert (off <= 5 * formula.sd_count / 400**0.5 + 1e-6).all()
    np.testing.assert_allclose(machine.error_count, machine.sd_count / 20)
    simulated = frame[frame.by == "simulation"]
    assert (simulated.trials == 400).all()
    assert (simulated.seed == simulated.scenario.map(lambda cell: seed_of(3, cell))).all()
    assert (simulated[simulated.quantity == "walks"].mean_count >= 0).all()


def test_costs_are_the_prices_of_the_counts() -> None:
    asked = {**SMALL, "hardware": "skylake-2s", "counts": ["ipis"], "costs": ["initiator", "total"]}
    frame = mcost.sweep(asked)
    costs = frame[frame.hardware == "skylake-2s"].set_index(["scenario", "design", "quantity"])
    grid = parse_grid(asked)
    for cell in (3, 8, 17):
        scenario = Scenario(**grid.fields(cell))
        for who in grid.asked.designs:
            means = expect(scenario, who).map(lambda value: (mean_sd(value) or (None,))[0])
            paid = price(means, hardware("skylake-2s"), scenario, who)
            for name in ("initiator", "total"):
                row, cost = costs.loc[cell, who.name, name], paid[name]
                assert cost is not None
                found = (row.value_ns, row.low_ns, row.high_ns)
                assert found == pytest.approx((cost.value, cost.low, cost.high), rel=1e-9)


def test_a_price_that_is_missing_is_said() -> None:
    frame = mcost.sweep(
        {"scenario": {"cpus": 8, "sharers": 2, "share": 0.5}, "designs": ["broadcast", "merged"],
         "hardware": "skylake-2s", "counts": ["ipis"], "costs": ["total"]}
    )  # fmt: skip
    costs = frame[frame.quantity == "total"].set_index("design")
    assert np.isnan(costs.value_ns["broadcast"]) and "no price" in costs.error["broadcast"]
    assert costs.value_ns["merged"] > 0 and pd.isna(costs.error["merged"])


def test_an_impossible_scenario_is_a_row(tmp_path: Path) -> None:
    grid = parse_grid({**SMALL, "scenario": {"cpus": [4, 0], "sharers": 2, "share": [0.5, 1.5]}})
    totals = run_sweep(grid, tmp_path / "out", workers=1)
    frame = pd.read_parquet(tmp_path / "out")
    failed = frame[frame.error.notna()]
    assert totals.failed == len(failed) == 3
    assert failed.design.isna().all()
    assert list(failed.scenario) == [1, 2, 3]
    assert failed.cpus.tolist() == [4, 0, 0]
    assert "share: 1.5 is out of range" in failed.error.iloc[0]
    assert len(frame[frame.scenario == 0]) == grid.asked.rows_per_cell


@pytest.mark.usefixtures("in_small_chunks")
def test_same_bytes_on_any_executor(tmp_path: Path) -> None:
    grid = parse_grid(SMALL)
    run_sweep(grid, tmp_path / "one", workers=1)
    with ThreadPoolExecutor(2) as threads:
        run_sweep(grid, tmp_path / "threads", executor=threads)
    with LastFirst() as stack:
        run_sweep(grid, tmp_path / "last first", executor=stack, workers=2)
    expected = bytes_of(tmp_path / "one")
    assert len(expected) > 5
    assert bytes_of(tmp_path / "threads") == expected
    assert bytes_of(tmp_path / "last first") == expected


@pytest.mark.usefixtures("in_small_chunks")
def test_what_is_there_is_not_done_again(tmp_path: Path) -> None:
    grid, folder = parse_grid(SMALL), tmp_path / "out"
    run_sweep(grid, folder, workers=1)
    expected = bytes_of(folder)
    kept = folder / "part-000001.parquet"
    before = kept.stat().st_mtime_ns
    for number in (0, 3):
        (folder / f"part-{number:06d}.parquet").unlink()
    (folder / ".part-000003.parquet.99.tmp").write_bytes(b"half a chunk")
    heard: list[tuple[int, int]] = []
    run_sweep(grid, folder, workers=1, progress=lambda *told: heard.append(told))
    assert bytes_of(folder) == expected
    assert kept.stat().st_mtime_ns == before
    size = Chunks(grid).cells
    assert heard == [(18 - 2 * size, 18), (18 - size, 18), (18, 18)]


def test_another_sweep_is_refused(tmp_path: Path) -> None:
    run_sweep(parse_grid(SMALL), tmp_path, workers=1)
    before = bytes_of(tmp_path)
    with pytest.raises(ValueError, match=r"holds another sweep .*counts"):
        run_sweep(parse_grid({**SMALL, "counts": ["ipis"]}), tmp_path, workers=1)
    assert bytes_of(tmp_path) == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("keep me")
    with pytest.raises(ValueError, match="is not empty and holds no sweep"):
        run_sweep(parse_grid(SMALL), tmp_path, workers=1)
    assert bytes_of(tmp_path) == {"letters.txt": b"keep me"}


def test_too_many_rows_are_counted_first(tmp_path: Path) -> None:
    grid = parse_grid({"scenario": {"cpus": 8, "sharers": {"from": 1, "to": 10**6}, "share": 0.5}})
    with pytest.raises(ValueError, match=rf"{grid.rows} rows \(1000000 scenarios\).* GB"):
        run_sweep(grid, tmp_path / "out", max_rows=grid.rows - 1)
    assert not (tmp_path / "out").exists()


def test_every_file_says_where_it_comes_from(tmp_path: Path) -> None:
    run_sweep(parse_grid({**SMALL, "title": "small"}), tmp_path, workers=1)
    manifest = json.loads((tmp_path / "_sweep.json").read_text())
    footer = pq.read_metadata(tmp_path / "part-000000.parquet").metadata
    assert json.loads(footer[b"mcost"]) == manifest
    assert manifest["title"] == "small"
    assert "sources" in manifest["version"]
    assert manifest["simulation"]["seed"] == 1


def test_a_worker_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = parse_grid(SMALL)
    run_sweep(grid, tmp_path, workers=1)
    (tmp_path / "part-000000.parquet").unlink()
    before = bytes_of(tmp_path)

    class Elsewhere(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            with monkeypatch.context() as there:
                there.setattr("mcost.sweep.task.this_version", lambda: "older")
                try:
                    future.set_result(fn(*args, **kwargs))
                except ValueError as error:
                    future.set_exception(error)
            return future

    with pytest.raises(ValueError, match="version mismatch: a worker runs older"):
        run_sweep(grid, tmp_path, executor=Elsewhere())
    assert bytes_of(tmp_path) == before


def test_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid: Grid = parse_grid(SMALL)
    folder = tmp_path / "out"
    run_sweep(grid, folder, workers=1)
    (folder / "part-000000.parquet").unlink()
    before = bytes_of(folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mcost.sweep.store.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_sweep(grid, folder, workers=1)
    assert bytes_of(folder) == before
