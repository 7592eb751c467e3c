"""Direct labels: the names at the ends of lines, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["decades", "end_labels", "spread_apart"]


def spread_apart(places: Sequence[float], gap: float) -> list[float]:
    """Places moved as little as needed to lie ``gap`` apart, in their order.

    Args:
        places: ascending.
        gap: smallest distance, in the same unit.
    """
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _low(groups[-1], gap) - _high(groups[-2], gap) < gap:
            last = groups.pop()
            groups[-1] += last
    return [_low(group, gap) + k * gap for group in groups for k in range(len(group))]


def _low(group: list[float], gap: float) -> float:
    return sum(group) / len(group) - (len(group) - 1) * gap / 2


def _high(group: list[float], gap: float) -> float:
    return _low(group, gap) + (len(group) - 1) * gap


def decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, with 2 and 5 where those are few."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    tens = [10.0**k for k in powers if low <= 10.0**k <= high]
    if len(tens) >= 3:
        return tens
    return [m * 10.0**k for k in powers for m in (1, 2, 5) if low <= m * 10.0**k <= high]


def end_labels(
    frame: pd.DataFrame, x: str, y: str, name: str, panel: float, domain: tuple[float, float],
    log: bool = True, same: float = 0.03,
) -> pd.DataFrame:  # fmt: skip
    """Where to write the name of each line.

    Args:
        frame: one row per point of each line.
        x, y, name: columns.
        panel: height of the panel, px.
        domain: of the y axis.
        log: whether that axis is logarithmic.
        same: lines that end within this part of each other share one label.

    Returns:
        Columns ``x``, ``y`` (in the axis's unit), ``name`` (of the first line, for its colour)
        and ``label``.
    """
    order = list(dict.fromkeys(frame[name]))
    last = frame.sort_values(x).groupby(name, sort=False).tail(1).sort_values(y)
    ends: list[tuple[float, list[str]]] = []
    for value, line in zip(last[y], last[name], strict=True):
        if ends and value <= ends[-1][0] * (1 + same):
            ends[-1][1].append(line)
        else:
            ends.append((float(value), [line]))
    change = np.log if log else np.asarray
    low, high = (float(change(edge)) for edge in domain)
    gap = 13 * (high - low) / panel
    places = spread_apart([float(change(value)) for value, _ in ends], gap)
    back = np.exp(places) if log else np.asarray(places)
    return pd.DataFrame(
        {
            "x": float(frame[x].max()),
            "y": back,
            "name": [names[0] for _, names in ends],
            "label": [" = ".join(sorted(names, key=order.index)) for _, names in ends],
        }
    )
