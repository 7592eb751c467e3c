"""Prices from evidence: from published rows, and from the machine this runs on.

``published`` fits the series that published-numbers.md 1.1 names for calibration and no
others; the series of 1.2 are kept for ``mcost.checks.published``. ``refresh`` puts fitted
values into price lists. ``machine`` measures here; ``profile`` turns that into a price list.
"""

from __future__ import annotations
