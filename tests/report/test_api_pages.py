"""The API reference: every module has a page, and no page loads anything from a network."""

from __future__ import annotations

import re

import pytest

from mcost.report.reference import modules, write_reference

pytest.importorskip("pdoc")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    write_reference(folder)
    return folder


def test_every_module_has_a_page(pages):
    for name in modules():
        page = pages / (name.replace(".", "/") + ".html")
        index = pages / name.replace(".", "/") / "index.html"
        assert page.exists() or index.exists(), name


def test_pages_are_offline(pages):
    for page in pages.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"']https?:", page.read_text())
        assert not loaded, page
