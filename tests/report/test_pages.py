"""Pages open offline: no address, no script, and a real browser without a network is content."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mcost.report.html import index_page, page, title_of

ADDRESS = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]""", re.IGNORECASE)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
NO_NETWORK = ["unshare", "--net"]


def test_pages_hold_everything_they_need(books: dict[str, Any]) -> None:
    for name, book in books.items():
        text = page(title_of(book), book, "provenance & more")
        assert not ADDRESS.search(text), name
        assert "<script" not in text
        assert "<svg" in text
        assert "provenance &amp; more" in text
        assert not re.search(r"\$\$|mathematics\d+here", text), name
    assert "<math" in page("t", books["03_derivations"], "")


def test_index_has_a_thumbnail_a_link_and_a_sentence_each(books: dict[str, Any]) -> None:
    text = index_page(books, {"A table": ["tables/a.txt"]}, "p")
    assert not ADDRESS.search(text)
    assert text.count("<img") == len(books)
    assert all(f"href='{name}.html'" in text for name in books)
    assert "href='tables/a.txt'" in text


def _without_network() -> str:
    """Why the browser test cannot run here, empty when it can."""
    if not CHROMIUM:
        return "no Chromium is installed"
    if shutil.which("unshare") is None:
        return "no unshare, so the network cannot be taken away"
    try:
        done = subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False, timeout=20)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else "not allowed to make a network namespace"


def _of_the_page(log: str) -> list[str]:
    """Console messages and failed requests, without those of the browser's own pages."""
    said = [line for line in log.splitlines() if ":CONSOLE" in line or "net::ERR" in line]
    return [line for line in said if "source: chrome://" not in line]


def test_what_counts_as_the_pages_own_message() -> None:
    slow = '[1:1:INFO:CONSOLE:5] "Slow network is detected.", source: chrome://resources/a.js (5)'
    failed = '[1:1:INFO:CONSOLE:0] "Failed to load: net::ERR_FAILED", source: http://x/ (0)'
    error = '[1:1:INFO:CONSOLE:3] "Uncaught TypeError", source: file:///page.html (3)'
    log = "\n".join([slow, failed, "[1:1:ERROR:dbus] no bus", error])
    assert _of_the_page(log) == [failed, error]


@pytest.mark.parametrize("name", ["01_problem", "03_derivations", "index"])
def test_a_browser_without_network_shows_the_page(
    name: str, books: dict[str, Any], tmp_path: Path
) -> None:
    if reason := _without_network():
        pytest.skip(reason)
    book = books.get(name)
    text = index_page(books, {}, "p") if book is None else page(title_of(book), book, "p")
    path = tmp_path / f"{name}.html"
    path.write_text(text, encoding="utf-8")
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [*NO_NETWORK, CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
         f"--screenshot={picture}", "--window-size=1000,1400", path.as_uri()],
        capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0
    assert not _of_the_page(done.stderr)  # no console message, so no failed request either
    assert picture.stat().st_size > 20_000  # a drawing, not an empty page
