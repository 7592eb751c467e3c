"""CPU masks and other bit fields: 64-bit words in the machine's memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcost.simulator.compiled import inner, int64
from mcost.simulator.state import Memory

__all__ = ["clear_bit", "lowest", "set_bit", "test_bit"]

_ONE = int64(1)
_DE_BRUIJN = int64(0x03F79D71B4CB0A89)


def _places() -> npt.NDArray[np.int64]:
    """Bit number by the top six bits of the de Bruijn product."""
    table = np.zeros(64, dtype=np.int64)
    for bit in range(64):
        product = (int(_DE_BRUIJN) << bit) & (2**64 - 1)
        table[product >> 58] = bit
    return table


_PLACES = _places()


@inner
def set_bit(m: Memory, mask: int, bit: int) -> None:
    """Sets one bit of the mask that begins at ``mask``."""
    m[mask + (bit >> 6)] |= _ONE << (bit & 63)


@inner
def clear_bit(m: Memory, mask: int, bit: int) -> None:
    """Clears one bit."""
    m[mask + (bit >> 6)] &= ~(_ONE << (bit & 63))


@inner
def test_bit(m: Memory, mask: int, bit: int) -> int:
    """The bit: 1 or 0."""
    return m[mask + (bit >> 6)] >> (bit & 63) & 1


@inner
def lowest(bits: int) -> int:
    """Number of the lowest bit set, of bits that are not all 0; ``bits & bits - 1`` clears it."""
    return _PLACES[(bits & -bits) * _DE_BRUIJN >> 58 & 63]  # type: ignore[no-any-return]
