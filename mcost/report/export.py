"""Charts and frames to files: SVG, PNG, PDF and CSV, the same bytes each time."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd

from mcost.report import theme
from mcost.report.figures import Figure
from mcost.report.setting import Setting
from mcost.spec.lookup import find

__all__ = ["FORMATS", "as_csv", "draw", "export_figure", "specification", "write"]

PPI = 144


def write(path: Path, content: bytes | str) -> None:
    """Writes aside, then renames: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def as_csv(frame: pd.DataFrame, provenance: str) -> str:
    """The frame as CSV under a comment line that says where it comes from."""
    return f"# {provenance}\n" + frame.to_csv(index=False, float_format="%.9g", lineterminator="\n")


def specification(one: Figure, frame: pd.DataFrame, provenance: str) -> dict[str, Any]:
    """The Vega-Lite specification, with title and provenance line on it."""
    theme.enable()
    chart = one.chart(frame)
    spec: dict[str, Any] = json.loads(json.dumps(chart.to_dict()))
    spec["title"] = {
        "text": _lines(one.title, 78),
        "subtitle": _lines(provenance, 104),
        "offset": 14,
    }
    return spec


def _lines(text: str, width: int) -> list[str]:

    return wrap(text, width) or [text]


def _svg(spec: dict[str, Any], scale: float) -> bytes:
    import vl_convert  # noqa: PLC0415 - 84 MB, loaded when something is drawn

    text: str = vl_convert.vegalite_to_svg(spec)
    return (_scaled(text, scale) if scale != 1 else text).encode()


def _png(spec: dict[str, Any], scale: float) -> bytes:
    import vl_convert  # noqa: PLC0415

    drawn: bytes = vl_convert.vegalite_to_png(spec, scale=scale, ppi=PPI)
    return drawn


def _pdf(spec: dict[str, Any], scale: float) -> bytes:
    import vl_convert  # noqa: PLC0415

    drawn: bytes = vl_convert.vegalite_to_pdf(spec, scale=scale)
    return drawn


FORMATS: dict[str, Callable[[dict[str, Any], float], bytes]] = {
    "svg": _svg,
    "png": _png,
    "pdf": _pdf,
}
"""How a specification becomes a file."""


def _scaled(svg: str, scale: float) -> str:
    """The SVG with another outer size; its view box, and so its layout, stays."""

    def bigger(found: re.Match[str]) -> str:
        return f'{found[1]}="{float(found[2]) * scale:.6g}"'

    head, sep, rest = svg.partition(">")
    return re.sub(r'\b(width|height)="([0-9.]+)"', bigger, head) + sep + rest


def natural_width(spec: dict[str, Any]) -> float:
    """Width of the drawing before any scaling, px."""
    head = _svg(spec, 1).decode().partition(">")[0]
    found = re.search(r'\bwidth="([0-9.]+)"', head)
    if found is None:
        raise RuntimeError("the SVG that was drawn names no width")
    return float(found[1])


def draw(spec: dict[str, Any], form: str, width: int | None = None) -> bytes:
    """A specification as a file's bytes.

    Args:
        spec: Vega-Lite.
        form: ``svg``, ``png`` or ``pdf``.
        width: px of the drawing as a whole; None for its natural width.

    Raises:
        ValueError: unknown format, or a width outside 100..4000.
    """
    make = find("format", form, FORMATS)
    if width is None:
        return make(spec, 1)
    if not 100 <= width <= 4000:
        raise ValueError(f"--width: {width} is out of range, must be 100 to 4000 px")
    return make(spec, width / natural_width(spec))


def export_figure(one: Figure, setting: Setting, folder: Path) -> list[str]:
    """SVG, PNG, PDF and CSV of one figure; returns the file names."""
    provenance = one.provenance(setting)
    frame = one.data(setting)
    spec = specification(one, frame, provenance)
    for form in FORMATS:
        write(folder / f"{one.name}.{form}", draw(spec, form))
    write(folder / f"{one.name}.csv", as_csv(frame, provenance))
    return [f"{one.name}.{ending}" for ending in (*FORMATS, "csv")]
