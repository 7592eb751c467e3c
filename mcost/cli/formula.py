"""``mcost formula``: one count of one design as an expression."""

# ruff: noqa: PLC0415 - each command loads what it needs only when it runs

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds ``formula``."""
    app.command("formula")(_formula)


def _formula(
    design: Annotated[str, typer.Argument(help="Design, see `mcost designs`.")],
    count: Annotated[str, typer.Argument(help="Count, such as ipis or rounds.")],
    placement: Annotated[str, typer.Option(help="Law of where sharers run.")] = "snapshot",
    initiator: Annotated[str, typer.Option(help="outside, sharer or apart.")] = "outside",
    operation: Annotated[str, typer.Option(help="What is done to the pages.")] = "zap",
    kernel: Annotated[str, typer.Option(help="Kernel variant.")] = "",
    apic: Annotated[str, typer.Option(help="cluster or physical.")] = "cluster",
    variance: Annotated[bool, typer.Option("--variance", help="Variance, not mean.")] = False,
    where: Annotated[
        list[str] | None, typer.Option(help="Fix a symbol, such as held=1; may be repeated.")
    ] = None,
    format: Annotated[  # noqa: A002 - the name of the option
        str, typer.Option(help="text, latex or python.")
    ] = "text",
) -> None:
    """Print the expected value of a count, per operation, in the symbols of the model."""
    from mcost.algebra.formula import FORMATS, formula
    from mcost.algebra.symbols import SYMBOL
    from mcost.spec.designs import design as find_design
    from mcost.spec.lookup import find

    write = find("format", format, FORMATS)
    fixed: dict[str, int] = {}
    for item in where or []:
        name, _, value = item.partition("=")
        find("symbol", name, SYMBOL)
        try:
            fixed[name] = int(value)
        except ValueError:
            raise ValueError(f"--where {item}: must be NAME=WHOLE NUMBER") from None
    expression = formula(
        find_design(design),
        count,
        placement,
        initiator,
        operation,
        kernel,
        apic=apic,
        variance=variance,
        **fixed,
    )
    print(write(expression))
