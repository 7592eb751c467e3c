"""mcost: who must flush which TLBs, how often, and at what cost, when processes share page tables.

The public face: names only, loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Counts": "mcost.spec.counts",
    "DESIGNS": "mcost.spec.designs",
    "Design": "mcost.spec.designs",
    "Scenario": "mcost.spec.scenario",
    "VARIANTS": "mcost.spec.designs",
    "agree": "mcost.checks.agreement",
    "design": "mcost.spec.designs",
    "expect": "mcost.algebra.counts",
    "explore": "mcost.checks.explore",
    "formula": "mcost.algebra.formula",
    "kernel": "mcost.spec.kernels",
    "mean_sd": "mcost.algebra.counts",
    "read_trace": "mcost.traces.files",
    "simulate": "mcost.simulator",
    "sweep": "mcost.sweep",
    "synthesize": "mcost.traces.synthetic",
}

__all__ = sorted(_WHERE)  # noqa: PLE0605 - one table of names, not two


def __getattr__(name: str) -> Any:
    """Loads a public name from where it lives."""
    if name not in _WHERE:
        raise AttributeError(f"module 'mcost' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
