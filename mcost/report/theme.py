"""One look for every chart: sizes, one typeface, and a mark for each design.

Designs differ by colour, dash and point shape at once, so a chart can be read in grey. Only
one face of one font is used: vl-convert numbers the fonts of a PDF in no fixed order, so a
second face would make its bytes differ from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from mcost.spec.designs import DESIGNS, VARIANTS

__all__ = ["COLOUR", "DASH", "PANEL", "SHAPE", "enable", "lighter", "scale_of"]

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
PANEL = (300, 190)
"""Width and height of one panel, px."""

_STAR = "M0,-1L0.3,-0.3L1,0L0.3,0.3L0,1L-0.3,0.3L-1,0L-0.3,-0.3Z"
_CROSSED = "M-1,-0.7L-0.7,-1L0,-0.3L0.7,-1L1,-0.7L0.3,0L1,0.7L0.7,1L0,0.3L-0.7,1L-1,0.7L-0.3,0Z"
_LOOK: dict[str, tuple[str, list[int], str]] = {
    "host-mm": ("#8c8c8c", [1, 3], _CROSSED),
    "notifier": ("#d55e00", [1, 0], "square"),
    "per-mm": ("#0072b2", [8, 2], "triangle-up"),
    "merged": ("#009e73", [4, 2], "diamond"),
    "batched": ("#cc4f9a", [8, 2, 2, 2], "circle"),
    "region-mask": ("#56b4e9", [2, 2], "triangle-down"),
    "classic": ("#e69f00", [12, 3], "triangle-right"),
    "broadcast": ("#7f4f24", [6, 2, 1, 2], "triangle-left"),
    "deferred": ("#5b3fa0", [3, 1], _STAR),
    "exact": ("#000000", [1, 1], "cross"),
}
_OTHER = ("#8c8c8c", [1, 0], "circle")

_NAMES = [one.name for one in DESIGNS + VARIANTS]
_LOOKS = {name: _LOOK.get(name, _OTHER) for name in _NAMES}
COLOUR: dict[str, str] = {name: look[0] for name, look in _LOOKS.items()}
DASH: dict[str, list[int]] = {name: look[1] for name, look in _LOOKS.items()}
SHAPE: dict[str, str] = {name: look[2] for name, look in _LOOKS.items()}
"""Colour, dash pattern and point shape of each design."""


def lighter(colour: str, part: float = 0.55) -> str:
    """A colour mixed with white. Opacity is not used: it too makes PDF bytes differ."""
    levels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(level + (255 - level) * part):02x}" for level in levels)


def scale_of(table: Mapping[str, Any], names: list[str]) -> alt.Scale:
    """The scale that gives each of ``names`` its own mark."""
    return alt.Scale(domain=names, range=[table[name] for name in names])


@alt.theme.register("mcost", enable=False)
def _theme() -> alt.theme.ThemeConfig:
    axis: Any = {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "#e6e6e6",
        "domainColor": "#666666",
        "tickColor": "#666666",
        "labelOverlap": "greedy",
        "labelFlush": False,
    }
    legend: Any = {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal",
              "symbolStrokeWidth": 2, "labelLimit": 300}  # fmt: skip
    title: Any = {"fontSize": 14, "subtitleFontSize": 11, "fontWeight": "normal", "anchor": "start",
             "subtitleColor": "#555555", "frame": "group", "offset": 8}  # fmt: skip
    return {
        "config": {
            "font": FONT,
            "aria": False,
            "background": "white",
            "padding": {"left": 6, "top": 6, "right": 30, "bottom": 6},
            "view": {"continuousWidth": PANEL[0], "continuousHeight": PANEL[1], "stroke": None},
            "axis": axis,
            "header": {"labelFontSize": 12, "titleFontSize": 12,
                       "labelFontWeight": "normal", "titleFontWeight": "normal"},
            "legend": legend,
            "title": title,
            "text": {"fontSize": 11},
            "line": {"strokeWidth": 2},
            "concat": {"spacing": 24},
        }
    }  # fmt: skip


def _svg(spec: dict[str, Any], **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Notebook output of a chart: SVG, with its specification as metadata.

    The specification is what tests compare: it does not change when only the drawing does.
    """
    import vl_convert  # noqa: PLC0415 - 84 MB, and only outputs need it

    drawn = vl_convert.vegalite_to_svg(spec)
    return {"image/svg+xml": drawn}, {"image/svg+xml": {"chart": spec}}


def enable() -> None:
    """Uses the theme for every chart, drawn as SVG without scripts."""
    alt.theme.enable("mcost")
    alt.renderers.register("mcost-svg", _svg)
    alt.renderers.enable("mcost-svg")
