"""How the machine's functions are compiled: one entry point, everything else inside it.

Only the entry is cached on disk. Numba checks the source file of a cached function, not the
files of what it calls, so the entry closes over a digest of all the sources it is made from:
Numba puts closure values into the cache key, and an edit anywhere compiles again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

__all__ = ["bare", "entry", "inner", "int64", "sources"]

F = TypeVar("F", bound=Callable[..., Any])

_PARTS = ("simulator", "spec", "traces")
_OPTIONS: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
_BARE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

inner: Callable[[F], F] = njit(**_OPTIONS, **_BARE)
"""For functions that only compiled code calls: no reference counts, no wrappers."""

entry: Callable[[F], F] = njit(**_OPTIONS, cache=True, nogil=True)
"""For the function that Python calls: cached, and other threads run meanwhile."""

int64 = cast(Callable[[Any], int], np.int64)
"""A 64-bit integer. Constants that are passed to compiled functions are made by it, since
Numba compiles a function once more for a Python number."""


def bare(array: Any) -> Any:
    """The address of an array's first element, indexed like the array.

    An address is one register where Numba's array is seven, and no index is asked whether it
    is negative. Plain Python gets the array itself.
    """
    return array


@intrinsic
def _address(_context: Any, array: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), code  # type: ignore[no-untyped-call]


@overload(bare, strict=False)
def _bare(array: Any) -> Any:  # noqa: ARG001 - typed, not used
    def implementation(array):  # type: ignore[no-untyped-def]
        return _address(array)  # type: ignore[call-arg]

    return implementation


def sources() -> int:
    """Digest of all source files that compiled code or its constants come from."""
    package = Path(__file__).parent.parent
    files = [file for part in _PARTS for file in sorted((package / part).glob("*.py"))]
    digest = sha256(b"".join(file.read_bytes() for file in files)).digest()
    return int.from_bytes(digest[:7], "little")
