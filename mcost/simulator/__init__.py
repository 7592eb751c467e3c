"""The simulated machine: what would happen, event by event, with no formula.

The state, the trace events, the per-mm flush, the union flush and the stale-hit check are
those of model.md section 5. What that page leaves open is settled here; the machine in
``machine.py`` and the reference in ``tests/`` were both written from these two texts.

**An invalidate** raises the version of each page (an ``upgrade`` does not: the old
translation is harmless, which is why x86 does not flush it), then cuts the pages into flush
events (``mcost.spec.operations.cut``) and flushes once per event, in page order; an operation that
frees page tables ends with one more event over all its pages, *freed*. A hull of more than
33 pages, a freed event, and every scope but ``pages`` and ``pages-or-asid`` are not page-wise.

**Who is told** (``tracks``), the initiator c apart:

- ``nothing``: every online CPU. ``union``: the OR of the sharers' masks. ``running``: of
  those, the CPUs with a sharer loaded. ``region``: the region's mask. Lazy CPUs are left
  out, unless the event is freed or the scope is ``everything`` (flush_tlb_all and
  smp_call_function do not look at laziness); a freed event also switches the filter of
  ``running`` off.
- ``each``: one flush of one mm (model.md) per sharer, in attach order; scope ``tables``
  makes each of them freed. A trimming flush reaches every CPU in the mask that is not lazy,
  also one with nothing loaded, since should_flush_tlb (6.12, 6.15) only asks whether
  loaded_mm is the flushed one; its "another mm" includes init_mm. The initiator passes the
  same filter, not only "not lazy" as model.md has it: smp_call_function_many_cond
  (kernel/smp.c, 5.12 on) asks cond_func for the calling CPU too, so its own stale bit goes in
  a trimming or a freed flush only.
- ``holders``: CPUs, not lazy, with a sharer loaded whose slot in use holds a translation of
  the event's pages that is older than its page. They INVLPG every page of the event,
  whatever the ceiling; outdated translations of those pages in slots not in use and on lazy
  CPUs vanish uncounted (an oracle pays nothing for them). No generation moves.

**What moves before the IPIs.** If the design bumps: the generation of every sharer, once
per event, or once per page of the event where a batching design holds back (reclaim and
migrate); ``region`` raises the region's generation once instead. Mask words: ceil(N/64) for
each mask read or ORed (per sharer and bump for ``union`` and ``running``, per sharer and
event for ``each``, once per event for ``region``, none for ``nothing`` and ``holders``).

**What a told CPU does.** ``everything``: drops its whole TLB (one global flush), no
generation moves. Otherwise "what a target does" of model.md with no mm named: nothing
loaded, done; lazy (only in a freed event), load no mm; slot in use at its mm's current
generation, done; page-wise and exactly one generation behind, INVLPG each page; else drop
the slot; catch up. The initiator does the same when these rules select it, as
any other CPU.

**Region mask and generation** (``region``). Every slot also remembers the region's
generation when it was last current. A switch that loads another mm: a sharer loaded sets the
CPU's bit; a CPU left by a sharer for no sharer loses it (eager masks only). Each switch to
another mm (or to none) that loads or leaves a sharer counts one ``switch_tax``. Loading a
sharer, or coming back to it from lazy, with the slot behind its mm or behind the region
drops the slot: one switch flush. A told CPU with no sharer loaded clears its bit with lazy
masks and is done; else it compares region generations where others compare mm generations.
``attach`` sets the bits of the CPUs that have the mm loaded and marks their slots as
current. ``detach`` clears the bits of the CPUs that have the mm loaded.

**Classic** (``pair``). One event per start/end pair. Every sharer's link to the share units
that the pages touch is cut (a unit is 2 MiB, 1 GiB or 512 GiB by ``share_level``), then each
sharer is flushed freed. ``denied_cpus`` counts CPUs, the initiator included, with a sharer
loaded and not lazy at that moment. The next touch of a page of the unit by that mm that
misses the TLB first counts one ``fault`` and links the unit again. ``attach`` links all.

**Broadcast** (``invlpgb``, ``tlbi``, ``tlbi-range``). With tracks ``nothing`` all CPUs drop
the event's pages from all slots, or, above the limit (more than 33 pages; 512 and more;
more than 2^21) or in a freed event, everything. With ``each`` the same per sharer, for the
slots of that mm only; full means that slot. Lazy CPUs too. ``broadcasts`` counts
instructions: per event (and sharer) 1 if full; INVLPGB ceil(pages / invlpgb_max); TLBI one a
page; range TLBI for scale 3, 2, 1, 0 floor(rest / 2^(5 scale + 1)) ranges of up to 32 units
each (so 1 per 32 units begun), and 1 for an odd last page. CPUs execute nothing, so no
page, full or global flush is counted, but live entries dropped by full ones are lost.

**Deferred.** Per event: bumps and ORs as ``union``; the initiator, if in the union and not
lazy, brings itself up to date; the others in the union that are not lazy are recorded in the
initiator's ring. A recorded CPU sweeps at its next ``tick``, ``switch`` or ``idle``, before
anything else: if its slot in use is behind its mm, INVLPG the pages when it is exactly one
behind and its only pending record is page-wise, else drop; catch up; leave all records. A
record whose last CPU has left is complete. With 256 incomplete records in the ring, or in a
freed event, the event is a ``union`` flush with IPIs instead. No other design sweeps.

**Detach** counts one flush event: bump the mm, flush it freed (all designs alike), remove
the sharer. Its receivers are not useful: no page changed.

**Rounds** count flush calls with at least one remote CPU interrupted; every interrupted CPU
is one csd. ICR writes of a round: 1 when the targets and c are all online CPUs; else one
per x2APIC cluster (16 CPUs) that holds a target, or one a target in physical mode.
**Live** entries are those not older than their page. **Lost** entries are live ones dropped
by a full or global flush (also a deferred or broadcast one), not at a switch. **Outdated**
entries that are hit count as ``stale_hits`` when an operation that changed the page since
has completed, else as ``deferred_hits``. Private pages (< 0) never change.
"""

from __future__ import annotations

from mcost.simulator.api import simulate, simulate_parts, simulate_trials
from mcost.simulator.prepare import Prepared, prepare

__all__ = ["Prepared", "prepare", "simulate", "simulate_parts", "simulate_trials"]
