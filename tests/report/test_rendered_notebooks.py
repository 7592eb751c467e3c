"""Rendered notebooks are what their sources give, and fit to be read by others."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mcost.report.notebooks import changed, execute, load, rendered_path, sources
from mcost.report.setting import PARAMETERS, Setting

NAMES = list(sources())
SOURCE = re.compile(r"\s*mcost (?:source|\d[\w.]*) [0-9a-f]+(?:-dirty)?|\s+")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
ADDRESS = re.compile(r"https?://(?!www\.w3\.org/)")


def rendered(name: str) -> Any:
    return nbformat.read(rendered_path(name), 4)


def same(a: Any, b: Any, where: str = "") -> None:
    """Equal up to the commit named and to numbers that differ by less than a millionth."""
    if isinstance(a, dict):
        left, right = (spec.keys() - {"$schema", "usermeta"} for spec in (a, b))
        assert left == right, where
        for key in sorted(left):
            same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for at, (one, other) in enumerate(zip(a, b, strict=True)):
            same(one, other, f"{where}[{at}]")
    elif isinstance(a, float | int) and isinstance(b, float | int):
        assert math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9), f"{where}: {a} {b}"
    elif isinstance(a, str):
        # a rendered page is committed after it is made, so it names the commit before, and
        # installed or not; a longer name may wrap its line elsewhere
        a, b = SOURCE.sub(" ", a), SOURCE.sub(" ", b)
        assert NUMBER.sub("#", a) == NUMBER.sub("#", b), where
        numbers = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
        assert all(math.isclose(float(x), float(y), rel_tol=1e-6) for x, y in numbers), where
    else:
        assert a == b, where


def inlined(spec: Any, datasets: dict[str, Any]) -> Any:
    """A specification with its data in place: names are digests of the text of numbers."""
    if isinstance(spec, dict):
        if set(spec) == {"name"} and spec["name"] in datasets:
            return datasets[spec["name"]]
        return {key: inlined(v, datasets) for key, v in spec.items() if key != "datasets"}
    return [inlined(item, datasets) for item in spec] if isinstance(spec, list) else spec


def shown(cell: Any) -> list[Any]:
    """What a reader gets: text, or the specification of a chart in place of its drawing."""
    made = []
    for output in cell.get("outputs", []):
        spec = output.get("metadata", {}).get("image/svg+xml", {}).get("chart")
        spec = spec and inlined(spec, spec.get("datasets", {}))
        made.append(spec or output.get("data") or output.get("text"))
    return made


def test_every_source_is_rendered_and_nothing_else() -> None:
    folder = rendered_path(NAMES[0]).parent
    drawn = {name for name, path in sources().items() if "picture" in path.read_text()}
    expected = {f"{name}.ipynb" for name in NAMES} | {f"{name}.svg" for name in drawn}
    assert {path.name for path in folder.iterdir()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_rendered_is_what_the_source_gives(name: str, books: dict[str, Any]) -> None:
    old, new = rendered(name), books[name]
    assert [cell.source for cell in old.cells] == [cell.source for cell in new.cells]
    for at, (one, other) in enumerate(zip(old.cells, new.cells, strict=True)):
        same(shown(one), shown(other), f"{name} cell {at}")


@pytest.mark.parametrize("name", NAMES)
def test_rendered_form_is_clean(name: str) -> None:
    book = rendered(name)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert book.metadata.kernelspec.name == "python3"
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert kinds <= {"execute_result", "display_data"}  # no error, nothing on stderr
    assert rendered_path(name).stat().st_size < 500_000
    texts = json.dumps([output.get("data") for cell in code for output in cell.outputs])
    assert not ADDRESS.search(texts)


@pytest.mark.parametrize("name", NAMES)
def test_starts_with_an_answer_and_ends_with_what_is_left_out(name: str) -> None:
    book = rendered(name)
    first = next(out for cell in book.cells for out in cell.get("outputs", []))
    answer = re.sub(r"\d\.\d|`[^`]*`", "", first["data"]["text/markdown"])
    assert answer.count(". ") + answer.count(".** ") == 1  # two sentences
    assert re.search(r"\d", first["data"]["text/markdown"]), "an answer has a number"
    assert book.cells[-1].cell_type == "markdown"
    assert book.cells[-1].source.startswith("**Left out here:**")


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_call_the_package(name: str) -> None:
    for cell in load(sources()[name]).cells:
        if cell.cell_type == "code" and cell.metadata.get("tags") != ["setup"]:
            assert len(cell.source.splitlines()) <= 10, cell.source
            assert not re.search(r"^\s*(def|class|%|!)", cell.source, re.MULTILINE), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_one_cell_with_the_usual_values(name: str) -> None:
    tagged = [c for c in load(sources()[name]).cells if "parameters" in c.metadata.get("tags", [])]
    values: dict[str, Any] = {}
    (cell,) = tagged
    exec(cell.source, {}, values)
    usual = Setting()
    assert set(values) <= set(PARAMETERS)
    assert values == {key: getattr(usual, key) for key in values}


def test_changed_parameters_keep_their_comments() -> None:
    text = 'cpus = 128  # N\noperation = "zap"\nother = cpus'
    assert changed(text, {"cpus": 8, "operation": "pte", "held": 1.0}) == (
        "cpus = 8  # N\noperation = 'pte'\nother = cpus"
    )


def test_a_second_run_gives_the_same_bytes_and_changes_reach_the_answer(
    books: dict[str, Any],
) -> None:
    again = execute(["02_designs"])["02_designs"]
    assert nbformat.writes(again) == nbformat.writes(books["02_designs"])
    other = execute(["02_designs"], {"cpus": 16})["02_designs"]
    assert nbformat.writes(other) != nbformat.writes(again)


def test_a_cell_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "01_bad.py").write_text("# %%\n1 / 0\n")
    monkeypatch.setattr("mcost.report.notebooks.notebooks_path", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"notebook 01_bad: a cell failed: .*ZeroDivisionError"):
        execute(["01_bad"])
