"""CPU masks and other bit fields: 64-bit words in the machine's memory."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic, overload

from mcost.simulator.compiled import inner, int64
from mcost.simulator.state import Memory

__all__ = ["clear_bit", "lowest", "set_bit", "test_bit"]

_ONE = int64(1)


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


def lowest(bits: int) -> int:
    """Number of the lowest bit set, of bits that are not all 0; ``bits & bits - 1`` clears it."""
    return (int(bits) & -int(bits)).bit_length() - 1


@intrinsic
def _trailing_zeros(_context: Any, bits: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], context.get_constant(types.boolean, True))

    return bits(bits), code


@overload(lowest, strict=False)
def _lowest(bits: Any) -> Any:  # noqa: ARG001 - typed, not used
    def implementation(bits):  # type: ignore[no-untyped-def]
        return _trailing_zeros(int64(bits))  # type: ignore[call-arg]

    return implementation
