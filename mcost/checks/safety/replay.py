"""Counterexamples run again in the plain machine, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mcost.checks.safety.plain.offers import offers
from mcost.checks.safety.plain.takes import Impossible, after
from mcost.checks.safety.plain.world import Machine, Step, start
from mcost.checks.safety.program import Op
from mcost.checks.safety.state import Rules
from mcost.checks.safety.words import changes, sentence
from mcost.checks.safety.worlds import World

__all__ = ["Replay", "Row", "replay"]


@dataclass(frozen=True)
class Row:
    """One step, for a table or a timeline of CPUs.

    Attributes:
        step: from 1.
        cpu: CPU that takes it, None for a step of an operation that runs on no CPU in
            particular.
        operation: operation it belongs to, from 1, None for none.
        target: CPU that is interrupted or passed over, None for none.
        action: one of ``moves.ACTIONS``, or ``use``.
        text: what happens.
        note: what has changed.
    """

    step: int
    cpu: int | None
    operation: int | None
    target: int | None
    action: str
    text: str
    note: str

    def __str__(self) -> str:
        """One line."""
        who = "     " if self.cpu is None else f"CPU {self.cpu}"
        return f"{self.step:3}  {who}  {self.text}" + (f"  [{self.note}]" if self.note else "")


@dataclass(frozen=True)
class Replay:
    """A counterexample as the plain machine went through it.

    Attributes:
        rows: every step, the forbidden use last.
        steps: the same for programs that want to run them once more.
        stale: whether the plain machine found the use at the end to be one of a translation
            that was let go.
    """

    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    stale: bool

    def as_rows(self) -> list[dict[str, int | str | None]]:
        """The rows as plain values."""
        return [asdict(row) for row in self.rows]


def replay(
    world: World, view: Rules, path: tuple[Step, ...], words: Mapping[Op, str] | None = None
) -> Replay:
    """Runs a path of the search in the machine that makes no reduction.

    Where the search let other CPUs do a thing in one step or out of sight - the halves of
    their switches, their interrupts - those steps are put in.

    Args:
        world: the world the path is from.
        view: which translation the search followed.
        path: its steps.
        words: what instructions are called in this world.

    Raises:
        Impossible: the plain machine cannot follow, so that one of the two is wrong.
    """
    m = start(view, world.program)
    rows: list[Row] = []
    taken: list[Step] = []
    for wanted in path:
        step = None
        while step != wanted:
            step = wanted if wanted in offers(m) else _out_of_sight(m, wanted)
            m = _take(m, step, rows, taken, words)
    use = Step("use", 0, view.page)
    stale = use in m.stale_uses()
    rows.append(_row(len(rows) + 1, m, use, "", words))
    return Replay(tuple(rows), (*taken, use), stale)


def _take(
    m: Machine, step: Step, rows: list[Row], taken: list[Step], words: Mapping[Op, str] | None
) -> Machine:
    now = after(m, step)
    rows.append(_row(len(rows) + 1, m, step, changes(m, now), words))
    taken.append(step)
    return now


def _row(number: int, m: Machine, step: Step, note: str, words: Mapping[Op, str] | None) -> Row:
    of_operation = step.action in ("begin", "execute", "send", "skip", "handle")
    return Row(
        step=number,
        cpu=None if step.cpu < 0 else step.cpu,
        operation=step.what + 1 if of_operation else None,
        target=step.which if step.action in ("send", "skip") else None,
        action=step.action,
        text=sentence(m, step, words),
        note=note,
    )


def _out_of_sight(m: Machine, wanted: Step) -> Step:
    """A step of another CPU that the search does not see and that has to come first."""
    for step in offers(m):
        if step.action in ("send", "skip") and step.which > 0:
            return step
        if step.cpu > 0 and step.action in ("handle", "tick", "read-generation", "loaded"):
            return step
        if step.cpu > 0 and step.action == "execute" and _is_local(m, step):
            return step
    raise Impossible(f"{wanted} cannot be taken now, and nothing out of sight leads to it")


def _is_local(m: Machine, step: Step) -> bool:
    op = m.operations[step.what]
    return op is not None and m.program[op.pc].op == Op.LOCAL
