"""Rules for flushes by IPI: initiator loops, responders, single instructions, interrupts."""

from __future__ import annotations

import numpy as np

from mcost.algebra.shape import Conditions
from mcost.checks.predict import CannotPredict, Prediction, Question, Rule
from mcost.checks.terms import Floats, Terms
from mcost.spec.operations import CEILING

__all__ = ["IPI_RULES"]

_TIMES = ("ns", "us", "ms", "cycles")
_NOT_INITIATOR = (
    (r"; patched \|", "the row says patched but not what the patch changes"),
    (r"latr\b(?!.*linux)|lazy|luf|replicat", "a research kernel whose own steps have no price"),
    (r"access time|throughput|bystander", "not the time of the CPU that asks"),
)


def _initiator(question: Question) -> Prediction:
    """A loop over madvise, mprotect or munmap, or a bare shootdown.

    Local and remote flush overlap only where the row says so: S02 calibrates on a kernel of
    2022 that should overlap them (KF 9.2) and still shows the whole step.
    """
    prices = question.terms()
    for pattern, reason in _NOT_INITIATOR:
        if question.says(pattern):
            raise CannotPredict(reason)
    remotes, pages = question.cpus() - 1, question.pages()
    if question.says(r"skipped"):
        return _done(question, prices, _base(question, prices), "the call without any remote work")
    conditions = Conditions(
        overlap=question.says(r"concurrent"),
        early_ack=question.says(r"async|early ack"),
    )
    time = prices.component("initiator", remotes, pages, conditions)
    if question.says(r"user-space pcid flush deferred"):
        time = time - pages * prices["invlpg_user"]
    base = _base(question, prices)
    if base.any():
        time = base + time - prices.component("initiator", 0, 1)
    return _done(question, prices, time, "every other thread runs and sits in the mask")


def _base(question: Question, prices: Terms) -> Floats:
    """The call around the flush, a local flush of one page in it; 0 for a bare shootdown."""
    if question.says(r"mprotect"):
        return prices["call_mprotect"]
    if question.says(r"madvise|munmap|unmap"):
        return prices["loop_madvise"]
    return 0 * prices["first"]


def _done(question: Question, prices: Terms, time: Floats, assumes: str) -> Prediction:
    return Prediction(prices.in_unit(time, question.row.unit), assumes)


def _responder(question: Question) -> Prediction:
    prices = question.terms()
    time = prices.component("responders", 1, question.pages())
    return _done(question, prices, time, "nobody published a responder's interrupt entry")


def _one_ipi(question: Question) -> Prediction:
    if question.says(r"self|user ipi|broadcast"):
        raise CannotPredict("no price for an IPI of this kind")
    prices = question.terms()
    time = prices["first"] + prices.reach(question.row.sockets)
    return _done(question, prices, time, "send to acknowledgement stands for the latency of an IPI")


def _local(question: Question) -> Prediction:
    prices = question.terms()
    whole = question.row.pages is None or (
        question.row.pages > CEILING and not question.says(r"invlpg loop")
    )
    time = prices["flush_call"] + (
        prices["full_flush"] + prices["full_user"]
        if whole
        else question.pages() * (prices["invlpg"] + prices["invlpg_user"])
    )
    return _done(question, prices, time, "the call as traced in a kernel build of 2014")


def _instruction(question: Question) -> Prediction:
    prices = question.terms()
    for pattern, price in (
        (r"invlpg|flush_tlb_one|single 4k", "invlpg"),
        (r"global|invpcid|pge", "global_flush"),
        (r"cr3|__flush_tlb\b", "full_flush"),
        (r"miss|walk|refill", "refill"),
    ):
        if question.says(pattern):
            times = question.pages() if price in ("invlpg", "refill") else 1
            return _done(question, prices, times * prices[price], "hot to cold, one by one")
    raise CannotPredict("no price for this instruction")


def _throughput(question: Question) -> Prediction:
    """will-it-scale tlb_flush2: n threads flush one page each of one mm, all the time.

    A thread's cycle holds its own flush and one interrupt from each other thread; INVLPGB
    replaces both by its own time. The lock-free IPI row gives the cycle itself.
    """
    if not question.says(r"invlpgb and|; both|invlpgb\+"):
        raise CannotPredict("only INVLPGB with the LRU drain lock removed can be told from a row")
    start = question.sibling(r"lru.*(removed|fix)$")
    prices, threads = question.terms(), question.cpus()
    alone = prices["loop_madvise"]
    # A draw that makes the flush longer than the whole cycle leaves the bare loop.
    rest = np.maximum(threads / start.value * 1e9 - _ipis(prices, threads), alone)
    return Prediction(
        threads / (rest + _broadcasts(prices, threads)) * 1e9,
        f"INVLPGB's prices are unpublished ranges; {_MERGED}",
    )


_MERGED = "one interrupt a thread and cycle, none merged"


def _ipis(prices: Terms, threads: int) -> Floats:
    """One flush of a thread by IPI, and the interrupts of everybody else's."""
    own = prices.component("initiator", threads - 1, 1)
    return own + prices.component("responders", threads - 1, 1)


def _broadcasts(prices: Terms, threads: int) -> Floats:
    """One broadcast flush of a thread, and the stalls of everybody else's."""
    each = prices["broadcast_wait"] + prices["broadcast_tax"]
    return prices["broadcast"] + prices["broadcast_sync"] + (threads - 1) * each


def _time_share(question: Question) -> Prediction:
    """Share of a tlb_flush2 thread's cycle that its own and the others' flushes take."""
    prices, threads = question.terms(), question.cpus()
    variant = "invlpgb only" if question.says(r"; invlpgb") else "vanilla"
    cycle = threads / _loops(question, variant) * 1e9
    part = _broadcasts(prices, threads) if variant != "vanilla" else _ipis(prices, threads)
    return Prediction(100 * np.minimum(part / cycle, 1.0), _MERGED)


def _loops(question: Question, variant: str) -> float:
    for other in question.rows.values():
        same = (other.platform, other.cpus) == (question.row.platform, question.row.cpus)
        if same and other.unit == "loops/s" and other.operation.lower().endswith(f"; {variant}"):
            return other.value
    raise CannotPredict("no throughput of the same run")


IPI_RULES: tuple[Rule, ...] = (
    Rule("throughput", r"tlb_flush2.*throughput", ("loops/s",), _throughput),
    Rule("time share", r"tlb_flush2.*share of tlb invalidation", ("percent",), _time_share),
    Rule("responder", r"\| .*(responder|receiver|handler)", _TIMES, _responder),
    Rule("one IPI", r"\bipi\b.*(latency|delivery|cycles)|one ipi", _TIMES, _one_ipi),
    Rule(
        "initiator",
        r"(madvise|mprotect|munmap|unmap of|shootdown).*"
        r"(initiator|latency|per (call|iteration|op)|cycles|time)",
        _TIMES,
        _initiator,
    ),
    Rule("local flush", r"flush of n pages|full tlb flush", _TIMES, _local),
    Rule(
        "instruction",
        r"invlpg|single 4k|flush_tlb(?!_range)|global flush|invpcid|cr4\.pge|cr3"
        r"|tlb miss|page walk|refill",
        _TIMES,
        _instruction,
    ),
)
