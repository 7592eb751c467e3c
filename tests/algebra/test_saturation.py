"""Queues: closed forms against a discrete-event simulation, and what saturates first."""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from mcost.algebra.saturation import ipis_per_second, response_time, saturation, waiting_time

CUSTOMERS, BATCHES = 30_000, 30


def simulated(load: float, service: float, scatter: float) -> tuple[float, float]:
    """Mean response time of one FIFO server and its 99.9 % half-width by batch means."""
    rng = np.random.default_rng(5)
    gaps = rng.exponential(service / load, CUSTOMERS)
    shape = 1 / scatter**2 if scatter else 0.0
    times = rng.gamma(shape, service / shape, CUSTOMERS) if scatter else np.full(CUSTOMERS, service)
    environment = simpy.Environment()
    server, taken = simpy.Resource(environment, 1), []

    def operation(time: float):
        begin = environment.now
        with server.request() as turn:
            yield turn
            yield environment.timeout(time)
        taken.append(environment.now - begin)

    def arrivals():
        for gap, time in zip(gaps, times, strict=True):
            yield environment.timeout(gap)
            environment.process(operation(time))

    environment.process(arrivals())
    environment.run()
    means = np.array(taken).reshape(BATCHES, -1).mean(axis=1)
    return float(means.mean()), 3.7 * float(means.std(ddof=1)) / BATCHES**0.5


@pytest.mark.parametrize(("load", "scatter"), [(0.3, 0.0), (0.6, 0.0), (0.75, 0.0), (0.6, 0.5)])
def test_response_time_is_what_the_events_give(load, scatter) -> None:
    service = 5000.0
    mean, half = simulated(load, service, scatter)
    expected = response_time(load / service * 1e9, service, scatter)
    print(f"simulated {mean:.0f} +/- {half:.0f}, expected {expected:.0f} ns")
    assert abs(mean - expected) <= half
    assert half < 0.15 * expected


def test_the_symbolic_wait_is_the_number() -> None:
    form = waiting_time()
    values = {"lambda": 1e-4, "s": 5000.0, "c": 0.5}
    wait = float(form.subs({symbol: values[symbol.name] for symbol in form.free_symbols}))
    assert response_time(1e5, 5000.0, 0.5) == pytest.approx(5000 + wait)


def test_at_saturation_nothing_comes_back() -> None:
    assert response_time(200_000, 5000.0) == float("inf")
    assert response_time(0, 5000.0) == 5000.0


def test_who_saturates_first() -> None:
    found = saturation(initiator=10_000, others=127_000, cpus=128)
    assert found.initiator_rate == pytest.approx(1e5)
    assert found.responder_rate == pytest.approx(1e6)
    assert (found.first, found.rate) == ("initiator", found.initiator_rate)
    assert found.stolen(found.rate) == pytest.approx(0.1)
    assert saturation(1_000, 127_000 * 10, 128).first == "responders"
    assert saturation(1_000, 0, 128).responder_rate == float("inf")


def test_a_256_cpu_machine_sees_its_ipis() -> None:
    assert ipis_per_second(255, 20_000) == pytest.approx(255 * 50_000)
    assert ipis_per_second(255, 20_000, rate=100) == pytest.approx(25_500)
    assert ipis_per_second(255, 20_000, rate=1e9) == pytest.approx(255 * 50_000)


@pytest.mark.parametrize(
    "call",
    [
        lambda: saturation(0, 1, 2),
        lambda: saturation(1, -1, 2),
        lambda: saturation(1, 1, 0),
        lambda: response_time(-1, 1),
    ],
)
def test_impossible_times_are_refused(call) -> None:
    with pytest.raises(ValueError, match="must be"):
        call()
