"""Rules for hardware broadcasts: TLBI loops, their rivals and their bystanders."""

from __future__ import annotations

import re

from mcost.checks.predict import CannotPredict, Prediction, Question, Rule
from mcost.checks.terms import Floats, Terms

__all__ = ["BROADCAST_RULES"]

_CALLS = 2  # an mprotect loop takes the permission away and gives it back: two flushes


def _one_page(prices: Terms) -> Floats:
    return prices["broadcast_sync"] + prices["broadcast"]


def _range(question: Question) -> Prediction:
    prices, pages = question.terms(), question.pages()
    if question.says(r"; range|range tlbi"):
        raise CannotPredict("no machine with range TLBI has a price list")
    wide = question.says(r"asid-wide|vmalle1|full")
    time = prices["broadcast_sync"] + (1 if wide else pages) * prices["broadcast"]
    return Prediction(
        prices.in_unit(time, question.row.unit), "one TLBI a page and one pair of DSB"
    )


def _stage2(question: Question) -> Prediction:
    """Unmapping a guest page by page: the range-TLBI run plus one flush of one page each."""
    if not question.says(r"per-page tlbi"):
        raise CannotPredict("the run with range TLBI is the setting that the other starts from")
    start = question.sibling(r"range tlbi")
    prices = question.terms()
    flush = question.pages() * _one_page(prices)
    return Prediction(
        start.value + prices.in_unit(flush, question.row.unit),
        "one TLBI with its own barriers for each page or block, as on the host",
    )


def _rivals(question: Question) -> Prediction:
    """Loops on every CPU at once: each flush waits for one of every other broadcaster."""
    if not question.says(r"; broadcast tlbi"):
        raise CannotPredict("the run with local TLBI is the setting that the other starts from")
    start = question.sibling(r"local tlbi")
    loops = re.search(r"mprotect-threaded (\d+)", question.words)
    if loops is None:
        raise CannotPredict("the number of mprotect calls in the run is not given")
    prices = question.terms()
    waits = int(loops[1]) * _CALLS * (question.cpus() - 1) * prices["broadcast_wait"]
    return Prediction(
        start.value + prices.in_unit(waits, question.row.unit),
        "two flushes of one page in each loop, TLBIs served one after another",
    )


def _bystander(question: Question) -> Prediction:
    """Work on one CPU while another one broadcasts as fast as a bare flush allows."""
    if not question.says(r"looping mprotect"):
        raise CannotPredict("the run without a broadcaster is the setting of the other")
    if question.says(r"; patched"):
        raise CannotPredict("nothing is broadcast: the row repeats its own setting")
    start = _undisturbed(question)
    prices = question.terms()
    stretch = 1 + prices["broadcast_tax"] / _one_page(prices)
    rate = question.row.unit.upper().endswith("FLOPS")
    return Prediction(
        start / stretch if rate else start * stretch,
        "one flush of one page after another, nothing else in the broadcaster's loop",
    )


def _undisturbed(question: Question) -> float:
    row = question.row
    for other in question.rows.values():
        same = (other.platform, other.metric.split(" ")[0], other.unit) == (
            row.platform,
            row.metric.split(" ")[0],
            row.unit,
        )
        quiet = re.search(r"\balone\b|\bidle\b", other.operation)
        if same and quiet and "patched" not in other.operation:
            return other.value
    raise CannotPredict("no row of the same work without a broadcaster")


_TIMES = ("ns", "us", "ms", "s")
BROADCAST_RULES: tuple[Rule, ...] = (
    Rule("TLBI flush", r"flush_tlb_range.*tlbi.*time", _TIMES, _range),
    Rule("stage-2 unmap", r"unmap of a guest.*tlbi.*elapsed", _TIMES, _stage2),
    Rule("rival broadcasts", r"mprotect.*; (broadcast|local) tlbi.*elapsed", _TIMES, _rivals),
    Rule("bystander", r"bystander", (*_TIMES, "MFLOPS", "GFLOPS"), _bystander),
)
