"""Single exports: the same bytes each time, provenance on them, and text that fits."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcost.report.columns import fixed, mail_table
from mcost.report.export import FORMATS, as_csv, draw, specification
from mcost.report.figures import FIGURES, figure
from mcost.report.labels import spread_apart
from mcost.report.setting import Setting, parsed
from mcost.report.tables import TABLES, fitted, records
from mcost.spec.designs import DESIGNS

MAGIC = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
SMALL = Setting(cpus=8, sharers=6)
SLOW = {"parity", "scores", "scaling", "limits"}  # their notebooks are executed anyway


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcost.cli", *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", [one.name for one in FIGURES if one.name not in SLOW])
def test_every_figure_is_the_same_bytes_twice(name: str) -> None:
    one = figure(name)
    frame = one.data(SMALL)
    assert len(frame)
    for form in FORMATS:
        first, second = (draw(specification(one, frame, "told by x"), form) for _ in range(2))
        assert first == second
        assert first.startswith(MAGIC[form])
    assert b"told by x" in draw(specification(one, frame, "told by x"), "svg")
    assert as_csv(one.data(SMALL), "p") == as_csv(frame, "p")


@pytest.mark.parametrize("name", ["stale", "told"])
def test_provenance_names_what_is_shown(name: str) -> None:
    setting = Setting(cpus=200, pages=100)
    shown = figure(name).data(setting)["cpu"].nunique()
    assert f"cpus {shown}," in figure(name).provenance(setting)
    assert f"{name};" in figure(name).provenance(setting)


def test_provenance_leaves_out_what_varies_or_does_not_matter() -> None:
    pairs = [("cheapest", "sharers"), ("machines", "hardware"), ("told", "hardware")]
    for name, without in pairs:
        assert without not in figure(name).provenance(Setting())
    assert "trace k6.12" in figure("recorded").provenance(Setting())


def test_png_is_small_enough_to_link_and_width_is_kept() -> None:
    one = figure("told")
    spec = specification(one, one.data(SMALL), "p")
    assert len(draw(spec, "svg")) < 200_000
    assert b'width="500"' in draw(spec, "svg", 500)
    with pytest.raises(ValueError, match="--width: 5 is out of range"):
        draw(spec, "svg", 5)


@given(st.lists(st.floats(0, 100)), st.floats(0.1, 20))
def test_labels_keep_order_and_distance(places: list[float], gap: float) -> None:
    found = spread_apart(sorted(places), gap)
    assert len(found) == len(places)
    assert all(b - a >= gap * (1 - 1e-6) for a, b in pairwise(found))


@given(st.lists(st.floats(0, 1e7, allow_nan=False), min_size=1, max_size=8))
def test_decimal_points_line_up(values: list[float]) -> None:
    names = [f"d{k}" for k in range(len(values))]
    lines = mail_table(["design", "value"], [names, fixed(list(values))])
    assert len({len(line) for line in lines[1:]} | {len(lines[0])}) == 1
    assert len({line.rfind(".") for line in lines[1:]}) == 1


@pytest.mark.parametrize("one", [t for t in TABLES if t.name != "kernels"], ids=lambda t: t.name)
@pytest.mark.parametrize("width", [60, 72])
def test_tables_fit(one: object, width: int) -> None:
    table = next(entry for entry in TABLES if entry is one)
    lines = fitted(table.title, records(table.rows(SMALL)), "p", width)
    assert all(len(line) <= width and line.isascii() for line in lines)


def test_cli_exports_one_figure_and_one_table(tmp_path: Path) -> None:
    target = tmp_path / "told.svg"
    done = run("figure", "told", "--width", "600", "-o", str(target), "--set", "cpus=8")
    assert done.returncode == 0, done.stderr
    assert "cpus 8" in target.read_text()
    rows = list(csv.DictReader(io.StringIO(run("table", "counts", "--csv").stdout)))
    assert [row["design"] for row in rows] == [one.name for one in DESIGNS]
    listed = run("figure", "--list").stdout
    assert all(one.name in listed for one in FIGURES)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["figure", "scalin", "-o", "x.svg"], "scaling"),
        (["table", "counts", "--width", "3"], "40 to 400"),
        (["table", "counts", "--set", "cpu=3"], "cpus"),
        (["report", "--only", "11", "-o", "never"], "unknown notebook"),
    ],
)
def test_bad_words_are_one_line_and_write_nothing(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_settings_say_what_is_wrong() -> None:
    assert parsed(["cpus=4", "share=0.5", "operation=pte"]) == {
        "cpus": 4, "share": 0.5, "operation": "pte",
    }  # fmt: skip
    with pytest.raises(ValueError, match="must be NAME=VALUE"):
        parsed(["cpus"])
    with pytest.raises(ValueError, match="a number"):
        parsed(["share=much"])
