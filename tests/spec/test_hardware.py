"""Price lists: the bundled ones load and are in their one form; every fault is one line."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from mcost.spec.files import data_path
from mcost.spec.hardware import Constant, hardware, hardware_names, load_hardware
from mcost.spec.hardware_text import hardware_toml, write_hardware
from mcost.spec.prices import BASES, PRICE_NAMES
from mcost.spec.published import is_source

WANTED = ("haswell-1s", "skylake-1s", "skylake-2s", "skylake-4s", "zen3", "zen4-invlpgb",
          "arm64-server", "kvm-guest")  # fmt: skip


def test_the_machines_that_the_project_promises_are_there() -> None:
    assert set(WANTED) <= set(hardware_names())


@pytest.mark.parametrize("name", hardware_names())
def test_bundled_lists_load_and_have_the_one_form(name: str) -> None:
    path = data_path("hardware", f"{name}.toml")
    machine = load_hardware(path)
    assert path.read_text(encoding="utf-8") == hardware_toml(machine)
    assert machine == hardware(name)
    for price in machine.prices.values():
        assert price.low <= price.value <= price.high
        assert price.basis in BASES
        if price.basis == "range" and not price.note:
            pytest.fail(f"{name}: a range without a reason")


@pytest.mark.parametrize("name", hardware_names())
def test_ranges_are_wide_and_others_have_sources(name: str) -> None:
    for key, price in hardware(name).prices.items():
        if price.basis == "range":
            assert price.low == 0 or price.high / price.low >= 4, key
        elif price.basis != "measured":
            assert all(is_source(item) for item in price.source), key


def _changed(tmp_path, old: str, new: str):
    text = data_path("hardware", "haswell-1s.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "haswell-1s.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sockets = 1", "socketz = 1", r"socketz: unknown key, nearest valid sockets"),
        ("[prices.first]", "[prices.frist]", r"prices\.frist: unknown key, nearest valid first"),
        ("sockets = 1", "sockets = 0", r"sockets: 0 must be at least 1"),
        ("sockets = 1", "sockets = true", r"sockets: True must be a int"),
        ('arch = "x86"', 'arch = "vax"', r"arch: 'vax' must be one of x86, arm64"),
        ("pti = false", "pti = true", r"pti: true needs prices invlpg_user and full_user"),
        ('name = "haswell-1s"', 'name = "x"', r"name: 'x' must be the file's name, 'haswell-1s'"),
        ('unit = "GHz"\n', "", r"clock\.unit: missing"),
        ('unit = "GHz"', 'unit = "MHz"', r"clock\.unit: 'MHz' must be 'GHz'"),
        ("value = 8.0", "value = 80.0", r"prices\.atomic\.value: 80\.0 lies outside its spread"),
        ("value = 8.0", 'value = "8"', r"prices\.atomic\.value: '8' must be a number"),
        ("value = 8.0", "value = nan", r"prices\.atomic\.value: nan must be a finite number"),
        ("low = 4.0", "low = -4.0", r"prices\.atomic\.low: -4\.0 must be a finite number"),
        ("low = 4.0", "low = 0.0", r"prices\.atomic\.low: 0 has no logarithm"),
        ('basis = "range"', 'basis = "guess"', r"unknown basis 'guess'"),
        ('high = 20.0\nbasis = "range"', 'high = 20.0\nbasis = "measured"', r"needs a source"),
        ('fit = "remote.first"\n', "", r"prices\.first\.fit: '' does not go with basis 'fitted'"),
        ('"S25-mk-a"', '"S25-mk-z"', r"'S25-mk-z' is no row of published\.csv"),
        ('source = ["S25-mk-a"]', "source = []", r"basis 'recalled' needs a source"),
        ("widen = 1.25", "widen = 0.5", r"widen: 0\.5 would narrow the spread"),
        ("[prices.next]", "[prices.next", r"not a readable price list"),
    ],
)
def test_each_fault_is_named_with_file_and_field(tmp_path, old, new, says) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        load_hardware(_changed(tmp_path, old, new))
    assert str(caught.value).startswith("haswell-1s.toml: ")


def test_missing_tables_are_named(tmp_path) -> None:
    path = tmp_path / "haswell-1s.toml"
    text = data_path("hardware", "haswell-1s.toml").read_text(encoding="utf-8")
    path.write_text(text[: text.index("[prices.")], encoding="utf-8")
    with pytest.raises(ValueError, match=r"prices: the table is missing or empty"):
        load_hardware(path)
    path.write_text(re.sub(r"\[clock\].*?\n\n", "", text, flags=re.DOTALL), encoding="utf-8")
    with pytest.raises(ValueError, match=r"clock: the table is missing or empty"):
        load_hardware(path)


def test_an_unknown_machine_lists_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"nearest valid skylake-2s"):
        hardware("skylake2s")


def test_a_bad_file_is_one_line_and_exit_2(tmp_path) -> None:
    path = _changed(tmp_path, "value = 8.0", "value = 80.0")
    done = subprocess.run(
        [sys.executable, "-m", "mcost.cli", "crossover", "per-mm", "notifier", "--cpus", "8",
         "--sharers", "2", "--share", "0.5", "--hardware", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    line = "mcost: haswell-1s.toml: prices.atomic.value: 80.0 lies outside its spread 4.0..20.0"
    assert done.stderr.strip() == line


def test_writing_and_loading_gives_the_same_machine(tmp_path) -> None:
    machine = hardware("skylake-4s")
    write_hardware(machine, tmp_path / "skylake-4s.toml")
    assert load_hardware(tmp_path / "skylake-4s.toml") == machine
    assert [path.name for path in tmp_path.iterdir()] == ["skylake-4s.toml"]


def test_scaling_scales_every_price_and_its_spread() -> None:
    machine = hardware("zen4-invlpgb")
    double = machine.scaled(2.0)
    assert set(double.prices) == set(machine.prices) <= set(PRICE_NAMES)
    for name, price in machine.prices.items():
        assert double.prices[name].value == 2 * price.value
        assert double.prices[name].high == 2 * price.high


def test_only_ranges_count_as_unpublished() -> None:
    machine = hardware("haswell-1s")
    assert machine.unpublished(["first", "responder", "absent"]) == ("responder",)


def test_a_constant_refuses_a_shape_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="shape: 'flat'"):
        Constant("ns", 1.0, 1.0, 1.0, "range", shape="flat")
