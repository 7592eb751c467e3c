"""The body of a reply: a comparison of designs in plain text that stands alone."""

from __future__ import annotations

from dataclasses import asdict
from textwrap import wrap

import pandas as pd
from sympy import Eq, false

from mcost.algebra.formula import formula
from mcost.algebra.symbols import SYMBOL
from mcost.checks.costs import cost_rows
from mcost.report import judges
from mcost.report.asked import Asked
from mcost.report.columns import WIDTH, fixed, mail_table, places
from mcost.report.measure import Measured, Result, measure, stale_uses
from mcost.spec.placements import INITIATORS, PLACEMENTS
from mcost.spec.vocabulary import COUNTS, SYMBOLS

__all__ = ["QUESTIONS", "answer", "body", "frame"]

QUESTIONS = {
    "ipis": "Remote CPUs interrupted (IPIs) per operation",
    "rounds": "Serial rounds that the caller waits for, per operation",
    "bystander_ipis": "IPIs to CPUs that run something unrelated, per operation",
    "generation_bumps": "tlb_gen increments per operation",
}
"""One table a count."""


def answer(asked: Asked) -> Result:
    """Every question of every design."""
    return measure(asked.scenario, asked.designs, tuple(QUESTIONS), asked.seed)


def frame(found: Result) -> pd.DataFrame:
    """What the tables print, long form."""
    return pd.DataFrame([asdict(cell) for cell in found.cells])


def body(asked: Asked, found: Result, command: str, told: str) -> list[str]:
    """The whole body, ASCII lines of at most 72 columns.

    Args:
        asked: the question.
        found: its answer.
        command: what makes this reply again.
        told: the provenance line.
    """
    parts = [
        _scenario(asked),
        *(_table(asked, found, count, title) for count, title in QUESTIONS.items()),
        _reading(found),
        _costs(asked),
        _formulas(asked),
        _checks(asked, found),
        _left_out(),
        [*_wrapped(told), "reproduce:", *_command(command)],
    ]
    return [text for part in parts if part for text in (*part, "")][:-1]


def provenance(asked: Asked, found: Result) -> str:
    """Profile, digest of the simulated trace, seed."""
    return f"profile {asked.machine.name}; trials sha256 {found.digest}; seed {asked.seed}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _command(command: str) -> list[str]:
    return wrap(
        command, WIDTH - 4, initial_indent="  ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _scenario(asked: Asked) -> list[str]:
    one = asked.scenario
    law = next(entry for entry in PLACEMENTS if entry.name == one.placement)
    words = (
        f"One {one.operation} of {one.pages} pages ({one.op.meaning}) of a region that"
        f" {one.sharers} processes share, on {one.cpus} CPUs, kernel {one.kernel}. Where the"
        f" sharers run ({law.name}): {law.meaning}. It is called on"
        f" {INITIATORS[one.initiator]}."
    )
    given = ", ".join(f"{name}={value}" for name, value in one.as_dict().items())
    return [*_wrapped(words), "", *_wrapped(given, "  ")]


def _table(asked: Asked, found: Result, count: str, title: str) -> list[str]:
    cells = found.of(count)
    use = places([cell.half_width for cell in cells], 2) or places([c.mean for c in cells], 3)
    columns = [
        [cell.design for cell in cells],
        fixed([cell.mean for cell in cells], use),
        [f"+/-{text}" for text in fixed([cell.half_width for cell in cells], use)],
        [_change(cell, asked.designs[0].name) for cell in cells],
        fixed([cell.model for cell in cells], use),
    ]
    heads = ["design", "simulated", "95 %", "change", "model"]
    return [title, *(f"  {text}" for text in mail_table(heads, columns))]


def _change(cell: Measured, baseline: str) -> str:
    if cell.design == baseline:
        return "0.00%"
    if not cell.significant:
        return "~"
    return "n/a" if cell.change is None else f"{cell.change:+.2f}%"


def _reading(found: Result) -> list[str]:
    trials = found.cells[0].trials
    base = found.cells[0].design
    return _wrapped(
        f"Lower is better. Mean of {trials} simulated trials, +/- is half of the 95% interval."
        f" change is against {base}, in percent, minus = less; ~ = no significant difference"
        " (95% interval of the paired difference holds 0); n/a = the baseline is 0. model is the"
        " closed form, - where there is none. All designs see the same trials."
    )


def _costs(asked: Asked) -> list[str]:
    names = [one.name for one in asked.designs]
    rows = [
        row
        for row in cost_rows(asked.scenario, names, asked.machine)
        if row["component"] == "initiator"
    ]
    values = {
        key: [None if row[key] is None else float(str(row[key])) / 1000 for row in rows]
        for key in ("mean_ns", "low_ns", "high_ns")
    }
    columns = [[str(row["design"]) for row in rows], *(fixed(v) for v in values.values())]
    unknown = sorted(
        {p for r in rows if r["mean_ns"] is not None for p in str(r["note"]).split(", ") if p}
    )
    notes = [str(row["note"]) for row in rows if row["mean_ns"] is None]
    if unknown:
        notes.append(f"wide ranges, since nobody published them: {', '.join(unknown)}")
    told = f"Prices of {asked.machine.name} ({asked.machine.title}). {'; '.join(notes)}."
    return [
        "Time of the calling CPU per operation, us, with 90 % interval",
        *(f"  {text}" for text in mail_table(["design", "us", "low", "high"], columns)),
        *_wrapped(told, "  "),
    ]


def _formulas(asked: Asked) -> list[str]:
    one = asked.scenario
    lines = ["Closed forms (expected values per operation)"]
    used: set[str] = set()
    for design in asked.designs:
        for count in ("ipis", "rounds"):
            try:
                found = formula(
                    design, count, one.placement, one.initiator, one.operation, one.kernel,
                    apic=one.apic, offset=one.offset,
                )  # fmt: skip
            except ValueError:
                lines.append(f"  {design.name} {count}: simulation only")
                continue
            if one.cpus > 1:
                found = found.subs(Eq(SYMBOL["cpus"], 1), false)
            used |= {str(symbol) for symbol in found.free_symbols}
            lines += _expression(f"{design.name} {count} = {found}")
    some = ", N > 1" if one.cpus > 1 else ""
    letters = [f"{s.letter} {s.name}" for s in SYMBOLS if s.letter in used]
    return [*lines, *_wrapped(f"with {', '.join(letters)}{some}.", "  ")]


def _expression(text: str) -> list[str]:
    return wrap(
        text, WIDTH - 2, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
    )


def _checks(asked: Asked, found: Result) -> list[str]:
    inside, cells, worst = found.agreement()
    stale = {one.name: stale_uses(asked.scenario, one, asked.seed) for one in asked.designs}
    unsafe = {name: hits for name, (hits, _) in stale.items() if hits}
    uses = sum(n for _, n in stale.values())
    total = sum(unsafe.values())
    named = "".join(f"; {name}: {hits} of {stale[name][1]}" for name, hits in unsafe.items())
    return [
        "Checks",
        *_wrapped(
            f"model vs simulator: {inside} of {cells} cells inside their joint 95% interval,"
            f" largest difference {worst:.2g}%", "  "),
        *_wrapped(f"model vs kernel counters: {judges.kernel_line()}", "  "),
        *_wrapped(f"model vs published measurements: {judges.published_line()}", "  "),
        *_wrapped(f"stale hits: {total} of {uses} uses after the operation{named}", "  "),
    ]  # fmt: skip


def _left_out() -> list[str]:
    missing = [entry.name for entry in COUNTS if not entry.closed_form]
    return _wrapped(
        "Left out: the placement is a frozen moment, while a walk over many sharers takes time"
        " and threads move meanwhile; private memory of the processes, which flushes as it"
        " always did; what the operation costs beyond flushing. Only a trace tells"
        f" {', '.join(missing)}."
    )
