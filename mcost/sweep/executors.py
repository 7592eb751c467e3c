"""Where chunks are worked on besides processes of this machine: a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module

__all__ = ["cluster"]

CONNECT_SECONDS = 8


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The executor of a Dask cluster, and its number of threads.

    Raises:
        ValueError: the extra ``cluster`` is not installed, or nobody answers at the address.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise ValueError(
            "--scheduler needs the extra cluster: pip install 'mcost[cluster]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"scheduler {address}: cannot connect ({reason})") from None
    with client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        yield client.get_executor(pure=False), max(1, threads)
