"""``mcost trace``: recorded kernel traces in, and how to record them."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mcost.cli.output import AsCsv, AsJson, show

__all__ = ["register"]

_ENDINGS = (".parquet", ".csv", ".csv.gz")

Recording = Annotated[Path, typer.Argument(metavar="FILE", help="Recorded text, also gzip.")]


def register(app: typer.Typer) -> None:
    """Adds the group ``trace`` with ``import``, ``info`` and ``record``."""
    group = typer.Typer(
        help="Recorded kernel traces: import them, or learn how to record one.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("import")(_import)
    group.command("info")(_info)
    group.command("record")(_record)
    app.add_typer(group, name="trace")


def _import(
    file: Recording,
    sharers: Annotated[
        str, typer.Option(help="Who shares: comms (wildcards too), ids or ranges, by commas.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Trace: .parquet or .csv[.gz].")],
    format: Annotated[  # noqa: A002 - the name of the option
        str, typer.Option(help="auto, ftrace, trace-cmd or perf.")
    ] = "auto",
    tasks: Annotated[
        Path | None, typer.Option(help="Output of ps -eLo tid,tgid,ppid,comm.")
    ] = None,
    kernel_threads: Annotated[
        str | None, typer.Option(help="Tasks to take for kernel threads, like --sharers.")
    ] = None,
    flushes: Annotated[
        str, typer.Option(help="Flush calls that count: target, initiator or all.")
    ] = "target",
    region: Annotated[
        str | None, typer.Option(help="Only flushes of these addresses: START-END, hexadecimal.")
    ] = None,
    keep_unplaced: Annotated[
        bool, typer.Option(help="With --region: count flushes without an address too.")
    ] = False,
    flush_tlb_all: Annotated[
        bool, typer.Option(help="flush_tlb_all calls are operations on the region too.")
    ] = False,
    kind: Annotated[str, typer.Option(help="Operation that each invalidate is.")] = "zap",
    full_pages: Annotated[int, typer.Option(help="Pages that a full flush stands for.")] = 512,
    page: Annotated[int, typer.Option(help="First page of flushes without an address.")] = 0,
    touch: Annotated[
        str, typer.Option(help="Touches put in before an invalidate: first, held or none.")
    ] = "first",
    merge_walks: Annotated[
        bool, typer.Option(help="A walk over several mms is one operation of the region.")
    ] = False,
    merge_gap: Annotated[float, typer.Option(help="Longest pause inside one walk, in ms.")] = 1.0,
    max_broken: Annotated[
        float, typer.Option(help="Share of lines that may be unreadable.")
    ] = 0.01,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Turn a recording into a trace: what if these processes shared an mshare region?

    Switches as they happened, one invalidate for each flush call. Prints what it counted,
    what it took for granted and what the recording cannot tell.
    """
    from mcost.traces.files import write_trace
    from mcost.traces.importers import ImportOptions, import_trace, parse_region

    _check_output(output)
    if as_json and as_csv:
        raise ValueError("--json and --csv exclude each other: give one")
    options = ImportOptions(
        counted=flushes,
        region=None if region is None else parse_region(region),
        keep_unplaced=keep_unplaced,
        flush_tlb_all=flush_tlb_all,
        kind=kind,
        full_pages=full_pages,
        page=page,
        touch=touch,
        merge_walks=merge_walks,
        merge_gap=round(merge_gap * 1e6),
    )
    done = import_trace(
        file,
        sharers,
        options,
        format=format,
        tasks=tasks,
        kernel_threads=kernel_threads,
        max_broken=max_broken,
        progress=sys.stderr.isatty(),
    )
    write_trace(done.trace, output)
    summary = done.summary
    names = ", ".join(f"{one.process} {' '.join(one.names)}" for one in summary.sharers)
    notes = [
        "",
        f"sharers: {names}",
        *(f"assumed: {text}" for text in summary.assumed),
        *(f"not known: {text}" for text in summary.unknown),
        f"written: {output}",
    ]
    show(summary.rows(), as_json, as_csv, document=summary.as_dict(), notes=notes)


def _check_output(output: Path) -> None:
    """Refuses an output that cannot be written, before an hour of reading."""
    if not output.name.endswith(_ENDINGS):
        raise ValueError(f"{output}: unknown format; must end in {', '.join(_ENDINGS)}")
    if not output.absolute().parent.is_dir():
        raise ValueError(f"{output}: the folder {output.parent} does not exist; make it first")


def _info(
    file: Recording,
    top: Annotated[int, typer.Option(help="Processes to show, most CPU time first.")] = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Who runs and flushes in a recording, to choose the sharers from."""
    from mcost.traces.importers import overview

    if top < 1:
        raise ValueError(f"--top must be at least 1, not {top}")
    found = overview(file, progress=sys.stderr.isatty())
    events = ", ".join(f"{name} {number}" for name, number in found.events.items())
    notes = [
        "",
        f"{found.path}: {found.format}, {found.lines} lines ({found.broken} broken,"
        f" {found.lost} events lost), {found.cpus} CPUs, {found.seconds:g} s",
        f"events: {events}",
    ]
    show(found.processes[:top], as_json, as_csv, document=asdict(found), notes=notes)


def _record(
    kernel: Annotated[str, typer.Option(help="Kernel version, like 6.12.")] = "6.12",
    tool: Annotated[str, typer.Option(help="tracefs, trace-cmd or perf.")] = "tracefs",
    seconds: Annotated[int, typer.Option(help="Length of the recording.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print (not run) the commands that record a suitable trace, and what it will tell."""
    from mcost.traces.record import recipe

    made = recipe(kernel, tool, seconds)
    rows: list[dict[str, object]] = [
        {"event": name, "recorded": "yes", "tells": tells} for name, tells in made.tells
    ]
    rows += [{"event": name, "recorded": "no", "tells": tells} for name, tells in made.missing]
    if not (as_json or as_csv):
        print(f"# as root, on Linux {made.kernel}:")
        print(*made.commands, "", sep="\n")
    show(rows, as_json, as_csv, document=asdict(made), notes=["", *made.notes])
