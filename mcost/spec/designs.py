"""The designs: each is a value with four columns, answered twice elsewhere.

The columns are the questions of model.md section 1: how often the design is told
(``hook``), whom it tells (``tracks``), by what (``delivery``) and how much is dropped
(``scope``). Adding a design is one entry in :data:`DESIGNS`; the algebra and the
simulated machine read nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcost.spec.lookup import find

__all__ = ["DESIGNS", "VARIANTS", "Delivery", "Design", "Hook", "Scope", "Tracks", "design"]

Hook = Literal["event", "batch", "pair"]
Tracks = Literal["nothing", "each", "union", "running", "region", "holders"]
Delivery = Literal["none", "ipi", "invlpgb", "tlbi", "tlbi-range", "deferred"]
Scope = Literal["none", "pages", "pages-or-asid", "asid", "tables", "everything"]

MEANING = {
    "hook": {
        "event": "told at every flush event",
        "batch": "may hold reclaim and migration flushes back and flush once per batch",
        "pair": "told by invalidate_range_start/end; the shared table is unlinked in between",
    },
    "tracks": {
        "nothing": "nobody in particular: every online CPU, or none",
        "each": "each sharer's mm_cpumask in turn",
        "union": "OR of the sharers' mm_cpumasks",
        "running": "OR of the sharers' mm_cpumasks, CPUs with a sharer loaded only",
        "region": "a mask and a generation of the region, kept at context switch",
        "holders": "an oracle: running CPUs that hold a changed translation",
    },
    "delivery": {
        "none": "nothing is sent",
        "ipi": "IPI",
        "invlpgb": "AMD INVLPGB and TLBSYNC",
        "tlbi": "arm64 TLBI VAAE1IS per page and DSB",
        "tlbi-range": "arm64 TLBI RVAAE1IS ranges and DSB",
        "deferred": "recorded; each CPU flushes at its next tick or switch",
    },
    "scope": {
        "none": "nothing",
        "pages": "the pages",
        "pages-or-asid": "the pages, or one ASID above the ceiling",
        "asid": "one ASID",
        "tables": "one ASID, page tables freed: lazy CPUs too",
        "everything": "all ASIDs",
    },
}
"""What each value of each column means, for people."""


@dataclass(frozen=True)
class Design:
    """One way to tell CPUs that a shared page changed.

    Attributes:
        name: as in options, columns and text.
        hook: how often it is told, see :data:`MEANING`.
        tracks: whom it tells.
        delivery: by what.
        scope: how much a told CPU drops.
        bumps: whether the sharers' tlb_gen (or the region's) moves with each change;
            without it interrupted CPUs find themselves up to date (kernel-counts W6 mode 4).
        unsafe: why the design can leave a stale translation, empty when it cannot.
        steps: kernel steps of one flush event, in order.
        source: kernel function and version, mail, or the section of kernel-facts (KF).
    """

    name: str
    hook: Hook
    tracks: Tracks
    delivery: Delivery
    scope: Scope
    steps: tuple[str, ...]
    source: str
    bumps: bool = True
    unsafe: str = ""

    def __post_init__(self) -> None:
        """Refuses combinations of columns that mean nothing."""
        for wrong, why in (
            ((self.delivery == "none") != (self.scope == "none"), "no delivery drops nothing"),
            (
                self.delivery == "deferred" and self.scope in ("everything", "tables"),
                "a deferred flush runs at a switch or tick, where lazy CPUs and other ASIDs"
                " are not reached",
            ),
            (
                self.hook == "pair" and (self.scope != "tables" or self.tracks != "each"),
                "range_start unlinks a table from each sharer, so it flushes tables of each",
            ),
            (
                self.delivery in ("tlbi", "tlbi-range", "invlpgb")
                and self.tracks not in ("nothing", "each"),
                "a broadcast reaches every CPU, by address or by the ASID of each sharer",
            ),
            (
                self.tracks == "each" and self.scope == "everything",
                "a flush of each sharer names its mm, so it cannot drop all ASIDs",
            ),
            (
                self.tracks == "each" and self.delivery == "deferred",
                "a deferred flush is recorded once for the OR of the masks",
            ),
            (
                self.tracks == "holders" and (self.delivery, self.scope) != ("ipi", "pages"),
                "the oracle sends IPIs for the pages",
            ),
            (
                self.scope == "pages" and self.delivery == "ipi" and self.tracks != "holders",
                "above the ceiling an IPI flush drops the ASID, say pages-or-asid",
            ),
            (
                self.tracks == "nothing" and self.delivery == "deferred",
                "a deferred flush needs a mask of CPUs to wait for",
            ),
        ):
            if wrong:
                raise ValueError(f"design {self.name!r} makes no sense: {why}")

    def columns(self) -> dict[str, str]:
        """Name, the four columns, and whether it is safe, for tables."""
        safe = "no" if self.unsafe else "yes"
        return {
            "design": self.name,
            **{name: getattr(self, name) for name in MEANING},
            "safe": safe,
        }

    def in_words(self) -> list[str]:
        """Name, kernel steps, the reason when it is unsafe, and the source, a line each."""
        lines = [f"{self.name}:"]
        lines += [f"  {number}. {step}" for number, step in enumerate(self.steps, 1)]
        lines += [f"  unsafe: {self.unsafe}"] if self.unsafe else []
        return [*lines, f"  source: {self.source}"]


DESIGNS: tuple[Design, ...] = (
    Design(
        "host-mm", "event", "nothing", "none", "none",
        ("flush_tlb_mm_range(host): ++tlb_gen of the host", "its mm_cpumask is empty", "return"),
        "mshare RFC v3, 2024-09; flush_tlb_mm_range branch d, 6.12 (KF 1.1, 6.3)",
        bumps=False,
        unsafe="no CPU is told: every translation of a freed page stays",
    ),
    Design(
        "notifier", "event", "nothing", "ipi", "everything",
        (
            "arch_invalidate_secondary_tlbs(host) calls flush_tlb_all",
            "on_each_cpu(do_flush_tlb_all): IPI to every other online CPU",
            "every CPU drops its whole TLB; wait for all",
        ),
        "mshare v1 to v3, 2025, patch 'flush all TLBs when updating PTEs' (KF 6.3, 7)",
        bumps=False,
    ),
    Design(
        "per-mm", "event", "each", "ipi", "pages-or-asid",
        (
            "for each sharer: ++tlb_gen, read mm_cpumask",
            "flush_tlb_multi to the CPUs that have it loaded and are not lazy",
            "wait; next sharer",
        ),
        "D. Hansen, 2024-10-02: a loop over i_mmap; native_flush_tlb_multi, 6.12 (KF 1.3, 10.2)",
    ),
    Design(
        "merged", "event", "union", "ipi", "asid",
        (
            "for each sharer: ++tlb_gen, OR its mm_cpumask",
            "one flush_tlb_multi with mm NULL to the union, lazy CPUs skipped",
            "each brings its loaded mm up to date",
        ),
        "A. Yznaga, 2024-10-02: like arch_tlbbatch_flush with mm NULL, 6.12 (KF 3, 10.2)",
    ),
    Design(
        "batched", "batch", "union", "ipi", "asid",
        (
            "per page: ++tlb_gen of each sharer, OR its mm_cpumask into the batch",
            "per batch: one flush_tlb_multi with mm NULL before the pages are freed",
        ),
        "arch_tlbbatch_add_pending and arch_tlbbatch_flush, 6.12 (KF 3; kernel-counts W6 mode 5)",
    ),
    Design(
        "region-mask", "event", "region", "ipi", "pages-or-asid",
        (
            "context switch into or out of a sharer: set or clear the CPU in the region's mask",
            "++generation of the region",
            "one flush_tlb_multi to the region's mask, lazy CPUs skipped",
        ),
        "D. Hansen, 2024-10-02: keep the mask of the host true at context switch (KF 10.2)",
    ),
    Design(
        "classic", "pair", "each", "ipi", "tables",
        (
            "invalidate_range_start: unlink the shared table from each sharer",
            "for each: flush with freed_tables, lazy CPUs too",
            "change the PTEs; invalidate_range_end; relink on the next fault",
        ),
        "mmu_notifier start/end as KVM uses it, virt/kvm/kvm_main.c, 6.12 (KF 5)",
    ),
    Design(
        "broadcast", "event", "nothing", "invlpgb", "pages",
        (
            "INVLPGB by address for all PCIDs, one per count_max pages; above the ceiling one"
            " for everything",
            "TLBSYNC",
        ),
        "invlpgb_flush_* helpers, arch/x86/include/asm/tlb.h, about 6.15 (KF 1.6, 10.2)",
        bumps=False,
    ),
    Design(
        "deferred", "event", "union", "deferred", "pages-or-asid",
        (
            "++tlb_gen of each sharer; write mask and range into this CPU's ring of 256",
            "local flush; return",
            "each CPU in the mask flushes at its next tick or switch; pages are freed when all"
            " have",
        ),
        "LATR, native_flush_save_state, Linux 4.10 fork; LUF v12, 2025 (KF 10.2, 10.3)",
        unsafe="protect, and where a page is copied or written out first (migrate, COW, dirty"
        " reclaim): until the last CPU has flushed, the old translation still works",
    ),
    Design(
        "exact", "batch", "holders", "ipi", "pages",
        ("an oracle names the running CPUs that hold a changed translation", "INVLPG there"),
        "no kernel can do this: the lower bound for any IPI design (KF 10.3)",
        bumps=False,
    ),
)  # fmt: skip

VARIANTS: tuple[Design, ...] = (
    Design(
        "notifier-batch", "batch", "nothing", "ipi", "everything",
        ("record per PTE; one flush_tlb_all per batch before the pages are freed",),
        "a notifier that may defer like arch_tlbbatch (KF 6.3, 10.3)",
        bumps=False,
    ),
    Design(
        "merged-loaded", "event", "running", "ipi", "asid",
        ("as merged, but only CPUs whose loaded mm is a sharer are interrupted",),
        "merged with the loaded_mm filter of should_flush_tlb, 6.12 (KF 1.3)",
    ),
    Design(
        "per-mm-tables", "event", "each", "ipi", "tables",
        ("as per-mm with freed_tables set: everyone in the mask, lazy or not",),
        "native_flush_tlb_multi with freed_tables, 6.12 (KF 1.3)",
    ),
    Design(
        "broadcast-asid", "event", "each", "invlpgb", "pages-or-asid",
        ("for each sharer: INVLPGB by its global ASID and TLBSYNC",),
        "broadcast_tlb_flush, about 6.15; needs a global ASID for each sharer (KF 1.6)",
        bumps=False,
    ),
    Design(
        "broadcast-tlbi", "event", "nothing", "tlbi", "pages",
        ("DSB; TLBI VAAE1IS per page, VMALLE1IS from 512 pages on; DSB",),
        "arch/arm64/include/asm/tlbflush.h, 6.12 (KF 7, 10.2)",
        bumps=False,
    ),
    Design(
        "broadcast-tlbi-range", "event", "nothing", "tlbi-range", "pages",
        ("DSB; TLBI RVAAE1IS ranges, VMALLE1IS above 2^21 pages; DSB",),
        "arch/arm64/include/asm/tlbflush.h __flush_tlb_range_op, 6.12 (KF 7)",
        bumps=False,
    ),
    Design(
        "notifier-union", "event", "union", "ipi", "everything",
        ("arch_invalidate_secondary_tlbs: drop everything on the union of the sharers' masks",),
        "kernel-counts W6 mode 3 (lab_mn.c)",
    ),
    Design(
        "batched-unbumped", "batch", "union", "ipi", "asid",
        ("as batched, but no tlb_gen moves: the interrupted CPUs find themselves up to date",),
        "kernel-counts W6 mode 4: 24,192 of 24,192 reads were stale",
        bumps=False,
        unsafe="no generation moves, so an interrupted CPU does not flush",
    ),
)  # fmt: skip


def design(name: str) -> Design:
    """The design or variant called ``name``.

    Raises:
        ValueError: unknown name; the message lists the nearest valid ones.
    """
    return find("design", name, {entry.name: entry for entry in DESIGNS + VARIANTS})
