"""The message that a reply answers: read without trust, never sent anything."""

from __future__ import annotations

import mailbox
import re
import unicodedata
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formataddr
from itertools import groupby
from pathlib import Path
from textwrap import wrap

__all__ = ["Original", "compose", "quoted", "read_message", "to_ascii"]

LIMIT = 8 << 20
"""Largest file that is read, bytes."""

_ID = re.compile(r"<[^<>\s@]{1,200}@[^<>\s@]{1,200}>", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_QUOTED_LINES = 24


@dataclass(frozen=True)
class Original:
    """What is needed of the message that is answered.

    Attributes:
        subject: decoded, one line.
        sender: (name, address).
        others: addresses of To and Cc.
        date: as its header says, empty without one.
        message_id: with angle brackets.
        references: message ids, oldest first.
        lines: text, without signature and patch.
    """

    subject: str
    sender: tuple[str, str]
    others: tuple[tuple[str, str], ...]
    date: str
    message_id: str
    references: tuple[str, ...]
    lines: tuple[str, ...]


def read_message(path: Path) -> Original:
    """Reads one message; of an mbox the first.

    Raises:
        ValueError: too large, not a mail, broken MIME, an unknown character set, no usable
            Message-ID or sender, or a line break or control character inside a header.
        OSError: the file cannot be read.
    """
    name = path.name
    size = path.stat().st_size
    if size > LIMIT:
        raise ValueError(f"{name}: {size} bytes, must be at most {LIMIT}")
    try:
        message = _parsed(path)
        return _original(message)
    except (MessageError, LookupError, UnicodeError, AttributeError, IndexError) as err:
        raise ValueError(f"{name}: not a readable mail ({' '.join(str(err).split())})") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _parsed(path: Path) -> EmailMessage:
    content = path.read_bytes()
    if path.suffix == ".mbox" or content.startswith(b"From "):
        content = _first(path)
    message = BytesParser(policy=policy.default).parsebytes(content)
    if not isinstance(message, EmailMessage):
        raise ValueError("not a mail")  # noqa: TRY004 - the caller wants one line
    for part in message.walk():
        if part.defects:
            raise ValueError(f"broken MIME ({type(part.defects[0]).__name__})")
    return message


def _first(path: Path) -> bytes:
    box = mailbox.mbox(path, create=False)
    try:
        keys = box.keys()
        if not keys:
            raise ValueError("an mbox without a message")
        return box.get_bytes(keys[0])
    finally:
        box.close()


def _original(message: EmailMessage) -> Original:
    sender = _addresses(message, "Reply-To") or _addresses(message, "From")
    if not sender:
        raise ValueError("header From: must name who wrote it")
    found = _ID.fullmatch(_header(message, "Message-ID").strip())
    if found is None:
        raise ValueError("header Message-ID: must be one <id@host>")
    earlier = _header(message, "References") or _header(message, "In-Reply-To")
    return Original(
        subject=" ".join(_header(message, "Subject").split()),
        sender=sender[0],
        others=tuple(_addresses(message, "To") + _addresses(message, "Cc")),
        date=_header(message, "Date"),
        message_id=found[0],
        references=tuple(_ID.findall(earlier)),
        lines=tuple(_text(message)),
    )


def _header(message: EmailMessage, name: str) -> str:
    values = message.get_all(name) or []
    if len(values) > 1:
        raise ValueError(f"header {name}: there are {len(values)}, must be at most one")
    text = str(values[0]) if values else ""
    if _CONTROL.search(text):
        raise ValueError(f"header {name}: holds a line break or control character")
    return text


def _addresses(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    if not _header(message, name):
        return []
    found = [(one.display_name, one.addr_spec) for one in message[name].addresses]
    return [pair for pair in found if _is_address(pair[1]) and not _CONTROL.search(pair[0])]


def _is_address(text: str) -> bool:
    return re.fullmatch(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}", text) is not None


def _text(message: EmailMessage) -> list[str]:
    body = message.get_body(preferencelist=("plain",))
    if body is None:
        raise ValueError("has no text/plain part")
    raw = body.get_payload(decode=True)
    if not isinstance(raw, bytes):
        raise ValueError("has no text/plain part")  # noqa: TRY004
    text = raw.decode(str(body.get_content_charset("us-ascii")))
    lines = []
    for line in text.splitlines():
        if line.rstrip() == "--" or line.startswith(("diff --git ", "---")):
            break
        lines.append(_CONTROL.sub(" ", line).expandtabs(4).rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines


def to_ascii(text: str) -> str:
    """The nearest ASCII text: accents dropped, what has no letter becomes ``?``."""
    plain = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-",
                            0x2014: "-", 0xB1: "+/-", 0xA0: " "})  # fmt: skip
    split = unicodedata.normalize("NFKD", plain)
    kept = "".join(char for char in split if not unicodedata.combining(char))
    return kept.encode("ascii", "replace").decode()


def quoted(original: Original, width: int) -> list[str]:
    """Who wrote, and the first lines of what was written, behind ``>``."""
    name, address = original.sender
    when = f"On {original.date}, " if original.date else ""
    lines = wrap(to_ascii(f"{when}{name or address} wrote:"), width)
    kept = [to_ascii(line) for line in original.lines[:_QUOTED_LINES]]
    for mark, group in groupby(kept, _paragraph):
        depth = f">{mark[0]}" if mark[0] else "> "
        texts = [line[len(mark[0]) :] for line in group]
        if any(len(depth) + len(text) > width for text in texts):
            texts = wrap(" ".join(texts), width - len(depth)) or [""]
        lines += [f"{depth}{text}".rstrip() for text in texts]
    if len(original.lines) > _QUOTED_LINES:
        lines.append("> [...]")
    return lines


def _paragraph(line: str) -> tuple[str, bool]:
    """(quoting marks, empty or not): lines that share it are filled together."""
    mark = re.match(r"(?:> ?)*", line)
    depth = mark[0] if mark else ""
    return depth, not line[len(depth) :].strip()


def compose(original: Original, body: str) -> bytes:
    """The reply as a message for ``git send-email``, which adds From, Date and Message-ID.

    Args:
        original: what is answered.
        body: ASCII, lines of at most 72 columns.
    """
    mail = EmailMessage(policy=policy.SMTP.clone(max_line_length=998, linesep="\n"))
    subject = original.subject
    mail["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    mail["To"] = formataddr(original.sender)
    own = original.sender[1].lower()
    others = {address.lower(): (name, address) for name, address in original.others}
    others.pop(own, None)
    if others:
        mail["Cc"] = ", ".join(formataddr(pair) for pair in others.values())
    mail["In-Reply-To"] = original.message_id
    chain = dict.fromkeys([*original.references, original.message_id])
    mail["References"] = " ".join(chain)
    mail.set_content(body, charset="us-ascii", cte="7bit")
    mail.set_param("format", "fixed")
    return bytes(mail)
