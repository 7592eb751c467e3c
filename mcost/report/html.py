"""Executed notebooks as single offline pages: SVG charts, MathML, no script, no address."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

__all__ = ["first_sentence", "index_page", "page"]

_CSS = """
body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem}a{color:#0b5394}
pre{font:13px/1.4 monospace;overflow-x:auto;margin:.4rem 0}
.code{background:#f6f6f4;padding:.2rem .8rem;border-left:3px solid #cfcfc8}
.out svg{max-width:100%;height:auto;overflow:visible}
math[display=block]{margin:.8rem 0;overflow:auto hidden}
.anchor-link{display:none}summary{color:#666;font-size:.85rem;cursor:pointer}
footer{margin-top:3rem;color:#666;font-size:.85rem}
ul.index{list-style:none;padding:0}ul.index li{display:flex;gap:1.2rem;margin:1rem 0}
ul.index img{width:13rem;height:7.5rem;object-fit:contain;object-position:top;flex:none;
border:1px solid #ddd}table{border-collapse:collapse}td,th{padding:.2rem .6rem}
"""

_FOLDED = ("parameters", "setup", "answer")
"""Tags of cells whose code is folded away."""
_LIMIT = re.compile(r"<msub>(<mo>lim</mo>.*?)</msub>")
"""What a limit goes to stands under it; the converter sets it as an index."""
_MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$", re.DOTALL)


def page(title: str, book: Any, footer: str) -> str:
    """One executed notebook as a page.

    Args:
        title: of the page.
        book: nbformat v4 notebook with outputs.
        footer: provenance.
    """
    parts = [_cell(cell) for cell in book.cells]
    style = HtmlFormatter(style="default").get_style_defs(".highlight")
    nav = '<p><a href="index.html">all notebooks</a></p>'
    return _frame(title, "\n".join([nav, *parts]), footer, style)


def _frame(title: str, body: str, footer: str, style: str = "") -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n'
        f"<style>{_CSS}{style}</style></head>\n<body>\n{body}\n"
        f"<footer>{escape(footer)}</footer>\n</body></html>\n"
    )


def _cell(cell: Any) -> str:
    if cell.cell_type == "markdown":
        return _markdown(cell.source)
    code = _highlight(cell.source)
    if folded := [tag for tag in cell.metadata.get("tags", []) if tag in _FOLDED]:
        code = f"<details><summary>{folded[0]}</summary>{code}</details>"
    return "\n".join([code, *(_output(output) for output in cell.outputs)])


def _markdown(source: str) -> str:
    """Markdown to HTML; mathematics is set apart first, so that no rule of Markdown sees it."""
    kept: list[str] = []

    def aside(found: re.Match[str]) -> str:
        kept.append(_mathml(found[1] or found[2], block=bool(found[1])))
        return f"mathematics{len(kept) - 1}here"

    html: str = markdown2html_mistune(_MATH.sub(aside, source))
    return re.sub(r"mathematics(\d+)here", lambda found: kept[int(found[1])], html)


def _mathml(tex: str, block: bool) -> str:
    made: str = latex2mathml.converter.convert(
        tex.replace(r"\operatorname", r"\mathrm"), display="block" if block else "inline"
    )
    return _LIMIT.sub(r"<munder>\1</munder>", made)


def _highlight(source: str) -> str:
    return f'<div class="code">{highlight(source, PythonLexer(), HtmlFormatter())}</div>'


def _output(output: Any) -> str:
    if output.output_type == "stream":
        return f"<pre>{escape(output.text)}</pre>"
    data: Mapping[str, str] = output.get("data", {})
    if "image/svg+xml" in data:
        return f'<div class="out">{data["image/svg+xml"]}</div>'
    if "text/markdown" in data:
        return _markdown(data["text/markdown"])
    if "text/latex" in data:
        tex = data["text/latex"].strip().strip("$").strip()
        return _mathml(tex.removeprefix(r"\displaystyle"), block=True)
    return f"<pre>{escape(data.get('text/plain', ''))}</pre>"


def first_sentence(book: Any) -> str:
    """The first sentence of the first paragraph that code wrote, as plain text."""
    for cell in book.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/markdown")
            if text:
                plain = re.sub(r"[*`$]", "", text.strip().splitlines()[0])
                return re.split(r"(?<=[.!?])\s+(?=[A-Z])", plain)[0]
    return ""


def title_of(book: Any) -> str:
    """The notebook's heading."""
    every = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    return next(line for line in every.splitlines() if line.startswith("# "))[2:].strip()


def _thumbnail(book: Any) -> str:
    for cell in book.cells:
        for output in cell.get("outputs", []):
            svg = output.get("data", {}).get("image/svg+xml")
            if svg:
                code = base64.b64encode(svg.encode()).decode()
                return f'<img alt="" src="data:image/svg+xml;base64,{code}">'
    return ""


def _link(name: str) -> str:
    return f"<a href='{name}'>{name.rpartition('/')[2]}</a>"


def index_page(books: Mapping[str, Any], extra: Mapping[str, Sequence[str]], footer: str) -> str:
    """The index: thumbnail, title and one sentence of each notebook, then other files.

    Args:
        books: executed notebooks by name.
        extra: what files show -> their names.
        footer: provenance.
    """
    rows = [
        f"<li>{_thumbnail(book)}<div><a href='{name}.html'>{escape(title_of(book))}</a>"
        f"<br>{escape(first_sentence(book))}</div></li>"
        for name, book in books.items()
    ]
    files = [
        f"<li>{escape(text)}: {', '.join(_link(name) for name in names)}</li>"
        for text, names in extra.items()
    ]
    body = (
        "<h1>mcost: who must flush which TLBs, how often, at what cost</h1>"
        f"<ul class='index'>{''.join(rows)}</ul><h2>Files</h2><ul>{''.join(files)}</ul>"
    )
    return _frame("mcost", body, footer)
