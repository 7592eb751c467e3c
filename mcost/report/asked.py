"""What a reply is asked: a scenario file, or the bundled question."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mcost.report.setting import Setting
from mcost.spec.designs import Design, design
from mcost.spec.hardware import Hardware, hardware
from mcost.spec.lookup import find
from mcost.spec.scenario import Scenario

__all__ = ["Asked", "asked_of", "read_asked"]

_DESIGNS = ("notifier", "per-mm", "merged", "batched", "broadcast", "exact")
_FIELDS = {item.name: item.type for item in fields(Scenario) if item.init}


@dataclass(frozen=True)
class Asked:
    """One comparison to be told.

    Attributes:
        scenario: the question.
        designs: who answers; the first is the baseline.
        machine: price list.
        seed: of the trials.
    """

    scenario: Scenario
    designs: tuple[Design, ...]
    machine: Hardware
    seed: int


def asked_of(setting: Setting) -> Asked:
    """The bundled question in one setting."""
    chosen = tuple(design(name) for name in _DESIGNS)
    return Asked(setting.scenario(), chosen, hardware(setting.hardware), setting.seed)


def read_asked(path: Path | None) -> Asked:
    """The question of a scenario file (TOML), or the bundled one.

    Keys: the fields of a scenario, ``designs`` (the first is the baseline), ``hardware`` and
    ``seed``.

    Raises:
        ValueError: not TOML, an unknown key, a value of the wrong type, an impossible scenario.
        OSError: the file cannot be read.
    """
    if path is None:
        return asked_of(Setting())
    try:
        return _asked(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not a readable scenario ({error})") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _asked(document: dict[str, Any]) -> Asked:
    known = {**_FIELDS, "designs": "", "hardware": "", "seed": ""}
    for key in document:
        find("key", key, known)
    names = document.pop("designs", list(_DESIGNS))
    if not isinstance(names, list) or len(names) < 2 or len(set(map(str, names))) < len(names):
        raise ValueError("designs: must be a list of at least two different names")
    seed = document.pop("seed", Setting().seed)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: {seed!r} must be a whole number, 0 or more")
    machine = hardware(str(document.pop("hardware", Setting().hardware)))
    for key, value in document.items():
        _typed(key, value)
    scenario = Scenario(**document)
    return Asked(scenario, tuple(design(str(one)) for one in names), machine, seed)


def _typed(key: str, value: object) -> None:
    """Words where words belong, numbers where numbers do; the scenario checks ranges."""
    words = _FIELDS[key] == "str"
    right = isinstance(value, str) if words else isinstance(value, int | float)
    if not right or isinstance(value, bool):
        raise ValueError(f"{key}: {value!r} must be a {'word' if words else 'number'}")
