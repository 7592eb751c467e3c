"""``mcost calibrate``: prices from published rows, or from this machine."""

# ruff: noqa: PLC0415 - the verb loads what it needs only when it runs

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

if TYPE_CHECKING:
    from mcost.spec.hardware import Hardware

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def calibrate(
        published: Annotated[
            bool, typer.Option("--published", help="Fit published series; measure nothing.")
        ] = False,
        residuals: Annotated[
            bool, typer.Option("--residuals", help="With --published: every row and its fit.")
        ] = False,
        write: Annotated[
            bool, typer.Option("--write", help="With --published: renew bundled price lists.")
        ] = False,
        output: Annotated[
            Path | None, typer.Option("-o", "--output", help="Price list of this machine, .toml.")
        ] = None,
        seconds: Annotated[float, typer.Option(help="Time to measure, at most 60.")] = 20.0,
        seed: Annotated[int, typer.Option(help="Order of the runs, and draws for the spread.")] = 0,
        as_json: AsJson = False,
        as_csv: AsCsv = False,
    ) -> None:
        """Prices from published series (--published), or measured on this machine (-o FILE)."""
        if published == (output is not None):
            raise ValueError("give either --published, or -o FILE.toml to measure this machine")
        if not published and (residuals or write):
            raise ValueError("--residuals and --write go with --published")
        if published:
            _published(residuals, write, as_json, as_csv)
        elif output is not None:
            _measured(output, seconds, seed, as_json, as_csv)


def _published(residuals: bool, write: bool, as_json: bool, as_csv: bool) -> None:
    from mcost.calibrate.published import fits, parameters
    from mcost.spec.published import short_ids

    values: list[dict[str, object]] = [
        {
            "parameter": item.name,
            "unit": item.unit,
            "value": item.value,
            "low": item.low,
            "high": item.high,
            "source": " ".join(short_ids(item.source)),
        }
        for item in parameters().values()
    ]
    left: list[dict[str, object]] = [
        {
            "fit": fit.name,
            "id": item.id,
            "unit": item.unit,
            "published": item.published,
            "fitted": item.fitted,
            "error_percent": 100 * item.error,
        }
        for fit in fits().values()
        for item in fit.residuals
    ]
    notes = [
        f"{fit.name}: {fit.model}; {len(fit.residuals)} rows, worst {100 * fit.worst:.1f} %"
        for fit in fits().values()
    ]
    if write:
        notes += _renew()
    show(
        left if residuals else values,
        as_json,
        as_csv,
        {"parameters": values, "residuals": left},
        ["", *notes],
    )


def _renew() -> list[str]:
    from mcost.calibrate.refresh import refreshed
    from mcost.spec.files import data_path
    from mcost.spec.hardware import hardware, hardware_names
    from mcost.spec.hardware_text import write_hardware

    for name in hardware_names():
        write_hardware(refreshed(hardware(name)), data_path("hardware", f"{name}.toml"))
    return [f"renewed: {', '.join(hardware_names())}"]


def _measured(output: Path, seconds: float, seed: int, as_json: bool, as_csv: bool) -> None:
    from tqdm import tqdm

    from mcost.calibrate.machine import measure
    from mcost.calibrate.profile import describe, profile
    from mcost.spec.hardware_text import write_hardware

    if output.suffix != ".toml":
        raise ValueError(f"--output: {output.name!r} must end in .toml")
    if not output.parent.is_dir():
        raise ValueError(f"--output: there is no folder {str(output.parent)!r}")
    about = describe()
    quiet = not sys.stderr.isatty()
    with tqdm(total=100, unit="%", desc="measuring", disable=quiet, leave=False) as bar:
        run = measure(seconds, lambda share: bar.update(100 * share - bar.n), seed)
    machine, missing = profile(run, about, output.stem, seed)
    write_hardware(machine, output)
    counted = "not readable" if run.interrupts is None else str(run.interrupts)
    show(
        _rows(machine),
        as_json,
        as_csv,
        {
            "machine": machine.title,
            "prices": _rows(machine),
            "not_measured": list(missing),
            "flushes_watched": run.told,
            "flushes_stalled": run.stalled,
            "tlb_interrupts": run.interrupts,
        },
        [
            "",
            machine.title,
            f"flushes with a remote CPU that ran: {run.told}; that did not run, left out:"
            f" {run.stalled}; TLB interrupts counted: {counted}",
            *(f"not measured: {line}" for line in missing),
            f"written: {output.name}; use it with --hardware {output}",
        ],
    )


def _rows(machine: Hardware) -> list[dict[str, object]]:
    return [
        {"price": name, "unit": item.unit, "value": item.value, "low": item.low,
         "high": item.high, "basis": item.basis}
        for name, item in machine.prices.items()
    ]  # fmt: skip
