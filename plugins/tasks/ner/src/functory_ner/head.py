"""The head that scores spans whole, and its loss. Torch.

Each token is seen twice, as the first of a span and as its last, and a bilinear map says what the two make together
(Dozat and Manning 2017, section 2.2; for entities Yu et al. 2020, section 3). Spans of more tokens than the longest entity
are not scored, so that memory grows with the text and not with its square.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from functory_ner.types import NERLabels
from functory_sdk import BackboneSpec
from functory_sdk.spans.tagging import IGNORED
from functory_sdk.torch import Head, Tokens

SIZE = 128
"""The width in which a token is seen as first and as last; 150 in the paper."""
RARE = 4.0
"""By how much none leads each type, as log-odds, where nothing is learned: nearly all spans are none."""
HIDDEN = -100.0
"""The log-probability of a type where there is no span."""


class SpanHead(Head):
    """The log-probability of each kind, none being the first, for each span: by its first token and its width."""

    is_surprise: ClassVar[bool] = True

    def __init__(self, spec: BackboneSpec, state: NERLabels) -> None:
        super().__init__(spec, state, Tokens())
        self.names, self.widest = state.kinds, state.widest
        width, kinds = self.reading.width(spec), len(state.kinds)
        self.first, self.last = nn.Linear(width, SIZE), nn.Linear(width, SIZE)
        self.both = nn.Linear(SIZE, kinds * SIZE, bias=False)
        self.begun, self.ended = nn.Linear(SIZE, kinds), nn.Linear(SIZE, kinds, bias=False)
        with torch.no_grad():
            self.begun.bias.zero_()
            self.begun.bias[0] = RARE

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``scores``, (batch, tokens, widest, kinds); a span that ends at no token of the text is none."""
        seen = self.dropout(features)
        first, last = (self.dropout(F.gelu(side(seen))) for side in (self.first, self.last))  # (batch, tokens, size)
        maps = self.both(first).unflatten(-1, (len(self.names), SIZE))  # (batch, tokens, kinds, size)
        joint = maps.flatten(1, 2) @ last.transpose(1, 2) + self._alone(first, last)  # (batch, tokens · kinds, tokens)
        ends, is_there = self._ends(batch["spoken"])
        joint = joint.unflatten(1, (-1, len(self.names)))  # (batch, tokens, kinds, tokens)
        near = joint.gather(-1, ends[:, :, None].expand(-1, -1, len(self.names), -1))  # (batch, tokens, kinds, widest)
        shares = F.log_softmax(near, 2).transpose(2, 3)
        is_none = torch.arange(len(self.names), device=shares.device) == 0
        return {"scores": torch.where(is_there[..., None], shares, torch.where(is_none, 0.0, HIDDEN))}

    def _alone(self, first: Tensor, last: Tensor) -> Tensor:
        """Return what each end says by itself, (batch, tokens · kinds, tokens)."""
        begun, ended = self.begun(first), self.ended(last)  # (batch, tokens, kinds)
        both: Tensor = begun.unsqueeze(-1) + ended.transpose(1, 2).unsqueeze(1)  # (batch, tokens, kinds, tokens)
        return both.flatten(1, 2)

    def _ends(self, spoken: Tensor) -> tuple[Tensor, Tensor]:
        """Return where spans of each width end, and whether a token of the text stands there, (batch, tokens, widest) both."""
        count = spoken.shape[1]
        tokens, widths = (torch.arange(size, device=spoken.device) for size in (count, self.widest))
        wanted = tokens[:, None] + widths
        ends = wanted.clamp(max=count - 1)[None].expand(spoken.shape[0], -1, -1)
        said = spoken[:, None].expand(-1, count, -1).gather(-1, ends)
        return ends, (said > 0) & (wanted < count)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of each span that the text has, (spans,), and a weight of 1."""
        counted = batch["gold"] != IGNORED  # (batch, tokens, widest)
        losses = F.nll_loss(outputs["scores"][counted], batch["gold"][counted], reduction="none")
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        return -outputs["scores"][batch["gold"] != IGNORED].mean(-1)

    def classes(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The kind of each span."""
        return batch["gold"][batch["gold"] != IGNORED]
