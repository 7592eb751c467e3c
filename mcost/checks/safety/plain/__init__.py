"""The same small world without any reduction, in plain Python: every CPU, every translation.

Nothing here is shared with the compiled search but the programs and the rules' names:
generations count up from 0, page table entries have versions, masks are sets. Counterexamples
are replayed in this machine, and the tests hold the search against it.
"""

from __future__ import annotations
