"""A reply as files: the body, the message, and beside them figure and numbers."""

from __future__ import annotations

from pathlib import Path

from mcost.report.asked import Asked
from mcost.report.columns import WIDTH
from mcost.report.export import FORMATS, as_csv, draw, specification, write
from mcost.report.figures.compared import COMPARED
from mcost.report.mail import Original, compose, quoted, to_ascii
from mcost.report.provenance import line
from mcost.report.reply import answer, body, frame, provenance

__all__ = ["make"]


def make(asked: Asked, original: Original | None, command: str, folder: Path) -> list[str]:
    """Writes everything; returns the file names.

    Args:
        asked: the question.
        original: the message that is answered, or None.
        command: what makes this reply again.
        folder: where; made if missing.
    """
    found = answer(asked)
    numbers = frame(found)
    told = line(provenance(asked, found))
    lines = body(asked, found, to_ascii(command), told)
    if original is not None:
        lines = [*quoted(original, WIDTH), "", *lines]
    text = "\n".join(lines) + "\n"
    spec = specification(COMPARED, numbers, told)
    files: dict[str, bytes | str] = {"reply.txt": text, "reply.csv": as_csv(numbers, told)}
    files |= {f"reply.{form}": draw(spec, form) for form in FORMATS}
    if original is not None:
        files["reply.eml"] = compose(original, text)
    for name, content in files.items():
        write(folder / name, content)
    return list(files)
