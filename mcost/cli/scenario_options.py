"""The options that state one scenario, written once for every verb that asks a question."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from mcost.spec.scenario import APIC_MODES, DEFAULT_INVLPGB_MAX, Scenario

__all__ = ["with_scenario"]

_OPTIONS: dict[str, tuple[type, object, str]] = {
    "cpus": (int, ..., "Online CPUs (N)."),
    "sharers": (int, ..., "Processes attached to the region (S)."),
    "threads": (int, 1, "Runnable threads of one sharer (T)."),
    "pages": (int, 1, "Pages one operation changes (P)."),
    "offset": (int, 0, "Place of the first page in its 512-entry table."),
    "operation": (str, "zap", "What is done to the pages."),
    "placement": (str, "snapshot", "Law of where sharers run."),
    "initiator": (str, "outside", "Who asks: outside, sharer or apart."),
    "kernel": (str, "", "Kernel variant; the placement's usual one if not given."),
    "share": (float, None, "Probability that a CPU runs a sharer (rho)."),
    "idle": (float, None, "Probability that a CPU is lazy on a sharer (z)."),
    "held": (float, None, "Probability that a running CPU holds a given page (h)."),
    "rate": (float, None, "Moves of one sharer per second (w)."),
    "age": (float, None, "Seconds since masks were last trimmed (t)."),
    "batch": (int, 31, "Clean pages per held-back reclaim flush (B)."),
    "apic": (str, "cluster", f"ICR writes by: {', '.join(APIC_MODES)}."),
    "invlpgb_max": (int, DEFAULT_INVLPGB_MAX, "Pages one INVLPGB covers."),
}


def with_scenario(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a verb all scenario options; it receives ``scenario`` first.

    The scenario is validated when it is made, so the verb never sees an impossible one.
    """
    own = list(inspect.signature(verb, eval_str=True).parameters.values())[1:]

    @wraps(verb)
    def wrapper(**options: Any) -> Any:
        asked = {name: options.pop(name) for name in _OPTIONS}
        return verb(Scenario(**asked), **options)

    parameters = [_parameter(name) for name in _OPTIONS] + [
        item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own
    ]
    first = [item for item in own if item.default is inspect.Parameter.empty]
    ordered = [p for p in parameters if p.name in {f.name for f in first}] + [
        p for p in parameters if p.name not in {f.name for f in first}
    ]
    wrapper.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {item.name: item.annotation for item in ordered}
    return wrapper


def _parameter(name: str) -> inspect.Parameter:
    kind, default, text = _OPTIONS[name]
    annotation: Any = kind if default is not None else kind | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is ... else default,
        annotation=Annotated[annotation, typer.Option(help=text)],
    )
