"""Writing token by token, with the keys and values of what was read kept: the same steps as a whole pass.

Apart from engines: which batch runs when is theirs; what one step computes is the architecture's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from functory_sdk.torch.keeping import Kept

if TYPE_CHECKING:
    from functory_sdk.torch.network import Context, Network


class Writing:
    """A batch of texts being written, after prompts or (by an encoder-decoder) from sources. Texts leave it, and others join.

    :param network: one that predicts tokens.
    :param ids: (rows, tokens), padded on the right.
    :param mask: (rows, tokens).
    :param written: (rows, tokens) what was already written, equally long for all; none when None.
    :raises NotSupported: for a network that predicts none.

    ``hidden`` (rows, width) are the states of which the scores of each row's next token come; ``common`` are the tokens that all
    rows begin with and that are kept once.
    """

    def __init__(self, network: Network, ids: Tensor, mask: Tensor, written: Tensor | None = None) -> None:
        self._network = network
        self._has_source = network.spec.architecture == "encoder-decoder"
        self._kept = Kept(has_source=self._has_source)
        self._source: dict[str, Tensor] = {}
        self._memory: dict[str, Tensor] = {}
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
        self.common: tuple[int, ...] = ()
        self._read(ids, last)

    @staticmethod
    def after(network: Network, kept: Kept, mask: Tensor, hidden: Tensor, common: Sequence[int] = ()) -> Writing:
        """Return texts that a decoder goes on with after what was read elsewhere.

        :param kept: what was read, rows that end together.
        :param mask: (rows, tokens) which places are real, of those that are each row's own.
        :param hidden: the last state of each row, (rows, width).
        :param common: the tokens that all rows begin with, where their keys and values are kept once (`Kept.share`).
        """
        made = object.__new__(Writing)
        made._network, made._has_source, made._kept, made._mask = network, False, kept, mask
        made._source, made._memory, made.common = {}, {}, tuple(common)
        made.hidden = hidden
        return made

    @property
    def logits(self) -> Tensor:
        """The scores of each row's next token, (rows, vocabulary), computed when they are asked for."""
        return self._network.logits(self.hidden)

    def _read(self, ids: Tensor, last: Tensor) -> None:
        network = self._network
        batch = {**self._source, network.written: ids, network.output_mask: self._mask}
        first = network.encoder_points if self._has_source else 0
        hidden = network.run(first, network.points, dict(self._memory), network.resume(batch, self._kept.layers))["hidden"]
        self.hidden = hidden[torch.arange(len(ids), device=ids.device), last]

    def advance(self, tokens: Tensor) -> None:
        """Append a token to each row, (rows,), and compute the next `hidden`."""
        self._grow(tokens)
        self._read(tokens[:, None], torch.zeros_like(tokens))

    def _grow(self, tokens: Tensor) -> None:
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)[:, None]], dim=1)

    def unread(self, tokens: Tensor) -> Unread:
        """Append a token to each row of a decoder, (rows,), of which the next `hidden` are computed elsewhere."""
        self._grow(tokens)
        batch = {self._network.written: tokens[:, None], self._network.output_mask: self._mask}
        return Unread.of(self._network, batch, self._kept)

    def parted(self, rows: Sequence[int]) -> Writing:
        """Return some rows of a decoder as a batch of their own; this one stays as it is."""
        chosen = torch.as_tensor(list(rows), dtype=torch.long, device=self._mask.device)
        made = Writing.after(self._network, self._kept.parted(chosen), self._mask[chosen], self.hidden[chosen], self.common)
        made._trim()
        return made

    def choose(self, rows: Sequence[int]) -> None:
        """Go on with these rows, of which one may come several times: texts that begin alike and go on each its own way. Where
        some leave, the least is moved if the last ones take their places.
        """
        chosen = torch.as_tensor(list(rows), dtype=torch.long, device=self._mask.device)
        self._kept.choose(rows)
        self._mask, self.hidden = self._mask[chosen], self.hidden[chosen]
        self._source = {name: array[chosen] for name, array in self._source.items()}
        self._memory = {name: array[chosen] for name, array in self._memory.items()}
        self._trim()

    def last(self, row: int, count: int) -> list[tuple[Tensor, Tensor]]:
        """Return the keys and values of the last so many tokens of a decoder's row, (heads, count, width of a head) both, layer
        by layer. They are what is being written in: copy what is kept.
        """
        return [(keys[row, :, -count:], values[row, :, -count:]) for keys, values in self._kept.pairs()]

    def _trim(self) -> None:
        """Forget what is padding in every row."""
        first = int(self._mask.any(0).to(torch.uint8).argmax())
        source = self._source.get("attention_mask")
        stop = 0 if source is None else int(source.sum(1).max())
        if first or (source is not None and stop < source.shape[1]):
            self._kept.trim(first, stop)
            self._mask = self._mask[:, first:]
            self._source = {name: array[:, :stop] for name, array in self._source.items()}
            self._memory = {name: array[:, :stop] for name, array in self._memory.items()}

    def _part(self, size: int) -> None:
        """Keep no more than so many of the common tokens once."""
        if size < len(self.common):
            more = self._mask.new_ones(len(self._mask), len(self.common) - size)
            self._mask = torch.cat([more, self._mask], 1)
            self._kept.part(size)
            self.common = self.common[:size]

    def join(self, other: Writing) -> None:
        """Put the rows of another batch of the same network after these; what both begin with stays kept once."""
        size = matching(self.common, other.common)
        for one in (self, other):
            one._part(size)
        self._kept.join(other._kept)
        size = max(self._mask.shape[1], other._mask.shape[1])
        self._mask = torch.cat([pad(mask, (size - mask.shape[1], 0)) for mask in (self._mask, other._mask)])
        self.hidden = torch.cat([self.hidden, other.hidden])
        self._source = _joined(self._source, other._source)
        self._memory = _joined(self._memory, other._memory)


@dataclass(frozen=True)
class Unread:
    """Tokens of a decoder that come after what is kept, before a pass reads them.

    :param hidden: the network's first states of them, (rows, new, width).
    :param context: what its further steps need.
    """

    network: Network
    hidden: Tensor
    context: Context

    @staticmethod
    def of(network: Network, batch: Mapping[str, Tensor], kept: Kept) -> Unread:
        """Take the first step, which is where tokens that a network does not know come out.

        :param batch: see `Network.resume`.
        """
        context = network.resume(batch, kept.layers)
        return Unread(network, network.run(0, 1, {}, context)["hidden"], context)


def advance(several: Sequence[Writing], tokens: Sequence[Tensor], beside: Sequence[Unread] = ()) -> list[Tensor]:
    """Append a token to each row of several batches of one network, (rows,) each, and compute their next `Writing.hidden`: all in
    one pass where it can.

    :param beside: what is read in the same pass, of decoders.
    :return: the last hidden states of each of these, (rows, new, width).
    """
    if len(several) == 1 and not beside:
        several[0].advance(tokens[0])
        return []
    found = read([*(one.unread(own) for one, own in zip(several, tokens, strict=True)), *beside])
    for one, states in zip(several, found, strict=False):
        one.hidden = states[:, -1]
    return found[len(several) :]


def read(several: Sequence[Unread]) -> list[Tensor]:
    """Read tokens of one network, all in one pass where it can: so its weights are gone through once.

    :return: the last hidden states of each, (rows, new, width).
    """
    network = several[0].network
    if len(several) == 1 or not network.reads_together:
        return [network.run(1, network.points, {"hidden": one.hidden}, one.context)["hidden"] for one in several]
    joined = network.together([one.context for one in several])
    states = torch.cat([one.hidden.flatten(0, 1) for one in several])[None]
    found = network.run(1, network.points, {"hidden": states}, joined)["hidden"][0]
    made, first = list[Tensor](), 0
    for one in several:
        stop = first + one.hidden.shape[0] * one.hidden.shape[1]
        made.append(found[first:stop].view(one.hidden.shape))
        first = stop
    return made


def matching(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two texts begin with in common."""
    size = min(len(one), len(other))
    return next((place for place in range(size) if one[place] != other[place]), size)


def _joined(own: dict[str, Tensor], others: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return arrays of sources, (rows, tokens, …), as one batch: the shorter ones padded at their ends."""
    made = {}
    for name, array in own.items():
        size = max(array.shape[1], others[name].shape[1])
        made[name] = torch.cat([
            pad(one, (*[0, 0] * (one.ndim - 2), 0, size - one.shape[1])) for one in (array, others[name])
        ])  # fmt: skip
    return made
