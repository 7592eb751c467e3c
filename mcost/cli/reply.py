"""``mcost reply``: a comparison of designs as the body of a mail. Nothing is ever sent."""

# ruff: noqa: PLC0415 - the verb loads what it needs only when it runs

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``reply``."""
    app.command("reply")(_reply)


def _reply(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder; made if missing.")],
    scenario: Annotated[
        Path | None, typer.Option(help="Question, .toml; the bundled one if not given.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Message to answer, .eml or .mbox (its first).")
    ] = None,
) -> None:
    """Write reply.txt, its figure and its numbers; with --to also reply.eml. Sends nothing."""
    from mcost.report.asked import read_asked
    from mcost.report.letter import make
    from mcost.report.mail import read_message

    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: is a file, must be a folder or not exist yet")
    asked = read_asked(scenario)
    original = None if to is None else read_message(to)
    words = ["mcost reply"]
    words += [f"--scenario {scenario.name}"] if scenario else []
    words += [f"--to {to.name}"] if to else []
    for name in make(asked, original, " ".join([*words, "-o reply"]), output):
        print(output / name)
