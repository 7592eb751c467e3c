"""``mcost simulate``: a trace under one or more designs, counted event by event."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``simulate``."""
    app.command("simulate")(_simulate)


def _simulate(
    trace: Annotated[Path, typer.Argument(help="Trace: .csv, .csv.gz or .parquet.")],
    design: Annotated[
        list[str] | None, typer.Option(help="May be repeated; all ten designs if not given.")
    ] = None,
    kernel: Annotated[str, typer.Option(help="Kernel variant.")] = "6.12",
    cpus: Annotated[int | None, typer.Option(help="Online CPUs.")] = None,
    sets: Annotated[int, typer.Option(help="Sets of every TLB.")] = 128,
    ways: Annotated[int, typer.Option(help="Ways of every TLB.")] = 12,
    batch: Annotated[int, typer.Option(help="Clean pages per reclaim flush.")] = 31,
    apic: Annotated[str, typer.Option(help="cluster or physical.")] = "cluster",
    share_level: Annotated[str, typer.Option(help="pte, pmd or p4d, for classic.")] = "p4d",
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count what each design does on a trace; stale_hits above 0 mean it is unsafe."""
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial

    from mcost.simulator import prepare, simulate
    from mcost.spec.designs import DESIGNS
    from mcost.spec.designs import design as find_design
    from mcost.spec.kernels import kernel as find_kernel
    from mcost.traces.files import read_trace

    variant = find_kernel(kernel)
    chosen = [find_design(name) for name in design or [one.name for one in DESIGNS]]
    ready = prepare(read_trace(trace, cpus))
    ask = partial(
        simulate,
        ready,
        kernel=variant,
        cpus=cpus,
        sets=sets,
        ways=ways,
        batch=batch,
        apic=apic,
        share_level=share_level,
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # one trace for all: the loop holds no lock
        found = list(pool.map(ask, chosen))
    runs = [(one.name, dict(counts.items())) for one, counts in zip(chosen, found, strict=True)]
    if as_json or as_csv:
        document = [
            {"design": name, "kernel": variant.name, "counts": counts} for name, counts in runs
        ]
        wide = [{"design": name, "kernel": variant.name, **counts} for name, counts in runs]
        show(wide, as_json, as_csv, document=document)
        return
    rows = [
        {"count": count, **{name: counts[count] for name, counts in runs}} for count in runs[0][1]
    ]
    show(rows, False, False, notes=["", f"kernel {variant.name}; totals over the whole trace"])
