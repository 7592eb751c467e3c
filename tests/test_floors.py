"""A file imports only from lower floors, or from its own folder (design.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mcost"
FLOORS = (
    ("spec",),
    ("algebra", "traces"),
    ("simulator", "calibrate"),
    ("checks", "sweep"),
    ("report",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}


def imported(path: Path) -> set[str]:
    """Second parts of the mcost modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("mcost.")}
    return found & set(LEVEL)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_come_from_below(path):
    parts = path.relative_to(PACKAGE).parts
    room = parts[0].removesuffix(".py")
    if room not in LEVEL:
        return
    for other in imported(path):
        assert other == room or LEVEL[other] < LEVEL[room], f"{room} imports {other}"


def test_algebra_and_simulator_are_strangers():
    for one, other in (("algebra", "simulator"), ("simulator", "algebra")):
        for path in (PACKAGE / one).rglob("*.py"):
            assert other not in imported(path), path


def test_every_room_has_a_floor():
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name[0] != "_"}
    assert rooms <= set(LEVEL) | {"py.typed"}
