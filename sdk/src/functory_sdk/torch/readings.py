"""Readings: what a head is given of the last hidden states.

Apart from heads, because many heads read alike, and an adaptation may let a head read otherwise (`Adaptation.crown`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory.errors import NotSupported
from functory_sdk.torch.network import Network, is_tracing
from functory_sdk.torch.pooling import pool


class Reading(nn.Module, ABC):
    """What a head is given: (batch, width) where the unit is a row, (batch, tokens, width) where it is a token.

    A reading with parameters has a part of φ: they lie in the head, under ``head.reading``.
    """

    name: ClassVar[str]
    unit: ClassVar[Literal["row", "token"]] = "row"
    """What one vector of it stands for."""
    arrays: tuple[str, ...] = ()
    """What it reads of a row besides the network's own arrays; a port of the formulation names each."""
    texts: int = 1
    """How many texts a row holds, each read by itself: hidden states and masks are those of (batch · texts) rows."""
    reads_scores: ClassVar[bool] = False
    """It reads what the network says of tokens: scores over the whole vocabulary."""
    reads_last: ClassVar[bool] = True
    """It reads the state of a row's last token; what follows a token is read in the state before it, and the last needs none."""
    is_stored: bool = True
    """What it gives of fixed hidden states is fixed and small, so that it is computed once a row and kept on disk."""

    def width(self, spec: BackboneSpec) -> int:
        """Return the elements of what is read for one unit."""
        return spec.width

    @property
    def below(self) -> Reading | None:
        """What of it is kept on disk, where `completed` adds to that what φ makes of a row's own arrays; None for all others."""
        return None

    def completed(self, read: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the head is given of what the reading below gave.

        :param batch: the `arrays` of the rows, padded.
        """
        return read

    @abstractmethod
    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the head is given.

        :param network: whose hidden states they are.
        :param hidden: (batch, tokens, width).
        :param batch: the rows, padded.
        """


class Pooled(Reading):
    """One vector a row, (batch, width), as the backbone pools, or the classifier that an adaptation put there."""

    name = "pooled"

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        mask = batch[network.output_mask]
        if network.pooler is not None:
            read: Tensor = network.pooler(hidden, mask)
            return read
        return pool(hidden, mask, network.spec.pooling, is_normalised=network.spec.is_normalised)


class Tokens(Reading):
    """The last hidden states as they are, (batch, tokens, width)."""

    name = "tokens"
    unit = "token"

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        if network.pooler is None:
            return hidden
        read: Tensor = network.pooler(hidden, batch[network.output_mask])
        return read


class Places(Reading):
    """The states at given places of the row, one beside the other, (batch, count · width).

    The formulation's rows hold the places in an array of its own, (count,): where a marked span begins, as in Baldini
    Soares et al. 2019, section 3.2 (entity markers, entity start), or where a mask stands.

    :param count: how many places.
    :param array: what that array is called.
    """

    name = "places"

    def __init__(self, count: int, array: str = "places") -> None:
        super().__init__()
        self.count, self.array = count, array
        self.arrays = (array,)

    def width(self, spec: BackboneSpec) -> int:
        """Return count · the network's width.

        :raises NotSupported: for an encoder-decoder, whose last states are at places of what it writes.
        """
        if spec.architecture == "encoder-decoder":
            raise NotSupported(
                f"{spec.reference!r} has its last states where it writes, and none at places of the text.",
                do="choose an encoder such as minilm.",
            )
        return self.count * spec.width

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        places = batch[self.array][:, :, None].expand(-1, -1, hidden.shape[-1])  # (batch, count, width)
        return hidden.gather(1, places).flatten(1)


class Spans(Places):
    """The mean state of each of a row's spans, one beside the other, (batch, count · width); zeros where one is empty.

    The formulation's rows hold 2 · count places: those after which the spans begin, and then those before which they end.

    :param count: how many spans.
    :param array: what the array of places is called.
    """

    name = "spans"

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        first, last = batch[self.array][:, :, None].chunk(2, 1)  # (batch, count, 1)
        where = torch.arange(hidden.shape[1], device=hidden.device)
        inside = ((where > first) & (where < last)).to(hidden.dtype)  # (batch, count, tokens)
        return (inside @ hidden / inside.sum(-1, keepdim=True).clamp(min=1)).flatten(1)


class Beside(Reading):
    """What several readings of a row give, one beside the other, (batch, sum of their widths).

    :param parts: each gives one vector a row.
    """

    name = "beside"

    def __init__(self, *parts: Reading) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.arrays = tuple(dict.fromkeys(name for part in parts for name in part.arrays))
        self.is_stored = all(part.is_stored for part in parts)

    def width(self, spec: BackboneSpec) -> int:
        """Return what all of them give together."""
        return sum(part.width(spec) for part in self._readings)

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([part(network, hidden, batch) for part in self._readings], -1)

    @property
    def _readings(self) -> list[Reading]:
        return [part for part in self.parts if isinstance(part, Reading)]


class Stacked(Reading):
    """The vectors of a row's texts, each read by itself, joined: (batch · texts, width) → what `join` gives.

    Texts are read in whatever rows they stand in, so that stored features of one serve all of them.

    :param texts: how many a row holds.
    :param each: how each is read, one vector a text.
    """

    def __init__(self, texts: int, each: Reading | None = None) -> None:
        super().__init__()
        self.texts = texts
        self.each = Pooled() if each is None else each
        self.is_stored = self.each.is_stored

    @abstractmethod
    def join(self, vectors: Tensor) -> Tensor:
        """Return what the head is given, (batch, width), from the vectors of each row's texts, (batch, texts, width)."""

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return self.join(self.each(network, hidden, batch).unflatten(0, (-1, self.texts)))


class Vectors(Stacked):
    """The texts' vectors as they are, (batch, texts, width): for heads that compare them, by cosine say."""

    name = "vectors"

    def join(self, vectors: Tensor) -> Tensor:
        return vectors


class Paired(Stacked):
    """Two texts' vectors and how they differ, [u; v; |u − v|; u · v] (Conneau et al. 2017, section 3.2).

    :param is_symmetric: [u + v; |u − v|; u · v], which is the same to the bit whichever text comes first.
    """

    name = "paired"

    def __init__(self, is_symmetric: bool = False, each: Reading | None = None) -> None:
        super().__init__(2, each)
        self.is_symmetric = is_symmetric

    def width(self, spec: BackboneSpec) -> int:
        """Return three or four times the width of one text's vector."""
        return (3 if self.is_symmetric else 4) * self.each.width(spec)

    def join(self, vectors: Tensor) -> Tensor:
        one, other = vectors.unbind(1)  # (batch, width) each
        beside = [one + other] if self.is_symmetric else [one, other]
        return torch.cat([*beside, (one - other).abs(), one * other], -1)


class Numbered(Reading):
    """What another reading gives, and beside it numbers that stand in the row, (batch, width + count): zeros where it has none.

    For what is counted in the texts and no vector tells: how many of a question's words stand in an answer.

    :param of: one vector a row.
    :param array: of the row, (count,), or a number alone.
    """

    name = "numbered"

    def __init__(self, of: Reading, array: str, count: int = 1) -> None:
        super().__init__()
        self.of, self.array, self.count = of, array, count
        self.texts, self.is_stored, self.arrays = of.texts, of.is_stored, (*of.arrays, array)

    def width(self, spec: BackboneSpec) -> int:
        """Return what the other reading gives, and the numbers."""
        return self.of.width(spec) + self.count

    @property
    def below(self) -> Reading:
        return self.of

    def completed(self, read: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        numbers = batch.get(self.array)  # no size is read here: a traced graph would keep it
        if numbers is None:
            numbers = torch.zeros_like(read[:, :1]).expand(-1, self.count)
        return torch.cat([read, numbers[:, None] if numbers.ndim == 1 else numbers], -1)

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return self.completed(self.of(network, hidden, batch), batch)


class AttentionPooling(Reading):
    """One vector a row: a weighted mean of its states, whose weights are learned (Yang et al. 2016, section 2.2).

    Each state's score is its product with one vector; that begins at zero, where the mean is the plain one.

    :param width: of the hidden states.
    """

    name = "attention"
    is_stored = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        mask = batch[network.output_mask].bool()  # (batch, tokens)
        scores = (hidden @ self.query).masked_fill(~mask, torch.finfo(hidden.dtype).min)
        weights = scores.softmax(-1) * mask  # a row without tokens has none
        return (hidden * weights[..., None]).sum(1)


class Logits(Reading):
    """The network's scores of the next token at each place, (batch, tokens, vocabulary)."""

    name = "logits"
    unit = "token"
    reads_scores = True
    is_stored = False

    def width(self, spec: BackboneSpec) -> int:
        """Return the size of the vocabulary."""
        return spec.vocabulary

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return network.logits(hidden)


class Likelihood(Reading):
    """The log-probability of each token of the row after those before it, (batch, tokens); 0 where it is not scored.

    The formulation's rows hold ``scored`` (tokens,), 1 where a token counts. Scores over the whole vocabulary are made
    for those places alone: a prompt of 500 tokens before a label of two costs two of them. Where an engine computes once what
    rows share, it says in ``states`` (batch, tokens) which of their states are one, and those have their scores made once.
    """

    name = "likelihood"
    unit = "token"
    arrays = ("scored",)
    reads_scores = True
    reads_last = False
    is_stored = False

    def width(self, spec: BackboneSpec) -> int:
        """Return 1: a number a token."""
        return 1

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        ids, places = batch[network.written], batch["scored"][:, 1:].bool()  # one place's scores are about the next token
        if is_tracing():  # a graph has no use for places that only the values know
            spoken = torch.log_softmax(network.logits(hidden[:, :-1]), -1)
            chosen = spoken.gather(-1, ids[:, 1:, None]).squeeze(-1) * places
        else:
            states, same = _distinct(hidden[:, :-1][places], batch, places)
            logits = network.logits(states).float()  # (distinct states, vocabulary): sums over all words are no narrow numbers
            right = logits[same, ids[:, 1:][places]] - logits.logsumexp(-1)[same]  # (scored tokens,)
            chosen = torch.zeros(places.shape, dtype=right.dtype, device=right.device).masked_scatter(places, right)
        return nn.functional.pad(chosen, (1, 0))


def _distinct(states: Tensor, batch: Mapping[str, Tensor], places: Tensor) -> tuple[Tensor, Tensor]:
    """Return states without those that are one, (distinct, width), and which of them each was, (scored tokens,)."""
    if "states" not in batch:
        return states, torch.arange(len(states), device=states.device)
    numbers, same = torch.unique(batch["states"][:, :-1][places], return_inverse=True)
    one = torch.empty_like(numbers).scatter_(0, same, torch.arange(len(same), device=same.device))
    return states[one], same
