"""Writing token by token, with the keys and values of what was read kept: the same steps as a whole pass.

Apart from engines: which batch runs when is theirs; what one step computes is the architecture's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from functory_sdk.torch.network import Network


class Kept:
    """The keys and values of the tokens that a batch of texts has read, layer by layer.

    :param has_source: whether they look at a source besides themselves.

    ``layers`` is the transformers cache that their layers read and append to.
    """

    def __init__(self, *, has_source: bool) -> None:
        from transformers import DynamicCache, EncoderDecoderCache

        self.layers: Any = EncoderDecoderCache(DynamicCache(), DynamicCache()) if has_source else DynamicCache()

    def choose(self, rows: Tensor) -> None:
        """Go on with these rows, of which one may come several times."""
        self.layers.batch_select_indices(rows)

    def times(self, rows: int) -> Kept:
        """Return what the only row of a decoder has read as so many rows, each to go on its own way; this stays as it is."""
        copied = Kept(has_source=False)
        for place, layer in enumerate(self.layers.layers):
            copied.layers.update(*(one.expand(rows, -1, -1, -1) for one in (layer.keys, layer.values)), place)
        return copied


class Writing:
    """A batch of texts being written, after prompts or (by an encoder-decoder) from sources.

    :param network: one that predicts tokens.
    :param ids: (rows, tokens), padded on the right.
    :param mask: (rows, tokens).
    :param written: (rows, tokens) what was already written, equally long for all; none when None.
    :raises NotSupported: for a network that predicts none.

    ``logits`` (rows, vocabulary) are the scores of each row's next token.
    """

    def __init__(self, network: Network, ids: Tensor, mask: Tensor, written: Tensor | None = None) -> None:
        self._network = network
        self._has_source = network.spec.architecture == "encoder-decoder"
        self._kept = Kept(has_source=self._has_source)
        self._source: Mapping[str, Tensor] = {}
        self._memory: Mapping[str, Tensor] = {}
        if self._has_source:
            self._source = {"input_ids": ids, "attention_mask": mask}
            self._memory = network.run(0, network.encoder_points, {}, network.prepare(self._source))
            ids = torch.full_like(ids[:, :1], network.spec.start_id or 0)
            mask = torch.ones_like(ids)
        last = mask.sum(1) - 1  # (rows,): after whose state the next token comes
        if written is not None:
            ids, mask = torch.cat([ids, written], 1), torch.cat([mask, torch.ones_like(written)], 1)
            last = torch.full_like(last, ids.shape[1] - 1)
        self._mask = mask
        self._read(ids, last)

    def _read(self, ids: Tensor, last: Tensor) -> None:
        network = self._network
        batch = {**self._source, network.written: ids, network.output_mask: self._mask}
        first = network.encoder_points if self._has_source else 0
        hidden = network.run(first, network.points, dict(self._memory), network.resume(batch, self._kept.layers))["hidden"]
        self.logits = network.logits(hidden[torch.arange(len(ids), device=ids.device), last])

    def advance(self, tokens: Tensor) -> None:
        """Append a token to each row, (rows,), and compute the next `logits`."""
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)[:, None]], dim=1)
        self._read(tokens[:, None], torch.zeros_like(tokens))

    def choose(self, rows: Sequence[int]) -> None:
        """Go on with these rows, of which one may come several times: texts that begin alike and go on each its own way."""
        chosen = torch.as_tensor(list(rows), dtype=torch.long, device=self._mask.device)
        self._kept.choose(chosen)
        self._mask, self.logits = self._mask[chosen], self.logits[chosen]
        self._source = {name: array[chosen] for name, array in self._source.items()}
        self._memory = {name: array[chosen] for name, array in self._memory.items()}
