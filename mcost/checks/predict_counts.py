"""Rules for counts of interrupts and for the CPU time they take."""

from __future__ import annotations

import csv
import gzip
import json
from functools import lru_cache

import numpy as np

from mcost.checks.predict import CannotPredict, Prediction, Question, Rule
from mcost.checks.terms import Floats, spread, terms
from mcost.spec.files import data_path
from mcost.spec.hardware import Constant
from mcost.spec.kernels import KERNELS
from mcost.spec.operations import DEFAULT_BATCH
from mcost.spec.published import Row

__all__ = ["COUNT_RULES"]

_CLEAN = ("reclaim_file_clean", "reclaim_shmem_read")
_OWNER = "live"  # a dimension of the draws that no price uses here


@lru_cache(maxsize=1)
def shortest_list() -> float:
    """Pages a round of clean reclaim, 5 % quantile over the runs of kernel-counts W3."""
    found: list[float] = []
    for path in sorted(data_path("kernel-counts", "rows").glob("w3_*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                stolen = json.loads(row["extra"]).get("pgsteal", 0)
                if row["op"] in _CLEAN and stolen and int(row["remote_flush"]):
                    found.append(stolen / int(row["remote_flush"]))
    return float(np.quantile(found, 0.05))


def _lists() -> Floats:
    """Clean pages of one reclaim flush: the model's most, down to W3's low end."""
    batch = Constant("pages", DEFAULT_BATCH, shortest_list(), DEFAULT_BATCH, "measured", ("KF 3",))
    return spread(_OWNER, batch)


def _migrated() -> Floats:
    """Pages of one migration flush: a list of reclaim's size up to the kernel's limit."""
    most = float(max(entry.migrate_batch for entry in KERNELS))
    batch = Constant("pages", most, DEFAULT_BATCH, most, "measured", ("KF 3",))
    return spread(_OWNER, batch)


def _interrupt_rate(question: Question) -> Prediction:
    start = _before(question)
    return Prediction(
        start.value / _lists(),
        "every interrupt is a shootdown, the run is as fast as before, lists are full",
    )


def _before(question: Question) -> Row:
    if question.says(r"; (vanilla|stock|base|unbatched)\b"):
        raise CannotPredict("the run before the change is the setting that the other starts from")
    return question.sibling(r"^(vanilla|stock|base|unbatched)\b")


def _system_time(question: Question) -> Prediction:
    """System time less one round of one IPI for each interrupt that batching removes."""
    start = _before(question)
    rate, elapsed = (_same_run(question, start, metric) for metric in ("interrupt rate", "elapsed"))
    prices = question.terms()
    removed = rate * elapsed * (1 - 1 / _lists())
    each = prices.component("initiator", 1, 1) + prices.component("responders", 1, 1)
    reach = prices.reach(question.row.sockets)
    return Prediction(
        start.value - prices.in_unit(removed * (each + reach), question.row.unit),
        "each page was mapped by one process; nothing waits for a busy CPU or a lock",
    )


def _same_run(question: Question, start: Row, metric: str) -> float:
    for other in question.rows.values():
        same = (_words(other.operation), other.platform) == (
            _words(start.operation),
            start.platform,
        )
        if same and metric in other.metric:
            return other.value
    raise CannotPredict(f"no {metric} of the run before the change")


def _words(operation: str) -> str:
    return operation.partition("(")[0].strip() if operation.endswith(")") else operation


def _reclaim_elapsed(question: Question) -> Prediction:
    """Elapsed time less the flush's share of it, but for one flush a batch (S14's model)."""
    start = _before(question)
    share = _same_run(question, start, "CPU share of ptep_clear_flush") / 100
    return Prediction(
        start.value * (1 - share * (1 - 1 / _lists())), "the CPU share is the share of elapsed time"
    )


def _reduction(question: Question) -> Prediction:
    if not question.says(r"migration"):
        raise CannotPredict("only batched migration has a rule for its share of IPIs removed")
    return Prediction(100 * (1 - 1 / _migrated()), "one flush a batch of up to the kernel's limit")


def _deferred_events(question: Question) -> Prediction:
    """A lazy flush sends nothing for freed pages; judged as the share it removes."""
    if not question.says(r"; luf"):
        raise CannotPredict("the run before the change is the setting that the other starts from")
    start = question.sibling(r"^stock")
    return Prediction(
        _all_removed(),
        "every flush can be deferred; in truth those of writable pages cannot",
        published=100 * (1 - question.row.value / start.value),
        unit="percent",
    )


def _deferred_share(question: Question) -> Prediction:
    if not question.says(r"luf.*interrupts"):
        raise CannotPredict("run time of this load without the flush is not given")
    return Prediction(_all_removed(), "every flush can be deferred")


def _all_removed() -> Floats:
    return 100.0 + 0 * terms("haswell-1s")["first"]


def _broadcast_to_all(question: Question) -> Prediction:
    cpus = question.cpus()
    raise CannotPredict(
        f"rounds to {cpus} CPUs have a price, but the run time without them and the number of"
        " unshared tables are not given"
    )


COUNT_RULES: tuple[Rule, ...] = (
    Rule("reclaim interrupts", r"reclaim.*interrupt rate", ("1/s",), _interrupt_rate),
    Rule("reclaim CPU time", r"reclaim.*system (cpu )?time", ("s",), _system_time),
    Rule("reclaim elapsed", r"page reclaim.*\| elapsed", ("s",), _reclaim_elapsed),
    Rule("IPIs removed", r"migration.*reduction of tlb ipis", ("percent",), _reduction),
    Rule("deferred flushes", r"tlb_flush.*events|shootdown interrupts on", ("count",),
         _deferred_events),
    Rule("deferred share", r"luf.*reduction", ("percent",), _deferred_share),
    Rule("broadcast to all", r"ipi to every cpu", ("ratio",), _broadcast_to_all),
)  # fmt: skip
