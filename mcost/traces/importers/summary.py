"""What an import found, took for granted and could not know: for people and for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mcost.traces.importers.masks import Spread

__all__ = ["Recorded", "Sharer", "Summary"]


@dataclass(frozen=True)
class Sharer:
    """One process that shares the region.

    Attributes:
        process: its number, the mm of the trace's events.
        names: comms of its threads.
        threads: threads of it that the file shows.
        share: fraction of all CPU time that it runs.
    """

    process: int
    names: tuple[str, ...]
    threads: int
    share: float


@dataclass(frozen=True)
class Recorded:
    """What the kernel itself did, counted from the file: to hold simulations against.

    Attributes:
        remote_calls: flush_tlb_multi calls (reason 4), also those that told nobody.
        local_calls: calls that stayed on their CPU (reasons 2, 3 without a 4).
        received: handlers run on told CPUs (reason 1): at most the targets, since a handler
            with nothing to do traces nothing (KF 8.2).
        unmatched: those that no call can have asked for.
        lazy_answers: told CPUs that were lazy (reason 0 in a hardirq; needs flags).
        stale_answers: told CPUs that had another mm loaded (reason 5, 6.14 and later).
        switch_flushes: reason 0 at a switch.
        csd_targets: CPUs told by csd_queue_cpu for flush_tlb_func, None when not recorded.
        ipi_targets: interrupts sent for flush calls, None when not recorded.
        flush_all_calls: flush_tlb_all calls, None when csd_queue_cpu was not recorded: nothing
            else shows them.
        flush_all_targets: CPUs told by them.
        region_remote_calls, region_local_calls, region_received: of the calls that count.
        region_targets: CPUs told by the calls that count, None unless recorded.
        masks: calls whose mask a probe recorded and whose mm is known; masks_right: those
            where one mm a CPU gives just that mask.
    """

    remote_calls: int
    local_calls: int
    received: int
    unmatched: int
    lazy_answers: int
    stale_answers: int
    switch_flushes: int
    csd_targets: int | None
    ipi_targets: int | None
    flush_all_calls: int | None
    flush_all_targets: int | None
    region_remote_calls: int
    region_local_calls: int
    region_received: int
    region_targets: int | None
    masks: int
    masks_right: int


@dataclass(frozen=True)
class Summary:
    """One import in numbers and sentences.

    Attributes:
        file, format, kernel: what was read; kernel "" when the file does not name it.
        lines, broken, broken_at: lines read, not understood, numbers of the first of those.
        lost: events that the file says the recorder lost.
        events: lines by event name.
        cpus: size of the machine: by the file's head, else the highest CPU seen + 1.
        seconds: from first to last event.
        threads, processes: user threads and processes that the file shows.
        sharers: the processes that share.
        switches, idles, touches, invalidates: rows of the trace.
        resyncs: switches put in where one was missing.
        migrations: sched_migrate_task lines of sharers.
        calls: flush calls found; counted: those that became invalidates; merged: those that
            joined the invalidate of a call before them; ignored: the others, by reason.
        mm_found: counted calls by how their mm was found.
        share: fraction of CPU time with a sharer running (rho).
        lazy: fraction with a sharer loaded under a kernel thread or the idle task (z).
        union_mask, running: at counted calls, other CPUs that have a sharer loaded, run one.
        mm_mask: at counted calls, other CPUs that have the flushed mm loaded.
        recorded: what the kernel counted.
        assumed: what was put in or decided without the file saying so.
        unknown: what the file could not tell.
    """

    file: str
    format: str
    kernel: str
    lines: int
    broken: int
    broken_at: tuple[int, ...]
    lost: int
    events: dict[str, int]
    cpus: int
    seconds: float
    threads: int
    processes: int
    sharers: tuple[Sharer, ...]
    switches: int
    idles: int
    touches: int
    invalidates: int
    resyncs: int
    migrations: int
    calls: int
    counted: int
    merged: int
    ignored: dict[str, int]
    mm_found: dict[str, int]
    share: float
    lazy: float
    union_mask: Spread | None
    running: Spread | None
    mm_mask: Spread | None
    recorded: Recorded
    assumed: tuple[str, ...]
    unknown: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain numbers, strings, lists and dictionaries, for JSON."""
        return asdict(self)

    def rows(self) -> list[dict[str, object]]:
        """Rows (what, value) of the numbers, nested ones as ``recorded remote_calls``."""
        rows: list[dict[str, object]] = []
        for name, value in self.as_dict().items():
            if name in ("assumed", "unknown", "sharers"):
                continue
            if isinstance(value, dict):
                rows += [{"what": f"{name} {key}", "value": part} for key, part in value.items()]
            else:
                rows.append({"what": name, "value": _plain(value)})
        return rows


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    return value
