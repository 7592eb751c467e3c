"""Every figure of the suite, by name."""

from __future__ import annotations

from mcost.report.figures.base import Figure
from mcost.report.figures.compared import COMPARED
from mcost.report.figures.limits import LIMITS
from mcost.report.figures.parity import PARITY, SCORES
from mcost.report.figures.price import CHEAPEST, MACHINES, SENSITIVITY, TIMES
from mcost.report.figures.recorded import RECORDED
from mcost.report.figures.scaling import SCALING
from mcost.report.figures.stale import STALE
from mcost.report.figures.timeline import TIMELINE
from mcost.report.figures.told import TOLD
from mcost.spec.lookup import find

__all__ = ["FIGURES", "Figure", "figure"]

FIGURES: tuple[Figure, ...] = (
    STALE,
    SCALING,
    TOLD,
    LIMITS,
    PARITY,
    SCORES,
    CHEAPEST,
    TIMES,
    MACHINES,
    SENSITIVITY,
    TIMELINE,
    RECORDED,
    COMPARED,
)
"""In the order of the notebooks."""


def figure(name: str) -> Figure:
    """The figure called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("figure", name, {entry.name: entry for entry in FIGURES})
