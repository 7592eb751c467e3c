"""CPU masks as 64-bit words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "any_other",
    "clear_bit",
    "copy_words",
    "lowest",
    "set_bit",
    "test_bit",
    "without_lowest",
]

Words = npt.NDArray[np.uint64]

_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)


def _places() -> npt.NDArray[np.int64]:
    """Bit number by the top six bits of the de Bruijn product."""
    table = np.zeros(64, dtype=np.int64)
    for bit in range(64):
        product = (int(_DE_BRUIJN) << bit) & (2**64 - 1)
        table[product >> 58] = bit
    return table


_PLACES = _places()


@njit(cache=True, _nrt=False)
def _bit(cpu: int) -> np.uint64:
    return _ONE << np.uint64(cpu & 63)


@njit(cache=True, _nrt=False)
def set_bit(mask: Words, cpu: int) -> None:
    """Sets the CPU's bit."""
    mask[cpu >> 6] |= _bit(cpu)


@njit(cache=True, _nrt=False)
def clear_bit(mask: Words, cpu: int) -> None:
    """Clears the CPU's bit."""
    mask[cpu >> 6] &= ~_bit(cpu)


@njit(cache=True, _nrt=False)
def test_bit(mask: Words, cpu: int) -> bool:
    """Whether the CPU's bit is set."""
    return (mask[cpu >> 6] & _bit(cpu)) != _ZERO


@njit(cache=True, _nrt=False)
def any_other(mask: Words, cpu: int) -> bool:
    """Whether any CPU but this one is in the mask (cpumask_any_but)."""
    for at in range(len(mask)):
        word = mask[at]
        if at == cpu >> 6:
            word &= ~_bit(cpu)
        if word != _ZERO:
            return True
    return False


@njit(cache=True, _nrt=False)
def lowest(word: np.uint64) -> int:
    """Number of the lowest bit set in a word that is not 0."""
    alone = word & (~word + _ONE)
    return int(_PLACES[(alone * _DE_BRUIJN) >> _SHIFT])


@njit(cache=True, _nrt=False)
def without_lowest(word: np.uint64) -> np.uint64:
    """The word with its lowest set bit cleared."""
    return word & (word - _ONE)


@njit(cache=True, _nrt=False)
def copy_words(to: Words, source: Words) -> None:
    """Copies one mask over another."""
    for at in range(len(to)):
        to[at] = source[at]
