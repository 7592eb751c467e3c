"""Kernel variants: what differs between versions as far as flush counts go.

Adding a kernel is one entry in :data:`KERNELS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcost.spec.lookup import find

__all__ = ["KERNELS", "Kernel", "kernel"]


@dataclass(frozen=True)
class Kernel:
    """One kernel version.

    Attributes:
        name: version as people write it.
        masks: ``"eager"``: switch_mm_irqs_off clears the CPU's bit in the mm it
            leaves; ``"lazy"``: the bit stays until a flush finds another mm
            (tip 209954cbc7d0), with one trimming flush a second and mm.
        gather_capacity: single-page entries an mmu_gather holds before it must
            flush (mm/mmu_gather.c).
        migrate_batch: pages that one deferred migration flush covers, 1 when
            migration flushes are not batched.
        source: where these values were read.
    """

    name: str
    masks: Literal["eager", "lazy"]
    gather_capacity: int
    migrate_batch: int
    source: str

    @property
    def lazy_masks(self) -> bool:
        """True when a context switch leaves the old mm's bit set."""
        return self.masks == "lazy"


# Capacity: 8 + 19 * 510 entries when a batch is used up to max, 7 + 19 * 509 when the
# gather switches at max - 1, since folios may take two entries (KF 4.1).
_UP_TO_MAX = 8 + 19 * 510
_UP_TO_MAX_LESS_ONE = 7 + 19 * 509

KERNELS: tuple[Kernel, ...] = (
    Kernel(
        "6.1",
        "eager",
        _UP_TO_MAX,
        1,
        "Linux 6.1.192: arch/x86/mm/tlb.c switch_mm_irqs_off, mm/mmu_gather.c; no batched"
        " migration flush (KF 3)",
    ),
    Kernel(
        "6.6",
        "eager",
        _UP_TO_MAX,
        512,
        "Linux 6.6: as 6.1, mm/migrate.c NR_MAX_BATCHED_MIGRATION (KF 1.7, 3)",
    ),
    Kernel(
        "6.12",
        "eager",
        _UP_TO_MAX_LESS_ONE,
        512,
        "Linux 6.12.117: arch/x86/mm/tlb.c, mm/mmu_gather.c, mm/migrate.c (KF 3, 4.1)",
    ),
    Kernel(
        "6.14",
        "lazy",
        _UP_TO_MAX_LESS_ONE,
        512,
        "tip 209954cbc7d0, 6db2526c1d69, 953753db887f: arch/x86/mm/tlb.c (KF 1.7, 2.1)",
    ),
)


def kernel(name: str) -> Kernel:
    """The kernel called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("kernel", name, {entry.name: entry for entry in KERNELS})
