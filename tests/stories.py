"""Traces written by hand, one short line an event."""

from __future__ import annotations

from mcost.traces.schema import EVENTS, KINDS, Trace

__all__ = ["retell", "story"]

_NUMBERS = ("cpu", "mm", "page", "pages")


def story(text: str) -> Trace:
    """A trace from lines such as ``invalidate cpu=0 page=5 pages=2 kind=zap``.

    Fields that a line leaves out are cpu 0, mm -1, page 0, 1 page and kind zap. ``at=`` sets
    the time in ns of this line and the next ones; ``pages`` of a touch touches that many.
    """
    columns: dict[str, list[int]] = {
        name: [] for name in ("time", "cpu", "event", "mm", "page", "pages", "kind")
    }
    now = 0
    for line in filter(None, map(str.strip, text.splitlines())):
        event, *words = line.split()
        given = dict(word.split("=") for word in words)
        now = int(given.pop("at", str(now)))
        fields = {"cpu": 0, "mm": -1, "page": 0, "pages": 1}
        kind = given.pop("kind", "zap")
        fields.update({name: int(value) for name, value in given.items()})
        for extra in range(fields["pages"] if event == "touch" else 1):
            columns["time"].append(now)
            columns["event"].append(EVENTS.index(event))
            columns["kind"].append(KINDS.index(kind))
            for name in _NUMBERS:
                columns[name].append(fields[name] + (extra if name == "page" else 0))
    return Trace.build(**columns)


def retell(trace: Trace) -> str:
    """The story of a trace: ``story(retell(trace))`` runs alike."""
    lines = []
    for row in range(len(trace)):
        event = EVENTS[trace.event[row]]
        words = [event, f"cpu={trace.cpu[row]}", f"at={trace.time[row]}"]
        if event in ("switch", "attach", "detach"):
            words.append(f"mm={trace.mm[row]}")
        if event in ("touch", "invalidate"):
            words.append(f"page={trace.page[row]}")
        if event == "invalidate":
            words += [f"pages={trace.pages[row]}", f"kind={KINDS[trace.kind[row]]}"]
        lines.append(" ".join(words))
    return "\n".join(lines)
