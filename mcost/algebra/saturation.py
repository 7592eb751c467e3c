"""How often an operation may run before somebody has no time left, and how long it then takes.

Operations arrive at rate lambda (Poisson). Two resources can run out:

- the initiating side serves one operation at a time in ``initiator`` ns, since flushes of one
  host mm queue behind its lock or page-table lock; it saturates at 1 / initiator. Below that the
  queue is M/D/1, or M/G/1 when service times scatter (Pollaczek and Khinchine).
- every other CPU loses ``responders + bystanders + idle`` ns of an operation, shared evenly by
  N - 1 CPUs; they have no time left at (N - 1) / that sum.

Times in ns, rates per second.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

__all__ = ["Saturation", "ipis_per_second", "response_time", "saturation", "waiting_time"]

NS = 1e9


@dataclass(frozen=True)
class Saturation:
    """Rates at which something saturates.

    Attributes:
        initiator_rate: operations per second that the initiating side can serve.
        responder_rate: operations per second at which the other CPUs do nothing else;
            infinite when they are not interrupted.
        first: ``initiator`` or ``responders``, whichever saturates first.
    """

    initiator_rate: float
    responder_rate: float

    @property
    def rate(self) -> float:
        """Operations per second that can be served at all."""
        return min(self.initiator_rate, self.responder_rate)

    @property
    def first(self) -> str:
        """Who saturates first."""
        return "initiator" if self.initiator_rate <= self.responder_rate else "responders"

    def stolen(self, rate: float) -> float:
        """Share of the other CPUs' time that ``rate`` operations per second take."""
        return rate / self.responder_rate


def saturation(initiator: float, others: float, cpus: int) -> Saturation:
    """Saturation rates of one operation.

    Args:
        initiator: ns of the initiator for one operation, above 0.
        others: ns of all other CPUs together for one operation, 0 or more.
        cpus: online CPUs; with 1 there is nobody else to saturate.

    Raises:
        ValueError: a time that is not positive, or fewer than one CPU.
    """
    if initiator <= 0 or others < 0:
        raise ValueError(f"initiator, others: {initiator}, {others} ns must be above 0, 0 or more")
    if cpus < 1:
        raise ValueError(f"cpus: {cpus} must be at least 1")
    spare = (cpus - 1) / others * NS if others and cpus > 1 else float("inf")
    return Saturation(NS / initiator, spare)


def waiting_time() -> sp.Expr:
    """Mean M/G/1 wait in symbols: rate ``lambda``, mean ``s`` and coefficient of variation ``c``.

    rho s (1 + c^2) / (2 (1 - rho)) with rho = lambda s; c = 0 is M/D/1.
    """
    rate, service, scatter = sp.symbols("lambda s c", nonnegative=True)
    load = rate * service
    return load * service * (1 + scatter**2) / (2 * (1 - load))


def response_time(rate: float, service: float, scatter: float = 0.0) -> float:
    """Mean time from asking to done, ns: M/D/1, or M/G/1 with ``scatter`` > 0.

    Args:
        rate: operations per second.
        service: mean ns of one.
        scatter: standard deviation of the service time over its mean.

    Returns:
        ns; infinite at and above saturation.

    Raises:
        ValueError: a negative argument.
    """
    if min(rate, service, scatter) < 0:
        raise ValueError(f"rate, service, scatter: {rate}, {service}, {scatter} must be 0 or more")
    load = rate / NS * service
    if load >= 1:
        return float("inf")
    return service + load * service * (1 + scatter**2) / (2 * (1 - load))


def ipis_per_second(ipis: float, initiator: float, rate: float | None = None) -> float:
    """IPIs per second that a machine sees.

    Args:
        ipis: of one operation.
        initiator: ns of the initiator for one operation.
        rate: operations per second asked for; None for as fast as one initiating side can.
    """
    most = NS / initiator
    return ipis * (most if rate is None else min(rate, most))
