"""One question, complete and valid: the value that both answerers are given."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from mcost.spec.kernels import Kernel, kernel
from mcost.spec.lookup import find
from mcost.spec.operations import DEFAULT_BATCH, TABLE_PAGES, Operation, operation
from mcost.spec.placements import INITIATORS, Placement, placement

__all__ = ["APIC_MODES", "DEFAULT_INVLPGB_MAX", "Scenario"]

DEFAULT_INVLPGB_MAX = 8
"""Pages of one INVLPGB unless given; nobody published the value of a machine (KF 1.6)."""

APIC_MODES = {
    "cluster": 16,
    "physical": 1,
}
"""x2APIC modes: targets that one ICR write can reach (arch/x86/kernel/apic, KF 9.7)."""

_OPTIONAL = ("share", "idle", "held", "rate", "age")


@dataclass(frozen=True)
class Scenario:
    """One operation on a region, on one machine, at one moment.

    Attributes:
        cpus: online logical CPUs, N >= 1. With 1 nobody can be interrupted.
        sharers: processes attached to the region, S >= 0.
        threads: runnable threads of one sharer, T >= 1; 1 where the placement has no use
            for it.
        pages: pages whose translation the operation changes, P >= 1.
        offset: place of the first page in its 512-entry page table.
        operation: see ``mcost.spec.operations``.
        placement: see ``mcost.spec.placements``.
        initiator: ``outside``, ``sharer`` or ``apart``.
        kernel: version; empty for the placement's usual one.
        share: probability that a CPU runs a sharer, 0..1 (snapshot, uniform).
        idle: probability that a CPU is lazy on a sharer, 0..1 (snapshot).
        held: probability that a CPU running a sharer holds a given page, 0..1.
        rate: moves of a sharer per second (roaming).
        age: seconds since the masks were last trimmed (roaming).
        batch: clean pages per held-back reclaim flush, B >= 1.
        apic: ``cluster`` or ``physical``, for ICR writes.
        invlpgb_max: pages one INVLPGB covers, CPUID 0x80000008 EDX[15:0] + 1 (KF 1.6).

    Raises:
        ValueError: an impossible scenario; the message names field, value and range.
    """

    cpus: int
    sharers: int
    threads: int = 1
    pages: int = 1
    offset: int = 0
    operation: str = "zap"
    placement: str = "snapshot"
    initiator: str = "outside"
    kernel: str = ""
    share: float | None = None
    idle: float | None = None
    held: float | None = None
    rate: float | None = None
    age: float | None = None
    batch: int = DEFAULT_BATCH
    apic: str = "cluster"
    invlpgb_max: int = DEFAULT_INVLPGB_MAX
    law: Placement = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Checks every field and fills in the placement's defaults."""
        law = placement(self.placement)
        object.__setattr__(self, "law", law)
        object.__setattr__(self, "kernel", self.kernel or law.kernel)
        operation(self.operation)
        find("initiator", self.initiator, INITIATORS)
        find("apic mode", self.apic, APIC_MODES)
        self._check_integers()
        self._check_parameters(law)
        self._check_law(law)

    @property
    def op(self) -> Operation:
        """The operation as a value."""
        return operation(self.operation)

    @property
    def variant(self) -> Kernel:
        """The kernel as a value."""
        return kernel(self.kernel)

    def as_dict(self) -> dict[str, int | float | str]:
        """Every field that means something here, in declaration order."""
        unused = set(_OPTIONAL) - set(self.law.parameters)
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.init and item.name not in unused
        }

    def _check_integers(self) -> None:
        for name, low, high in (
            ("cpus", 1, None),
            ("sharers", 0, None),
            ("threads", 1, None),
            ("pages", 1, None),
            ("offset", 0, TABLE_PAGES - 1),
            ("batch", 1, None),
            ("invlpgb_max", 1, None),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"{name}: {value!r} is not a whole number")  # noqa: TRY004
            if value < low or (high is not None and value > high):
                limits = f"at least {low}" if high is None else f"{low} to {high}"
                raise ValueError(f"{name}: {value} is out of range, must be {limits}")

    def _check_parameters(self, law: Placement) -> None:
        defaults = dict(law.takes)
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is None:
                if name in law.needs:
                    raise ValueError(f"{name}: placement {law.name} needs a value for it")
                object.__setattr__(self, name, defaults.get(name))
                continue
            if name not in law.parameters:
                takes = ", ".join(law.parameters)
                raise ValueError(f"{name}: placement {law.name} has no use for it, only {takes}")
            top = float("inf") if name in ("rate", "age") else 1.0
            if not 0 <= value <= top or value == float("inf"):
                limits = "0 or more" if name in ("rate", "age") else "0 to 1"
                raise ValueError(f"{name}: {value} is out of range, must be {limits}")

    def _check_law(self, law: Placement) -> None:
        if law.lazy_only and not self.variant.lazy_masks:
            raise ValueError(
                f"kernel: {self.kernel} keeps eager mm_cpumasks, which are disjoint; placement"
                f" {law.name} is about lazy ones, use kernel {law.kernel}"
            )
        if law.threads and self.threads > self.cpus:
            raise ValueError(
                f"threads: {self.threads} is more than cpus ({self.cpus}); must be 1 to {self.cpus}"
            )
        if not law.threads and self.threads != 1:
            raise ValueError(
                f"threads: {self.threads} means nothing in placement {law.name}; must be 1"
            )
        if self.share is not None and self.idle is not None and self.share + self.idle > 1:
            raise ValueError(f"share, idle: {self.share} + {self.idle} is above 1; together 0 to 1")
        self._check_initiator(law)

    def _check_initiator(self, law: Placement) -> None:
        if self.initiator not in law.initiators:
            raise ValueError(
                f"initiator: {self.initiator} has no law in placement {law.name}; must be"
                f" one of {', '.join(law.initiators)}"
            )
        if self.initiator == "sharer" and (self.sharers == 0 or self.share == 0):
            raise ValueError("initiator: sharer needs a CPU that runs one, sharers and share > 0")
        if self.initiator == "apart" and law.name == "pinned":
            busy = min(self.cpus, self.sharers * self.threads)
            if busy == self.cpus:
                raise ValueError(
                    f"initiator: apart needs a CPU without a sharer, all {self.cpus} run one"
                )
