"""README is true: its table, its commands and its code are run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from mcost.report.questions import crossover_rows
from mcost.report.setting import Setting
from mcost.spec.files import data_path
from mcost.sweep import load_grid

ROOT = Path(__file__).resolve().parents[1]
RENDERED = ROOT / "notebooks" / "rendered"
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, flags=re.DOTALL)


def run(line: str, folder: Path) -> str:
    """Output of one ``$ mcost ...`` line, run where its output files may lie."""
    words = [str(ROOT / word) if word.startswith("data/") else word for word in shlex.split(line)]
    command = [sys.executable, "-m", "mcost.cli", *words[1:]]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=folder, env=None
    ).stdout


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "console"])
def test_console_blocks_print_what_they_show(block, tmp_path):
    shown = [line for line in block.splitlines() if not line.startswith("$ ")]
    printed = "".join(
        run(line[2:], tmp_path) for line in block.splitlines() if line.startswith("$ ")
    )
    if shown:
        assert printed.splitlines() == shown


def test_the_table_is_what_compare_prints(tmp_path):
    table = TEXT.split("<!-- compare -->")[1].split("<!-- /compare -->")[0]
    command = next(text for kind, text in BLOCKS if kind == "console" and "compare" in text)
    printed = run(command.strip()[2:], tmp_path).split("\n\n")[0].rstrip()
    assert table.strip("\n").removeprefix("```text\n").removesuffix("\n```") == printed


def test_python_blocks_run_and_stay_short():
    for text in (text for kind, text in BLOCKS if kind == "python"):
        assert len(text.splitlines()) < 30
        exec(compile(text, "README.md", "exec"), {})


def test_the_picture_is_the_first_notebooks_and_its_caption_the_setting():
    setting = Setting()
    book = json.loads((RENDERED / "01_problem.ipynb").read_text())
    drawn = [
        "".join(output["data"]["image/svg+xml"])
        for cell in book["cells"]
        if "picture" in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
    ]
    assert [text + "\n" for text in drawn] == [(RENDERED / "01_problem.svg").read_text()]
    assert "notebooks/rendered/01_problem.svg" in TEXT
    caption = " ".join(TEXT.split("01_problem.svg)")[1].split("\n## ")[0].split())
    assert f"one {setting.operation} of {setting.pages} clean pages, {setting.cpus} CPUs" in caption
    assert f"{setting.share:.0%}".replace("%", " %") in caption
    assert f"{setting.sharers:,} sharers" in caption
    assert f"with probability {setting.held}." in caption


def indented(name: str) -> list[str]:
    """Indented blocks of a README below data/."""
    text = (ROOT / "data" / name / "README.md").read_text()
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, flags=re.MULTILINE)
    return [dedent(block).strip() for block in blocks]


def test_commands_of_the_traces_run(tmp_path):
    commands = next(block for block in indented("traces") if block.startswith("mcost"))
    lines = commands.replace("\\\n", " ").splitlines()
    assert len(lines) == 2
    assert all(run(line, tmp_path) for line in lines)
    assert (tmp_path / "s8c8.parquet").exists()


def test_the_grid_that_the_grids_readme_shows_is_one(tmp_path):
    (tmp_path / "mine.csv").write_text("offset\n0\n511\n")
    (tmp_path / "grid.toml").write_text(next(b for b in indented("grids") if "[scenario]" in b))
    grid = load_grid(tmp_path / "grid.toml")
    assert grid.cells == 2 * 2 * 2 * 13 * 8  # lists, ranges and linked lists as it says
    assert load_grid(data_path("grids", "million.toml")).cells >= 1_000_000


def test_the_numbers_of_the_answer_are_the_tables():
    shown = TEXT.split("<!-- compare -->")
    rows = {line.split()[0]: line.split() for line in shown[1].splitlines() if line[:1].isalpha()}
    head, answer = rows["design"], " ".join(shown[0].split())
    for name, count in (("notifier", "rounds"), ("notifier", "ipis"), ("batched", "rounds"),
                        ("batched", "ipis"), ("notifier", "bystander")):  # fmt: skip
        place = [word for word in head if word != "x"].index(count)
        assert f"{int(rows[name][place]):,}" in answer, (name, count)


def test_the_crossovers_are_the_tables():
    found = crossover_rows(Setting()).set_index(["hardware", "pair"]).loc["skylake-2s"]
    text = " ".join(TEXT.split("01_problem.svg)")[1].split("\n## ")[0].split())
    for pair, words in (
        ("notifier | per-mm", "from {} sharers on (90 % interval {} to {})"),
        ("notifier | batched", "from {} on ({} to {})"),
    ):
        row = found.loc[pair]
        assert row["above"] == "notifier"
        assert words.format(*(f"{int(row[at]):,}" for at in ("at", "low", "high"))) in text


def test_two_screens():
    assert len(TEXT.splitlines()) <= 150
