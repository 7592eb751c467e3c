"""``mcost compare``: all designs side by side for one scenario, by algebra."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcost.cli.output import AsCsv, AsJson, show
from mcost.cli.scenario_options import with_scenario
from mcost.spec.scenario import Scenario

if TYPE_CHECKING:
    from mcost.spec.hardware import Hardware

__all__ = ["register"]

_SHOWN = (
    "flush_events",
    "rounds",
    "ipis",
    "useful_ipis",
    "idle_ipis",
    "bystander_ipis",
    "icr_writes",
    "page_flushes",
    "full_flushes",
    "global_flushes",
    "generation_bumps",
    "broadcasts",
)

_COSTS = ("initiator", "lock_hold", "responders", "collateral", "idle", "refills", "total")


def register(app: typer.Typer) -> None:
    """Adds ``compare``."""
    app.command("compare")(_compare)


@with_scenario
def _compare(
    scenario: Scenario,
    design: Annotated[
        list[str] | None, typer.Option(help="Only these designs; may be repeated.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="The design others are held against.")] = "notifier",
    variants: Annotated[bool, typer.Option("--variants", help="Also the variants.")] = False,
    hardware: Annotated[
        str | None, typer.Option(help="Price list: a name of data/hardware, or a .toml file.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print every count of every design, baseline first, with the ratio to it."""
    if hardware is not None:
        from mcost.spec.hardware import hardware as find_hardware

        machine = find_hardware(hardware)
        variants = variants or machine.arch == "arm64"  # where TLBI is the only delivery
        counts = _counts(scenario, design, baseline, variants)
        _show_costs(scenario, counts, machine, as_json, as_csv)
        return
    counts = _counts(scenario, design, baseline, variants)
    if as_csv:
        show(_long(counts), as_json, as_csv)
        return
    document = {
        "scenario": scenario.as_dict(),
        "baseline": baseline,
        "designs": [{"design": name, "counts": cells} for name, cells in counts.items()],
    }
    question = ", ".join(f"{name} {value}" for name, value in scenario.as_dict().items())
    notes = [
        "",
        question,
        "means per operation; x base: IPIs over the baseline's; - is simulation only, see",
        "`mcost simulate`; standard deviations with --json or --csv",
    ]
    show(_rows(counts, baseline), as_json, as_csv, document=document, notes=notes)


def _counts(
    scenario: Scenario, chosen: list[str] | None, baseline: str, variants: bool
) -> dict[str, dict[str, Any]]:
    """{design: {count: {"mean", "sd"} or None}}, baseline first."""
    from mcost.algebra.counts import expect, mean_sd
    from mcost.spec.designs import DESIGNS, VARIANTS
    from mcost.spec.designs import design as find_design

    pool = DESIGNS + VARIANTS if variants else DESIGNS
    names = [find_design(name).name for name in chosen or [one.name for one in pool]]
    names = list(dict.fromkeys([find_design(baseline).name, *names]))
    answer: dict[str, dict[str, Any]] = {}
    for name in names:
        cells: dict[str, Any] = {}
        for count, value in expect(scenario, find_design(name)).items():
            pair = mean_sd(value)
            cells[count] = None if pair is None else {"mean": pair[0], "sd": pair[1]}
        answer[name] = cells
    return answer


def _show_costs(
    scenario: Scenario,
    counts: dict[str, dict[str, Any]],
    machine: Hardware,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Costs of each design with their 90 % intervals; unpublished prices are named."""
    from mcost.checks.costs import cost_rows, flagged

    rows = cost_rows(scenario, list(counts), machine)
    document = {
        "scenario": scenario.as_dict(),
        "hardware": machine.name,
        "designs": [{"design": name, "counts": cells} for name, cells in counts.items()],
        "costs": rows,
    }
    if as_json or as_csv:
        show(rows, as_json, as_csv, document=document)
        return
    question = ", ".join(f"{name} {value}" for name, value in scenario.as_dict().items())
    show(_cost_table(rows), False, False, notes=["", question, *flagged(rows, machine)])


def _cost_table(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """One line a design, one column a component: value and interval in microseconds."""
    table: dict[str, dict[str, object]] = {}
    for row in rows:
        line = table.setdefault(str(row["design"]), {"design": row["design"]})
        line[str(row["component"])] = _interval(row["mean_ns"], row["low_ns"], row["high_ns"])
    return [
        {"design": name, **{cost: line.get(cost, "-") for cost in _COSTS}}
        for name, line in table.items()
    ]


def _interval(*estimate: object) -> str:
    value, low, high = (None if x is None else float(str(x)) / 1000 for x in estimate)
    return "-" if value is None else f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _long(counts: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    return [
        {
            "design": name,
            "count": count,
            "mean": cell["mean"] if cell else None,
            "sd": cell["sd"] if cell else None,
        }
        for name, cells in counts.items()
        for count, cell in cells.items()
    ]


def _rows(counts: dict[str, dict[str, Any]], baseline: str) -> list[dict[str, object]]:
    """Rows of the text table: the counts that differ between designs."""
    base = counts[baseline]["ipis"]["mean"]
    rows: list[dict[str, object]] = []
    for name, cells in counts.items():
        row: dict[str, object] = {"design": name}
        for count in _SHOWN:
            row[_short(count)] = cells[count]["mean"] if cells[count] else None
            if count == "ipis":
                ipis = cells[count]["mean"] if cells[count] else None
                row["x base"] = ipis / base if base and ipis is not None else None
        rows.append(row)
    return rows


def _short(count: str) -> str:
    """Column heads: the count's name without what the table says anyway."""
    return count.replace("_ipis", "").replace("_flushes", "").replace("generation_", "")
