"""Importers of recorded kernel traces: what really ran and flushed, as a trace to replay.

Reads ftrace text, ``trace-cmd report`` and ``perf script`` (:mod:`.formats` lists the layouts)
with these events: sched_switch, tlb_flush, csd_queue_cpu, csd_function_entry, ipi_send_cpu and
ipi_send_cpumask, sched_migrate_task (counted), call_function entry and exit (counted), a
probe on native_flush_tlb_multi (``multi`` or ``mcost_flush``: mm, start, end) and one on
sched_switch (``mcost_mm``: each task's mm). All others are only counted.

The result answers "what if these processes shared an mshare region": the switches as they
happened, and one ``invalidate`` for each flush call (:mod:`.flushes` says what that is). How
threads become processes and kernel threads is in :mod:`.tasks`, whose mm a call was for in
:mod:`.targets`, which calls count and on which pages in :mod:`.options` and
:mod:`.operations`, what was put in that the file does not say in the summary's
``assumed`` and ``unknown``.
"""

from __future__ import annotations

from mcost.traces.importers.api import Imported, import_trace
from mcost.traces.importers.formats import FORMATS
from mcost.traces.importers.options import COUNTED, TOUCHES, ImportOptions, parse_region
from mcost.traces.importers.overview import Overview, overview
from mcost.traces.importers.recorded import Calls
from mcost.traces.importers.summary import Recorded, Summary

__all__ = [
    "COUNTED",
    "FORMATS",
    "TOUCHES",
    "Calls",
    "ImportOptions",
    "Imported",
    "Overview",
    "Recorded",
    "Summary",
    "import_trace",
    "overview",
    "parse_region",
]
