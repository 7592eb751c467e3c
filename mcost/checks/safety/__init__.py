"""Safety: small worlds explored to the end, and seeded bugs that the search has to catch.

A world has 2 or 3 CPUs, sharers A and B, a bystander, two pages of the region (or a page and
its page table) and at most two operations, which may overlap. What another CPU can see half
done is a step of its own: a PTE cleared, a generation raised, a mask read, one CPU looked at
and interrupted, an interrupt taken and acknowledged, a page freed; a switch in three steps,
LOADED_MM_SWITCHING and mask bits, tlb_gen read, CR3 and loaded_mm written, with IRQs off; a
kernel thread and back; a touch, a fault that maps the page again; with lazy masks, a bit
trimmed at any moment at which the kernel's handler would. A design is safe when no reachable
state lets a CPU use a translation of a page that was let go.

How it is laid out: ``program`` turns the four columns of a design into the steps of an
operation, ``worlds`` into rules of the machine; ``cpu``, ``operation`` and ``steps`` are the
machine, compiled, on one integer a state (``state``); ``search`` explores it breadth first.
``plain`` is the same world a second time, without reductions and without shared code: every
counterexample is replayed there (``replay``), and in the simulator where its events, which
happen all at once, can tell the story (``simulated``).

What is left out, and why it may be:

- Slots are never recycled: 3 mms fit into 6 slots, and a recycled slot is dropped (KF 2.2).
- TLBs do not evict: a translation that went missing can do nothing that one that was never
  cached could not.
- Steps take effect at once and everywhere; barriers are taken for granted where the kernel
  has them (``mask-before-generation`` shows what the order is worth).
- An overlapping operation does not escalate to a full flush (KF 4.3): the weaker flush is the
  harder case. ``nested-empty-range`` puts the rule in.
- A flush that trims, attaches and detaches run by themselves are not modelled beyond their
  effect on a mask bit; attaching is, where it matters (``attach-after-walk``).
- The region-mask design's filter, page-wise rule and generation are those of
  ``mcost.simulator``; deferred records carry their generation, which that machine, whose
  operations do not overlap, does not need (``record-without-generation``).
"""

from __future__ import annotations

from mcost.checks.safety.fresh import forget_outdated
from mcost.checks.safety.mutants import MUTANTS, Mutant
from mcost.checks.safety.report import SafetyReport
from mcost.checks.safety.run import check_design, check_mutant, run_safety
from mcost.checks.safety.search import explore

__all__ = ["MUTANTS", "Mutant", "SafetyReport", "check_design", "check_mutant", "run_safety"]

forget_outdated(explore)
