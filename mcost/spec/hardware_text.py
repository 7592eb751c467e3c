"""Price lists as TOML text: the one form that files in ``data/hardware`` have."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from mcost.spec.hardware import Constant, Hardware
from mcost.spec.prices import MACHINE_CONSTANTS, PRICE_NAMES

__all__ = ["hardware_toml", "write_hardware"]

_DEFAULTS = {item.name: item.default for item in fields(Constant)}
_DIGITS = 4


def hardware_toml(machine: Hardware) -> str:
    """The price list as text; loading it gives the same machine to 4 digits."""
    head = ("name", "title", "arch", "sockets", "pti", "note")
    blocks = ["\n".join(f"{key} = {json.dumps(getattr(machine, key))}" for key in head)]
    blocks += [_table(entry.name, getattr(machine, entry.name)) for entry in MACHINE_CONSTANTS]
    blocks += [
        _table(f"prices.{name}", machine.prices[name])
        for name in PRICE_NAMES
        if name in machine.prices
    ]
    return "\n\n".join(blocks) + "\n"


def write_hardware(machine: Hardware, path: str | Path) -> None:
    """Writes the price list aside and renames it into place.

    Raises:
        OSError: the folder cannot be written.
    """
    path = Path(path)
    aside = path.with_name(path.name + ".tmp")
    try:
        aside.write_text(hardware_toml(machine), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _table(name: str, constant: Constant) -> str:
    lines = [f"[{name}]"]
    for item in fields(Constant):
        value = getattr(constant, item.name)
        if item.name in ("fit", "widen", "shape", "note") and value == _DEFAULTS[item.name]:
            continue
        lines.append(f"{item.name} = {_value(value)}")
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return repr(float(f"{value:.{_DIGITS}g}"))
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
