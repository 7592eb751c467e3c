"""Price lists of machines: loaded from ``data/hardware/*.toml`` and checked in full."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from mcost.spec.files import data_path
from mcost.spec.lookup import find, nearest
from mcost.spec.prices import BASES, MACHINE_CONSTANTS, PRICES, PriceName
from mcost.spec.published import is_source

__all__ = ["Constant", "Hardware", "hardware", "hardware_names", "load_hardware"]

ARCHES = ("x86", "arm64")
SHAPES = ("log", "linear")
_OTHER_SOURCES = ("KF ", "mcost calibrate")
_NEEDED = ("unit", "value", "low", "high", "basis", "source")
_ALLOWED = (*_NEEDED, "fit", "widen", "shape", "note")
_HEAD = {"name": str, "title": str, "arch": str, "sockets": int, "pti": bool, "note": str}


@dataclass(frozen=True)
class Constant:
    """One number with its spread and its source.

    Attributes:
        unit: unit of value, low and high.
        value: best single value; the median of the distribution.
        low: 5 % quantile.
        high: 95 % quantile, so that low to high is a 90 % interval.
        basis: one of :data:`mcost.spec.prices.BASES`.
        source: row ids of ``data/published.csv`` (``S05-01..S05-33`` for a run of them), or
            what measured it.
        fit: name of the fitted parameter it is made from; always there when ``basis`` is
            ``fitted``, sometimes when it is ``range``.
        widen: factor the fit's interval is stretched by, since it is another machine's.
        shape: ``log`` (two half log-normals that meet at value) or ``linear`` (two
            uniform halves, for intervals that reach 0).
        note: what a reader must know.
    """

    unit: str
    value: float
    low: float
    high: float
    basis: str
    source: tuple[str, ...] = ()
    fit: str = ""
    widen: float = 1.0
    shape: str = "log"
    note: str = ""

    def __post_init__(self) -> None:
        """Checks the spread; raises ValueError with the field and its value."""
        for name in ("value", "low", "high", "widen"):
            number = getattr(self, name)
            if not isfinite(number) or number < 0:
                raise ValueError(f"{name}: {number} must be a finite number, 0 or more")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value: {self.value} lies outside its spread {self.low}..{self.high}")
        find("basis", self.basis, BASES)
        if self.shape not in SHAPES:
            raise ValueError(f"shape: {self.shape!r} must be one of {', '.join(SHAPES)}")
        if self.shape == "log" and self.low == 0 < self.high:
            raise ValueError("low: 0 has no logarithm; give a positive low or shape = 'linear'")
        if self.widen < 1:
            raise ValueError(f"widen: {self.widen} would narrow the spread, must be at least 1")
        if bool(self.fit) != (self.basis == "fitted") and not (self.fit and self.basis == "range"):
            raise ValueError(f"fit: {self.fit!r} does not go with basis {self.basis!r}")
        if not self.source and self.basis != "range":
            raise ValueError(f"source: empty, but basis {self.basis!r} needs a source")


@dataclass(frozen=True)
class Hardware:
    """One machine's price list.

    Attributes:
        name: as in options and file names.
        title: what machine it stands for.
        arch: ``x86`` or ``arm64``.
        sockets: CPU packages the online CPUs are spread over evenly.
        pti: whether kernel page-table isolation doubles flushes.
        clock: GHz, turns published cycles into ns.
        tlb_entries: entries of the last-level data TLB.
        prices: known prices by name; a machine without INVLPGB has none for it.
        note: what a reader must know.
    """

    name: str
    title: str
    arch: str
    sockets: int
    pti: bool
    clock: Constant
    tlb_entries: Constant
    prices: Mapping[str, Constant]
    note: str = ""

    def scaled(self, factor: float) -> Hardware:
        """The machine with every price, low and high multiplied by ``factor`` >= 0."""
        return self.with_prices(
            {
                name: replace(
                    price,
                    value=price.value * factor,
                    low=price.low * factor,
                    high=price.high * factor,
                )
                for name, price in self.prices.items()
            }
        )

    def with_prices(self, changed: Mapping[str, Constant]) -> Hardware:
        """The machine with some prices replaced or added."""
        return replace(self, prices={**self.prices, **changed})

    def unpublished(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of ``names`` whose price nobody published, in the given order."""
        return tuple(n for n in names if n in self.prices and self.prices[n].basis == "range")


def hardware_names() -> tuple[str, ...]:
    """Names of the bundled machines, sorted."""
    return tuple(sorted(path.stem for path in data_path("hardware").glob("*.toml")))


def hardware(name: str) -> Hardware:
    """The machine called ``name``, or the one in a file when ``name`` ends in ``.toml``.

    Raises:
        ValueError: unknown name (the nearest are listed), or any fault of the file.
        OSError: the file cannot be read.
    """
    if name.endswith(".toml"):
        return load_hardware(Path(name))
    names = hardware_names()
    if name not in names:
        known = nearest(name, dict.fromkeys(names, 0))
        raise ValueError(f"unknown hardware {name!r}: {known}, or a .toml file")
    return load_hardware(data_path("hardware", f"{name}.toml"))


def load_hardware(path: str | Path) -> Hardware:
    """Reads and checks one price list.

    Raises:
        ValueError: not TOML; an unknown or missing key; a value of the wrong type or
            outside its spread; an unknown unit. The message names file, field and value.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not a readable price list ({error})") from None
    try:
        return _hardware(document, path.stem)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _hardware(document: dict[str, Any], stem: str) -> Hardware:
    machine = {entry.name: entry for entry in MACHINE_CONSTANTS}
    _only(document, (*_HEAD, *machine, "prices"), "")
    for name, kind in _HEAD.items():
        if not isinstance(document.get(name), kind) or (kind is int and document[name] is True):
            raise ValueError(f"{name}: {document.get(name)!r} must be a {kind.__name__}")
    if document["name"] != stem:
        raise ValueError(f"name: {document['name']!r} must be the file's name, {stem!r}")
    if document["arch"] not in ARCHES:
        raise ValueError(f"arch: {document['arch']!r} must be one of {', '.join(ARCHES)}")
    if document["sockets"] < 1:
        raise ValueError(f"sockets: {document['sockets']} must be at least 1")
    constants = {name: _constant(document, name, entry) for name, entry in machine.items()}
    table = _subtable(document, "prices", "prices")
    names = {entry.name: entry for entry in PRICES}
    _only(table, names, "prices.")
    prices = {name: _constant(table, name, names[name], "prices.") for name in table}
    if document["pti"] and not {"invlpg_user", "full_user"} <= set(prices):
        raise ValueError("pti: true needs prices invlpg_user and full_user")
    head: dict[str, Any] = {name: document[name] for name in _HEAD}
    return Hardware(
        **head, clock=constants["clock"], tlb_entries=constants["tlb_entries"], prices=prices
    )


def _constant(table: dict[str, Any], name: str, entry: PriceName, where: str = "") -> Constant:
    at = f"{where}{name}"
    fields = _subtable(table, name, at)
    _only(fields, _ALLOWED, f"{at}.")
    for key in _NEEDED:
        if key not in fields:
            raise ValueError(f"{at}.{key}: missing")
    for key, value in fields.items():
        _typed(f"{at}.{key}", key, value)
    if fields["unit"] != entry.unit:
        raise ValueError(f"{at}.unit: {fields['unit']!r} must be {entry.unit!r}")
    for item in fields["source"]:
        if not is_source(item) and not item.startswith(_OTHER_SOURCES):
            raise ValueError(
                f"{at}.source: {item!r} is no row of published.csv; other sources start with"
                f" {' or '.join(map(repr, _OTHER_SOURCES))}"
            )
    try:
        return Constant(**{**fields, "source": tuple(fields["source"])})
    except ValueError as error:
        raise ValueError(f"{at}.{error}") from None


def _subtable(table: dict[str, Any], name: str, at: str) -> dict[str, Any]:
    match table.get(name):
        case dict() as found if found:
            return found
        case _:
            raise ValueError(f"{at}: the table is missing or empty")


def _typed(at: str, key: str, value: object) -> None:
    if key in ("value", "low", "high", "widen"):
        right = isinstance(value, int | float) and not isinstance(value, bool)
        kind = "a number"
    elif key == "source":
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        kind = "a list of row ids"
    else:
        right, kind = isinstance(value, str), "a string"
    if not right:
        raise ValueError(f"{at}: {value!r} must be {kind}")


def _only(table: Mapping[str, object], allowed: Iterable[str], where: str) -> None:
    known = dict.fromkeys(allowed, 0)
    for key in table:
        if key not in known:
            raise ValueError(f"{where}{key}: unknown key, {nearest(key, known)}")
