"""What the kernel itself did, call by call and in sum: to hold simulations against."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcost.traces.importers.flushes import EVERYTHING, LOCAL, REMOTE
from mcost.traces.importers.found import Scan
from mcost.traces.importers.masks import Masks
from mcost.traces.importers.operations import Operations
from mcost.traces.importers.summary import Recorded
from mcost.traces.importers.targets import HOW, Targets
from mcost.traces.importers.timeline import NONE

__all__ = ["Calls", "count_recorded", "each_call"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_KINDS = {LOCAL: "local", REMOTE: "remote", EVERYTHING: "flush_tlb_all"}


@dataclass(frozen=True)
class Calls:
    """Every flush call of the file, in order, one array a column.

    Attributes:
        time: ns.
        cpu: initiator.
        process: process that asked.
        kind: 0 stayed local, 1 flush_tlb_multi, 2 flush_tlb_all.
        pages: as the sender traced, -1 for a full flush.
        mm: process whose mm was flushed, -1 when batched or not known.
        how: index into ``targets.HOW``: how mm was found.
        freed: page tables were freed, by a probe's word; 0 without one.
        targets: CPUs told, the initiator apart: from csd_queue_cpu; -1 when not recorded.
        interrupts: interrupts sent, from ipi_send_*; -1 when not recorded.
        received: handlers that traced reason 1: a lower bound of the targets.
        mask: CPUs in the recorded mask, the initiator apart; -1 without a probe.
        loaded: CPUs, the initiator apart, that have mm loaded; -1 when it is not known.
        running: those of them that are not lazy.
        mask_right: the recorded mask is just the CPUs with mm loaded, the initiator's own
            bit looked at as well.
        row: row of the call's invalidate in the trace, -1 when it does not count.
    """

    time: Ints
    cpu: Ints
    process: Ints
    kind: Ints
    pages: Ints
    mm: Ints
    how: Ints
    freed: Ints
    targets: Ints
    interrupts: Ints
    received: Ints
    mask: Ints
    loaded: Ints
    running: Ints
    mask_right: Bools
    row: Ints

    def __len__(self) -> int:
        """Number of calls."""
        return len(self.time)

    def frame(self) -> pd.DataFrame:
        """The columns as a table, ``kind`` and ``how`` as words."""
        table = pd.DataFrame({entry.name: getattr(self, entry.name) for entry in fields(self)})
        table["kind"] = table["kind"].map(_KINDS)
        table["how"] = table["how"].map(dict(enumerate(HOW)))
        return table


def each_call(done: Scan, targets: Targets, made: Operations, counted: Masks, rows: Ints) -> Calls:
    """The calls of a scan with all that is known of them; ``rows`` are the invalidates'."""
    calls = done.calls.table.columns()
    queued = done.queued
    sent = done.counts["ipi_send_cpu"] > 0 and done.counts["ipi_send_cpumask"] > 0
    remote = calls["kind"] != LOCAL
    row = np.where(made.group == NONE, NONE, np.append(rows, NONE)[made.group])
    return Calls(
        time=calls["time"], cpu=calls["cpu"], process=targets.process, kind=calls["kind"],
        pages=calls["pages"], mm=targets.mm, how=targets.how, freed=calls["freed"],
        targets=np.where(remote & ~np.bool_(queued), -1, calls["targets"]),
        # Nothing sent means no interrupt only where both ways of sending were recorded.
        interrupts=np.where((calls["interrupts"] < 0) & (sent | ~remote), 0, calls["interrupts"]),
        received=calls["received"], mask=counted.recorded, loaded=counted.mm,
        running=counted.mm_running, mask_right=counted.right, row=row,
    )  # fmt: skip


def count_recorded(done: Scan, calls: Calls) -> Recorded:
    """What the kernel itself did, in the whole file and for the calls that count."""
    counts = done.calls.counts
    ours, remote = calls.row != NONE, calls.kind == REMOTE
    everything = calls.kind == EVERYTHING
    queued = done.queued
    sent = done.counts["ipi_send_cpu"] + done.counts["ipi_send_cpumask"] > 0
    comparable = (calls.mask >= 0) & (calls.loaded >= 0)
    return Recorded(
        remote_calls=int(remote.sum()),
        local_calls=int((calls.kind == LOCAL).sum()),
        received=counts["received"],
        unmatched=counts["received_unmatched"],
        lazy_answers=counts["lazy_answer"],
        stale_answers=counts["stale_answer"],
        switch_flushes=counts["switch_flush"],
        csd_targets=counts["csd_targets"] if queued else None,
        ipi_targets=counts["ipi_targets"] if sent else None,
        flush_all_calls=int(everything.sum()) if queued else None,
        flush_all_targets=int(calls.targets[everything].sum()) if queued else None,
        region_remote_calls=int((ours & remote).sum()),
        region_local_calls=int((ours & (calls.kind == LOCAL)).sum()),
        region_received=int(calls.received[ours].sum()),
        region_targets=int(calls.targets[ours & ~(calls.kind == LOCAL)].sum()) if queued else None,
        masks=int(comparable.sum()),
        masks_right=int(calls.mask_right.sum()),
    )
