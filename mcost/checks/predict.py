"""What a rule that predicts a published row is given, and what it gives back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcost.checks.terms import Floats, Terms, terms
from mcost.spec.published import Row

__all__ = ["CannotPredict", "Prediction", "Question", "Rule", "machine_for"]

# First match wins: (words of the platform, profile). None means that no profile fits.
_PLATFORMS: tuple[tuple[str, str], ...] = (
    (r"power|riscv|s390|multimax", ""),
    (r"arm64.*(guest|vgic)|(guest|vgic).*arm64|fpga", ""),
    (r"arm", "arm64-server"),
    (r"guest|vcpu|ec2", "kvm-guest"),
    (r"milan|genoa|turin|zen ?[3-9]|epyc", "zen4-invlpgb"),
    (r"amd|zen|opteron", "zen3"),
    (r"\b(4|8|four|eight)[- ](node|socket)", "skylake-4s"),
    (r"\b(2|two)[- ](node|socket)|2 x", "skylake-2s"),
)


class CannotPredict(ValueError):
    """A row that no rule can answer from a profile; the message says what is missing."""


@dataclass(frozen=True)
class Prediction:
    """A predicted row.

    Attributes:
        values: value and draws in ``unit``.
        assumes: the assumption that is the first suspect when the prediction is off.
        published: what to compare with, when not the row's own value.
        unit: of the values, when not the row's own.
    """

    values: Floats
    assumes: str
    published: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Question:
    """One row and the file it stands in.

    Attributes:
        row: what is to be predicted.
        rows: every row of the file by id, the ones that give settings included.
    """

    row: Row
    rows: Mapping[str, Row]

    @property
    def words(self) -> str:
        """Operation and metric in lower case, what rules look at."""
        return f"{self.row.operation} | {self.row.metric}".lower()

    def says(self, pattern: str) -> bool:
        """Whether the operation or the metric says so."""
        return re.search(pattern, self.words) is not None

    def terms(self) -> Terms:
        """Prices of the machine that stands for the row's platform."""
        return terms(machine_for(self.row))

    def cpus(self) -> int:
        """CPUs or threads taking part."""
        if self.row.cpus is None:
            raise CannotPredict("the number of CPUs is not given")
        return self.row.cpus

    def pages(self) -> int:
        """Pages of the operation; 1 when nothing is said."""
        return self.row.pages or 1

    def sibling(self, pattern: str) -> Row:
        """The row of the same run whose operation matches: what the prediction starts from.

        Raises:
            CannotPredict: the file has no such row.
        """
        row = self.row
        stem = _stem(row)
        for other in self.rows.values():
            same = (
                other.id != row.id
                and _stem(other) == stem
                and (other.platform, other.metric, other.cpus, other.pages, other.unit)
                == (row.platform, row.metric, row.cpus, row.pages, row.unit)
            )
            if same and re.search(pattern, _variant(other)):
                return other
        raise CannotPredict(f"no row of the same run with {pattern!r} to start from")


@dataclass(frozen=True)
class Rule:
    """One way of predicting rows.

    Attributes:
        name: of the rule.
        says: pattern that ``Question.words`` must match.
        units: units it can answer in.
        predict: gives the prediction or raises :class:`CannotPredict`.
    """

    name: str
    says: str
    units: tuple[str, ...]
    predict: Callable[[Question], Prediction]

    def fits(self, question: Question) -> bool:
        """Whether the rule is about the row."""
        return question.row.unit in self.units and question.says(self.says)


def machine_for(row: Row) -> str:
    """Name of the bundled profile nearest to a row's platform.

    Raises:
        CannotPredict: no profile is near.
    """
    platform = row.platform.lower()
    for pattern, name in _PLATFORMS:
        if re.search(pattern, platform):
            if not name:
                raise CannotPredict(f"no profile for platform {row.platform!r}")
            return name
    if (row.sockets or 1) > 1:
        return "skylake-2s" if row.sockets == 2 else "skylake-4s"
    return "skylake-1s" if re.search(r"skylake|\bpti on", platform) else "haswell-1s"


def _stem(row: Row) -> str:
    return row.operation.partition(";")[0].strip().lower()


def _variant(row: Row) -> str:
    return row.operation.partition(";")[2].strip().lower()
