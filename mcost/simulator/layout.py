"""Makes the memory of a machine: where its tables lie, and what they start with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcost.simulator import state
from mcost.simulator.codes import DEFERRED, EACH, IPI, REGION, RUNNING, UNION, Rules
from mcost.simulator.state import Memory

__all__ = ["Needs", "Pages", "allocate"]

Ints = npt.NDArray[np.int64]

_LINE = 8
"""64-bit integers of a cache line."""

_MOST_HELD = 1 << 23
"""64-bit integers, 64 MiB, of the held table; with more pages each CPU is asked in turn."""


class Pages(NamedTuple):
    """The pages a trace touches, in ascending order; a page's index is its id.

    Attributes:
        number: page numbers, private ones (< 0) first.
        place: TLB set of each page.
        unit: index into ``units`` of each page, -1 for private ones.
        units: numbers of the share units that are touched, ascending.
    """

    number: Ints
    place: Ints
    unit: Ints
    units: Ints


class Needs(NamedTuple):
    """What a trace needs room for.

    Attributes:
        mms: different mms.
        attaches: most attach events of one part.
        flush_events: upper limit of flush events.
    """

    mms: int
    attaches: int
    flush_events: int


def allocate(rules: Rules, needs: Needs, pages: Pages) -> Memory:
    """The memory of a machine with nothing loaded, every TLB and mask empty."""
    sizes = _sizes(rules, needs, pages)
    begin, at = state.HEADER, {}
    for table, size in sizes.items():
        begin = -(-begin // _LINE) * _LINE
        at[table] = begin
        begin += size
    room = np.zeros(begin + _LINE, np.int64)
    memory = room[-(room.ctypes.data // 8) % _LINE :][:begin]
    memory[state.TRACKS : state.TRACKS + len(rules)] = rules
    for table, place in at.items():
        memory[table] = place
    memory[state.UNITS] = len(pages.units) if rules.pair else 0
    memory[state.AT_ONCE] = _at_once(rules, len(pages.number))
    memory[state.HELD_STEP] = rules.words if rules.page_wise else 0
    _fill(memory, rules, pages)
    return memory


def _at_once(rules: Rules, pages: int) -> int:
    """Whether the running CPUs are flushed without asking each; see ``runs.py``."""
    # A union of lazy masks reaches CPUs that run no sharer.
    known = (EACH, RUNNING) if rules.lazy_masks else (EACH, UNION, RUNNING, REGION)
    by_generation = rules.delivery == IPI and rules.bumps and rules.tracks in known
    drops_a_slot = not rules.everything and not rules.tables
    return int(by_generation and drops_a_slot and pages * rules.words <= _MOST_HELD)


def _sizes(rules: Rules, needs: Needs, pages: Pages) -> dict[int, int]:
    """Length of each table; every mask and record table has a row for "none"."""
    cpus, mms, count = rules.cpus, needs.mms + 1, len(pages.number)
    units = len(pages.units) if rules.pair else 0
    most = min(needs.flush_events, state.RING_SIZE * cpus) + 1
    held = (count if rules.page_wise else 1) * _at_once(rules, count)
    records = most if rules.delivery == DEFERRED else 0
    return {
        state.CPU_TABLE: cpus * state.CPU_ROW,
        state.SLOT_TABLE: cpus * state.SLOT_ROW,
        state.USED_TABLE: cpus * rules.set_words * state.USED_ROW,
        state.TLB_TABLE: cpus * rules.sets * rules.ways,
        state.MM_TABLE: mms * state.MM_ROW,
        state.MASK_TABLE: mms * rules.words,
        state.REGION_MASK: rules.words,
        state.UNION_MASK: rules.words,
        state.ONLINE_MASK: rules.words,
        state.RUN_MASK: rules.words,
        state.SEEN_MASK: rules.words,
        state.HELD_TABLE: held * rules.words,
        state.PAGE_TABLE: count * state.PAGE_ROW,
        state.NUMBER_TABLE: count,
        state.UNIT_TABLE: units,
        state.CUT_TABLE: units,
        state.LINKED_TABLE: mms * units,
        state.ORDER_TABLE: needs.attaches,
        state.ACTIVE_TABLE: (needs.attaches + 63) // 64,
        state.RECORD_TABLE: records * state.RECORD_ROW,
        state.WAITING_TABLE: records * rules.words,
    }


def _fill(memory: Ints, rules: Rules, pages: Pages) -> None:
    """What does not start at 0: the pages' numbers and places, everyone online."""
    count = len(pages.number)
    rows = memory[memory[state.PAGE_TABLE] :][: count * state.PAGE_ROW]
    rows[state.PLACE :: state.PAGE_ROW] = pages.place
    rows[state.UNIT :: state.PAGE_ROW] = pages.unit
    memory[memory[state.NUMBER_TABLE] :][:count] = pages.number
    units = memory[memory[state.UNIT_TABLE] :][: memory[state.UNITS]]
    units[:] = pages.units[: len(units)]
    online = np.zeros(rules.words * 64, np.uint8)
    online[: rules.cpus] = 1
    bits = np.packbits(online, bitorder="little").view("<i8")
    memory[memory[state.ONLINE_MASK] :][: rules.words] = bits
