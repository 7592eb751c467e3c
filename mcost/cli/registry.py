"""Which verbs there are. Adding one is one line in :data:`VERBS` and one file."""

from __future__ import annotations

from importlib import import_module

import typer

__all__ = ["VERBS", "build"]

VERBS: tuple[str, ...] = (
    "designs",
    "formula",
    "compare",
    "crossover",
    "sensitivity",
    "calibrate",
    "simulate",
    "explore",
    "trace",
    "whatif",
    "sweep",
    "validate",
    "report",
    "reply",
    "figure",
    "table",
    "reference",
)
"""Verb modules of ``mcost.cli`` in help order; each has ``register(app)``."""


def build() -> typer.Typer:
    """The ``mcost`` application with every verb registered."""
    app = typer.Typer(
        name="mcost",
        help="Who must flush which TLBs, how often, and at what cost, when processes share"
        " page tables.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def _suite() -> None:
        """Keeps verbs as verbs even when there is only one."""

    for name in VERBS:
        import_module(f"mcost.cli.{name}").register(app)
    return app
