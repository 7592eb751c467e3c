"""Stories short enough to work out by hand, told to both machines.

Each expected number follows from model.md section 5 (or the docstring of mcost.simulator)
by the reasoning in the comment above it; counts that are not named are not asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from reference_machine import reference
from stories import story

from mcost.simulator import simulate
from mcost.spec.counts import Counts
from mcost.spec.designs import design
from mcost.spec.kernels import kernel

Machine = Callable[..., Counts[int]]


@dataclass(frozen=True)
class Case:
    """One story, what it is asked of, and what it must count."""

    name: str
    text: str
    expected: str
    design: str = "per-mm"
    kernel: str = "6.12"
    options: dict[str, object] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """What is expected, by name."""
        pairs = (word.split("=") for word in self.expected.split())
        return {name: int(value) for name, value in pairs}


# Sharers 1 and 2 on CPUs 1 and 2, both hold page 5 and page 6 and a private page; CPU 0 has
# nothing loaded.
TWO_SHARERS = """
    attach mm=1
    attach mm=2
    switch cpu=1 mm=1
    switch cpu=2 mm=2
    touch cpu=1 page=5 pages=2
    touch cpu=1 page=-1
    touch cpu=2 page=5 pages=2
    touch cpu=2 page=-1
"""

CASES = (
    # One call a sharer, each with the one CPU that runs it. Two loads of a fresh slot: two
    # switch flushes. One INVLPG each. {0, 1} is not all CPUs, but one cluster: 1 write each.
    Case(
        "per-mm sends one round a sharer",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "flush_events=1 rounds=2 ipis=2 useful_ipis=2 sharer_ipis=2 idle_ipis=0 "
        "bystander_ipis=0 csds=2 icr_writes=2 page_flushes=2 full_flushes=0 "
        "generation_bumps=2 mask_words=2 switch_flushes=2 walks=6 lost_entries=0",
    ),
    # One call to both; the mm-less flush is a full one (scope asid), so each receiver loses
    # page 6 and its private page, live both. Targets and initiator are all CPUs: 1 write.
    Case(
        "merged sends one round and drops the ASID",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "rounds=1 ipis=2 useful_ipis=2 icr_writes=1 page_flushes=0 full_flushes=2 "
        "generation_bumps=2 mask_words=2 lost_entries=4",
        design="merged",
    ),
    # N = 3 online CPUs: 2 IPIs, 3 global flushes; the CPU with nothing loaded is the
    # initiator. Both sharers lose page 6 and the private page. Nothing is bumped or read.
    Case(
        "notifier drops everything everywhere",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "rounds=1 ipis=2 global_flushes=3 full_flushes=0 lost_entries=4 generation_bumps=0 "
        "mask_words=0 icr_writes=1",
        design="notifier",
    ),
    # On 20 CPUs only 1 and 2 are told: one cluster, but two writes in physical mode.
    Case(
        "physical mode writes once a target",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "rounds=1 ipis=2 icr_writes=2",
        design="merged",
        options={"cpus": 20, "apic": "physical"},
    ),
    # The shorthand for all but self is one write in every mode.
    Case(
        "everyone but self is one write",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "rounds=1 ipis=2 icr_writes=1",
        design="notifier",
        options={"apic": "physical"},
    ),
    # Two mask words a read from 65 CPUs on; notifier's 99 targets plus itself are everyone.
    Case(
        "masks of 100 CPUs have two words",
        TWO_SHARERS + "invalidate page=5 kind=pte",
        "rounds=2 mask_words=4",
        options={"cpus": 100},
    ),
    # Not bumped: both are interrupted, find themselves up to date and keep page 5. The touch
    # afterwards uses it: stale. The ORs are made all the same.
    Case(
        "unbumped flush leaves the translation",
        TWO_SHARERS + "invalidate page=5 kind=reclaim\n touch cpu=1 page=5",
        "rounds=1 ipis=2 useful_ipis=0 full_flushes=0 generation_bumps=0 stale_hits=1 walks=6",
        design="batched-unbumped",
    ),
    # The host's own mask is empty: one event, nobody told, a stale hit on page 5 only.
    Case(
        "host-mm tells nobody",
        TWO_SHARERS + "invalidate page=5 kind=zap\n touch cpu=1 page=5 pages=2",
        "flush_events=1 rounds=0 ipis=0 stale_hits=1 deferred_hits=0 walks=6",
        design="host-mm",
    ),
    # 33 pages are within the ceiling, INVLPG executes 33 times whatever is held.
    Case(
        "33 pages are flushed one by one",
        TWO_SHARERS + "invalidate page=5 pages=33 kind=protect",
        "flush_events=1 page_flushes=66 full_flushes=0 lost_entries=0",
    ),
    # 34 are above it: full, and the private page is lost (5 and 6 are outdated).
    Case(
        "34 pages drop the slot",
        TWO_SHARERS + "invalidate page=5 pages=34 kind=protect",
        "flush_events=1 page_flushes=0 full_flushes=2 lost_entries=2",
    ),
    # Pages 3 to 6 of a table edge at 512: events {510, 511} and {512, 513}. Page-wise, only
    # the second removes the held 513: useful 1 of 2. The initiator has nothing loaded.
    Case(
        "zap flushes once a page table",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=513"
        "\n invalidate page=510 pages=4 kind=zap",
        "flush_events=2 rounds=2 ipis=2 useful_ipis=1 page_flushes=4",
    ),
    # The same with full flushes: the first event's drop removes 513, one of the operation's
    # pages: useful. The second finds the bump and drops an empty slot: not useful.
    Case(
        "a full flush is useful for later events too",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=513"
        "\n invalidate page=510 pages=4 kind=zap",
        "flush_events=2 rounds=2 ipis=2 useful_ipis=1 full_flushes=2 page_flushes=0",
        design="merged",
    ),
    # 5 pages in batches of 2: 3 events; one bump and one OR a page and sharer: 10 of each.
    Case(
        "batched flushes once a batch and bumps once a page",
        TWO_SHARERS + "invalidate page=5 pages=5 kind=reclaim",
        "flush_events=3 rounds=3 ipis=6 full_flushes=6 generation_bumps=10 mask_words=10",
        design="batched",
        options={"batch": 2},
    ),
    # CPU 1 is lazy: the table's flush skips it, the freed one (second event) interrupts it
    # and it loads no mm, which clears its eager bit. Coming back reuses the slot, two bumps
    # behind: a second switch flush, and page 5 is walked again.
    Case(
        "lazy CPUs hear of freed tables only",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5\n idle cpu=1"
        "\n invalidate page=5 kind=zap_free\n switch cpu=1 mm=1\n touch cpu=1 page=5",
        "flush_events=2 rounds=1 ipis=1 idle_ipis=1 useful_ipis=0 full_flushes=0 "
        "switch_flushes=2 walks=2 stale_hits=0",
    ),
    # Lazy and back with the generation moved on: the slot is dropped at the switch.
    Case(
        "a lazy CPU catches up when it comes back",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5\n idle cpu=1"
        "\n invalidate page=5 kind=zap\n switch cpu=1 mm=1\n touch cpu=1 page=5",
        "flush_events=1 rounds=0 ipis=0 switch_flushes=2 walks=2 stale_hits=0",
    ),
    # Lazy masks: CPU 1 has moved on to mm 9 but keeps its bit for mm 1. Exactly 1 s after
    # the attach is not past it: filtered.
    Case(
        "no trimming flush before a second is over",
        "attach mm=1\n switch cpu=1 mm=1\n switch cpu=1 mm=9"
        "\n invalidate page=5 kind=pte at=1000000000",
        "rounds=0 ipis=0 generation_bumps=1",
        kernel="6.14",
    ),
    # A moment later: told to trim (a bystander), it clears its bit, and the third flush
    # finds nobody.
    Case(
        "one trimming flush a second",
        "attach mm=1\n switch cpu=1 mm=1\n switch cpu=1 mm=9"
        "\n invalidate page=5 kind=pte at=999999999"
        "\n invalidate page=5 kind=pte at=1000000001"
        "\n invalidate page=5 kind=pte at=3000000000",
        "flush_events=3 rounds=1 ipis=1 bystander_ipis=1 useful_ipis=0 page_flushes=0",
        kernel="6.14",
    ),
    # The initiator has moved on from mm 1 to mm 9. Its own flushes leave its stale bit alone
    # (cond_func is asked for it too), so a later trimming flush from CPU 2 still finds it.
    # Had it cleared the bit, nobody would be told. CPU 1 is there to make the mask remote.
    Case(
        "an initiator keeps its own stale bit",
        "attach mm=1\n switch cpu=1 mm=1\n idle cpu=1\n switch cpu=0 mm=1\n switch cpu=0 mm=9"
        "\n invalidate cpu=0 page=5 kind=pte\n invalidate cpu=2 page=5 kind=pte at=2000000000",
        "rounds=1 ipis=1 bystander_ipis=1 full_flushes=0 page_flushes=0",
        kernel="6.14",
    ),
    # x86 does not flush an upgrade: no event, and the old translation is no danger.
    Case(
        "an upgrade changes nothing",
        TWO_SHARERS + "invalidate page=5 kind=upgrade\n touch cpu=1 page=5",
        "flush_events=0 ipis=0 generation_bumps=0 stale_hits=0 walks=6",
    ),
    # merged has no loaded-mm filter: under lazy masks the bystander is told every time; with
    # eager ones its bit is gone.
    Case(
        "merged interrupts stale bits of lazy masks",
        "attach mm=1\n switch cpu=1 mm=1\n switch cpu=1 mm=9\n invalidate page=5 kind=pte"
        "\n invalidate page=5 kind=pte",
        "rounds=2 ipis=2 bystander_ipis=2 full_flushes=0",
        design="merged",
        kernel="6.14",
    ),
    Case(
        "merged spares CPUs that have moved on under eager masks",
        "attach mm=1\n switch cpu=1 mm=1\n switch cpu=1 mm=9\n invalidate page=5 kind=pte",
        "rounds=0 ipis=0 generation_bumps=1",
        design="merged",
    ),
    # Recorded, not sent. The touch before the tick hits the old translation while CPU 1 has
    # not flushed: deferred. At the tick CPU 1 is one behind with one page-wise record:
    # 1 INVLPG. The touch after it misses. The second tick has nothing to do.
    Case(
        "deferred flushes at the tick",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5\n invalidate page=5 kind=zap"
        "\n touch cpu=1 page=5\n tick cpu=1\n touch cpu=1 page=5\n tick cpu=1",
        "ipis=0 rounds=0 deferred_hits=1 stale_hits=0 page_flushes=1 full_flushes=0 walks=2 "
        "generation_bumps=1 mask_words=1",
        design="deferred",
    ),
    # CPU 0 flushes page 5 locally, one behind. CPU 1 is two behind when it flushes: full, and
    # stays recorded for page 5. CPU 0 likewise is two behind: full. Now CPU 1 is one behind
    # again, but two records name it: full. CPU 0's tick finds it up to date.
    Case(
        "two records are swept by a full flush",
        "attach mm=1\n attach mm=2\n switch cpu=0 mm=1\n switch cpu=1 mm=2"
        "\n invalidate cpu=0 page=5 kind=pte\n invalidate cpu=1 page=6 kind=pte"
        "\n invalidate cpu=0 page=7 kind=pte\n tick cpu=1\n tick cpu=0",
        "ipis=0 page_flushes=1 full_flushes=3 generation_bumps=6",
        design="deferred",
    ),
    # 257 records of one page each while CPU 1 never ticks: the ring holds 256, the last
    # event interrupts CPU 1, which is 257 behind and drops its slot.
    Case(
        "a full ring sends an IPI",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5"
        "\n invalidate page=0 pages=257 kind=pte",
        "flush_events=257 rounds=1 ipis=1 useful_ipis=1 full_flushes=1",
        design="deferred",
    ),
    # Both CPUs run a sharer while the table is unlinked: denied 2. Each flush is a freed
    # one: full. The touch of page 6 misses, faults once and walks; page 5 then only walks.
    Case(
        "classic unlinks and refaults",
        TWO_SHARERS + "invalidate page=5 kind=pte\n touch cpu=1 page=6\n touch cpu=1 page=5",
        "flush_events=1 rounds=2 ipis=2 full_flushes=2 denied_cpus=2 faults=1 walks=8 "
        "stale_hits=0 lost_entries=4",
        design="classic",
    ),
    # Pages 511 and 512 lie in two 2 MiB units, so two faults; in one 1 GiB unit, so one.
    Case(
        "a share unit of 2 MiB is a page table",
        "attach mm=1\n switch cpu=1 mm=1\n invalidate page=511 pages=2 kind=protect"
        "\n touch cpu=1 page=511 pages=2",
        "faults=2 walks=2",
        design="classic",
        options={"share_level": "pte"},
    ),
    Case(
        "a share unit of 1 GiB holds many page tables",
        "attach mm=1\n switch cpu=1 mm=1\n invalidate page=511 pages=2 kind=protect"
        "\n touch cpu=1 page=511 pages=2",
        "faults=1 walks=2",
        design="classic",
        options={"share_level": "pmd"},
    ),
    # 20 pages, 8 an INVLPGB: 3. 34 pages are above the ceiling: 1, and it drops the private
    # page and page 99, both live (5 is outdated by both operations).
    Case(
        "INVLPGB by pages and for all",
        "attach mm=1\n switch cpu=1 mm=1\n touch cpu=1 page=5\n touch cpu=1 page=-1"
        "\n touch cpu=1 page=99\n invalidate page=0 pages=20 kind=protect"
        "\n invalidate page=0 pages=34 kind=protect",
        "broadcasts=4 ipis=0 rounds=0 lost_entries=2 full_flushes=0 page_flushes=0",
        design="broadcast",
    ),
    # 1001 pages: no unit of 2^16 or 2^11; 15 units of 64 pages: 1 range; 41 left: 20 units
    # of 2: 1 range; 1 odd page: 1. Single TLBIs: 512 and more are one for everything.
    Case(
        "TLBI ranges",
        "attach mm=1\n invalidate page=0 pages=1001 kind=protect",
        "flush_events=1 broadcasts=3",
        design="broadcast-tlbi-range",
    ),
    # 2^21 pages are 32 units of 2^16: still one range, that spares the private page.
    Case(
        "TLBI ranges reach 2^21 pages",
        "attach mm=1\n switch mm=1\n touch page=-1\n invalidate pages=2097152 kind=protect",
        "broadcasts=1 lost_entries=0",
        design="broadcast-tlbi-range",
    ),
    Case(
        "TLBI for all above 2^21 pages",
        "attach mm=1\n switch mm=1\n touch page=-1\n invalidate pages=2097153 kind=protect",
        "broadcasts=1 lost_entries=1",
        design="broadcast-tlbi-range",
    ),
    Case(
        "TLBI by page up to 511",
        "attach mm=1\n invalidate page=0 pages=511 kind=protect"
        "\n invalidate page=0 pages=512 kind=protect",
        "flush_events=2 broadcasts=512",
        design="broadcast-tlbi",
    ),
    # CPU 1 enters a sharer, changes to another, leaves for a bystander: three taxed
    # switches; the bystander's successor is not. Eager: its bit is gone, nobody is told,
    # one bump of the region. Back to mm 1: taxed, and behind the region: a drop.
    Case(
        "region mask taxes switches",
        "attach mm=1\n attach mm=2\n switch cpu=1 mm=1\n switch cpu=1 mm=2\n switch cpu=1 mm=9"
        "\n switch cpu=1 mm=8\n invalidate page=5 kind=pte\n switch cpu=1 mm=1",
        "switch_tax=4 ipis=0 generation_bumps=1 mask_words=1 switch_flushes=5",
        design="region-mask",
    ),
    # Only CPU 1 holds page 7 in its slot in use: 1 IPI that INVLPGs all 40 pages. CPU 2 is
    # not told although it runs a sharer.
    Case(
        "exact tells holders only",
        TWO_SHARERS + "touch cpu=1 page=7\n invalidate page=7 pages=40 kind=protect",
        "rounds=1 ipis=1 useful_ipis=1 page_flushes=40 full_flushes=0 mask_words=0 "
        "generation_bumps=0 lost_entries=0",
        design="exact",
    ),
    # Set 0 of 1 with 2 ways: 1, 2 walk; 1 hits and is the younger; 3 evicts 2; 1 hits; 2
    # walks again.
    Case(
        "the TLB evicts the least recently used",
        "switch mm=9\n touch page=-1\n touch page=-2\n touch page=-1\n touch page=-3"
        "\n touch page=-1\n touch page=-2",
        "walks=4 flush_events=0",
        options={"sets": 1, "ways": 2},
    ),
    # Seven mms take six slots: the seventh recycles the first one's, so mm 0 needs a fresh
    # one (recycling mm 1's) and its page is walked again; mm 6 still has its slot.
    Case(
        "a seventh mm recycles a slot",
        "\n".join(f"switch mm={mm}\n touch page=-1" for mm in (0, 1, 2, 3, 4, 5, 6, 0, 6)),
        "switch_flushes=8 walks=8",
    ),
    # The detach flushes mm 1 with tables freed on CPU 1 (full, pages 5 and 6 and the private
    # one live: 3 lost) and removes it: the next operation finds one sharer, on CPU 2.
    Case(
        "detach flushes and removes one sharer",
        TWO_SHARERS + "detach mm=1\n invalidate page=5 kind=pte",
        "flush_events=2 rounds=2 ipis=2 useful_ipis=1 full_flushes=1 page_flushes=1 "
        "generation_bumps=2 lost_entries=3 sharer_ipis=2",
    ),
    # The initiator runs the only sharer: no other CPU in the mask, a local INVLPG, no round.
    Case(
        "a lone sharer flushes itself",
        "attach mm=1\n switch cpu=0 mm=1\n touch page=5\n invalidate page=5 kind=pte"
        "\n touch page=5",
        "rounds=0 ipis=0 page_flushes=1 walks=2 stale_hits=0",
        options={"cpus": 4},
    ),
)  # fmt: skip


@pytest.mark.parametrize("machine", [reference, simulate], ids=["reference", "compiled"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_story(machine: Machine, case: Case) -> None:
    counts = machine(story(case.text), design(case.design), kernel(case.kernel), **case.options)
    assert {name: getattr(counts, name) for name in case.counts} == case.counts
