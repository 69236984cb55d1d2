"""What a batch of texts has read, as keys and values: texts go on in several ways, leave, and join.

Rows end together, at the last place: where one is shorter than others, the places before its first are padding, which its mask
says. What sources gave begins together, and is padded at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


class Kept:
    """The keys and values of the tokens that a batch of texts has read, layer by layer.

    :param has_source: whether they look at a source besides themselves.

    ``layers`` is the transformers cache that their layers read and append to.
    """

    def __init__(self, *, has_source: bool) -> None:
        from transformers import Cache, EncoderDecoderCache

        from functory_sdk.torch.rooms import Roomy

        self._caches: tuple[Any, ...] = tuple(Cache(layer_class_to_replicate=Roomy) for _ in range(1 + has_source))
        self.layers: Any = EncoderDecoderCache(*self._caches) if has_source else self._caches[0]

    @staticmethod
    def of(layers: Sequence[tuple[Tensor, Tensor]]) -> Kept:
        """Return what a decoder has read: of each layer keys and values, (rows, heads, places, width)."""
        made = Kept(has_source=False)
        for place, (keys, values) in enumerate(layers):
            made.layers.update(keys, values, place)
        return made

    def share(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Have all rows of a decoder begin with this: of each layer keys and values, (1, heads, places, width)."""
        for layer, shared in zip(self._caches[0].layers, layers, strict=True):
            layer.shared = shared

    def part(self, size: int) -> None:
        """Share no more than so many places of what all rows begin with."""
        for layer in self._caches[0].layers:
            layer.part(size)

    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """Return the keys and values of each layer of what is written, without those of what all rows share."""
        return [(layer.keys, layer.values) for layer in self._caches[0].layers]

    def choose(self, rows: Sequence[int]) -> None:
        """Go on with these rows, of which one may come several times."""
        for cache in self._caches:
            for layer in cache.layers:
                layer.choose(rows)

    def trim(self, first: int, sources: int) -> None:
        """Forget what is padding in every row: the places before the first, and those of sources from a number on."""
        for is_source, cache in enumerate(self._caches):
            for layer in cache.layers:
                layer.trim(*((0, sources) if is_source else (first, layer.keys.shape[-2])))

    def join(self, other: Kept) -> None:
        """Put the rows of another batch after these; where one has fewer places, they are padded before its first."""
        for is_source, (own, theirs) in enumerate(zip(self._caches, other._caches, strict=True)):
            for layer, one in zip(own.layers, theirs.layers, strict=True):
                layer.join(one, from_first=bool(is_source))

    def parted(self, rows: Tensor) -> Kept:
        """Return what some rows of a decoder have read, copied; this stays as it is.

        :param rows: their numbers.
        """
        made = Kept.of([(keys[rows], values[rows]) for keys, values in self.pairs()])
        for own, layer in zip(made._caches[0].layers, self._caches[0].layers, strict=True):
            own.shared = layer.shared
        return made
