"""The types in which GGUF keeps weights, unpacked into float32 numbers.

A type of blocks stores a scale, perhaps a smallest value, and a few bits for each weight of a block; "K" types store the scales
of eight or sixteen stretches of a block of 256 in a few bits themselves. As ggml's `ggml-quants.c` lays them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK, LARGE = 32, 256
"""Weights in a block; and in one of a K type."""


@dataclass(frozen=True)
class Type:
    """One way of storing weights: so many bytes for so many weights, and how they are unpacked."""

    name: str
    weights: int
    bytes: int
    unpack: Callable[[NDArray[Any]], NDArray[Any]]

    def size(self, count: int) -> int:
        """Return the bytes of `count` weights."""
        return count // self.weights * self.bytes


def _float(dtype: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def unpack(data: NDArray[Any]) -> NDArray[Any]:
        return data.view(dtype).astype("<f4", copy=False)

    return unpack


def _bf16(data: NDArray[Any]) -> NDArray[Any]:
    wide: NDArray[Any] = (data.view("<u2").astype("<u4") << 16).view("<f4")
    return wide


def _halves(blocks: NDArray[Any], begin: int) -> NDArray[Any]:
    """Return one float16 of every block as float32, (blocks, 1)."""
    import numpy as np

    return np.ascontiguousarray(blocks[:, begin : begin + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: NDArray[Any]) -> NDArray[Any]:
    """Unpack 16 bytes to 32 numbers of 0–15: the low halves first, then the high ones."""
    import numpy as np

    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def _fifths(blocks: NDArray[Any], begin: int) -> NDArray[Any]:
    """Return the fifth bit of each of 32 weights, 0 or 16, (blocks, 32)."""
    import numpy as np

    bits: NDArray[Any] = np.unpackbits(blocks[:, begin : begin + 4], axis=1, bitorder="little").astype(np.float32) * 16
    return bits


def _q4_0(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 18)
    weights: NDArray[Any] = _halves(blocks, 0) * (_nibbles(blocks[:, 2:]) - 8)
    return weights


def _q4_1(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 20)
    weights: NDArray[Any] = _halves(blocks, 0) * _nibbles(blocks[:, 4:]) + _halves(blocks, 2)
    return weights


def _q5_0(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 22)
    weights: NDArray[Any] = _halves(blocks, 0) * (_nibbles(blocks[:, 6:]) + _fifths(blocks, 2) - 16)
    return weights


def _q5_1(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 24)
    weights: NDArray[Any] = _halves(blocks, 0) * (_nibbles(blocks[:, 8:]) + _fifths(blocks, 4)) + _halves(blocks, 2)
    return weights


def _q8_0(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 34)
    weights: NDArray[Any] = _halves(blocks, 0) * blocks[:, 2:].view("i1")
    return weights


def _scales(blocks: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scales and the smallest values of eight stretches, (blocks, 8, 1): twelve bytes of six bits each."""
    import numpy as np

    low, middle, high = (blocks[:, begin : begin + 4] for begin in (4, 8, 12))
    scales = np.concatenate([low & 63, (high & 15) | (low >> 6 << 4)], axis=1)
    least = np.concatenate([middle & 63, (high >> 4) | (middle >> 6 << 4)], axis=1)
    factors = _halves(blocks, 0) * scales.astype(np.float32), _halves(blocks, 2) * least.astype(np.float32)
    return factors[0][..., None], factors[1][..., None]


def _stretches(packed: NDArray[Any]) -> NDArray[Any]:
    """Unpack 128 bytes to eight stretches of 32 numbers of 0–15, (blocks, 8, 32)."""
    import numpy as np

    chunks = packed.reshape(-1, 4, 1, 32)
    return np.concatenate([chunks & 15, chunks >> 4], axis=2).reshape(-1, 8, 32).astype(np.float32)


def _q4_k(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 144)
    scales, least = _scales(blocks)
    weights: NDArray[Any] = scales * _stretches(blocks[:, 16:]) - least
    return weights.reshape(-1, LARGE)


def _q5_k(data: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    blocks = data.reshape(-1, 176)
    scales, least = _scales(blocks)
    fifths = blocks[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None] & 1  # (blocks, 8, 32)
    weights: NDArray[Any] = scales * (_stretches(blocks[:, 48:]) + 16 * fifths.astype(np.float32)) - least
    return weights.reshape(-1, LARGE)


def _q6_k(data: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    blocks = data.reshape(-1, 210)
    low = blocks[:, :128].reshape(-1, 2, 1, 64)
    low = np.concatenate([low & 15, low >> 4], axis=2).reshape(-1, 2, 4, 32)  # four stretches in each half of a block
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3
    numbers = (low | high << 4).astype(np.float32) - 32
    scales = np.ascontiguousarray(blocks[:, 192:208]).view("i1").astype(np.float32)
    weights: NDArray[Any] = _halves(blocks, 208)[..., None] * scales[..., None] * numbers.reshape(-1, 16, 16)
    return weights.reshape(-1, LARGE)


TYPES = {
    0: Type("F32", 1, 4, _float("<f4")),
    1: Type("F16", 1, 2, _float("<f2")),
    2: Type("Q4_0", BLOCK, 18, _q4_0),
    3: Type("Q4_1", BLOCK, 20, _q4_1),
    6: Type("Q5_0", BLOCK, 22, _q5_0),
    7: Type("Q5_1", BLOCK, 24, _q5_1),
    8: Type("Q8_0", BLOCK, 34, _q8_0),
    12: Type("Q4_K", LARGE, 144, _q4_k),
    13: Type("Q5_K", LARGE, 176, _q5_k),
    14: Type("Q6_K", LARGE, 210, _q6_k),
    30: Type("BF16", 1, 2, _bf16),
}
"""Those that are read here, by their numbers."""
OTHERS = {
    10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S",
    22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0",
    39: "MXFP4",
}  # fmt: skip
"""What others are called."""
