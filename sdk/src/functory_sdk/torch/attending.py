"""Attention of tokens that are read after others: what all rows begin with is looked at in one product, and several batches may
be read in one pass, each looking at its own.

Apart from the architectures (`stacks`), whose layers hand on what `Seen` is: this project's own, and transformers', which ask for
it by a name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

NAME = "functory"
"""As transformers' layers know it, among "sdpa" and others."""


class Sight(ABC):
    """What the tokens of a pass see, which layers take for a mask and hand on."""

    @abstractmethod
    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, *, scaling: float, dropout: float = 0.0
    ) -> Tensor:
        """Return what each token sees, (rows, tokens, heads, width), from arrays of (rows, heads, tokens, width)."""


class Attending(nn.Module):
    """Attention of several heads of one width (Vaswani et al. 2017, section 3.2.2), by a mask or a `Sight`.

    A class of it makes queries, keys and values, and has a ``dropout`` of what is looked at.
    """

    dropout: nn.Dropout

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def attended(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return what each token sees, (rows, tokens, width), from arrays of (rows, tokens, width).

        :param mask: (rows, 1, 1 or tokens, tokens) bool, where it is a tensor.
        """
        width = query.shape[-1] // self.heads
        query, key, value = (
            array.view(array.shape[0], array.shape[1], self.heads, width).transpose(1, 2) for array in (query, key, value)
        )
        scale, dropout = width**-0.5, self.dropout.p if self.training else 0.0
        if isinstance(mask, Sight):
            return mask.attend(self, query, key, value, scaling=scale, dropout=dropout).flatten(2)
        return scaled(query, key, value, mask, scaling=scale, dropout=dropout).flatten(2)


@dataclass(frozen=True)
class Part:
    """Rows of a pass that look at what was kept of them.

    :param mask: (rows, 1, new, places) bool: what each new token sees of the places that are each row's own.
    :param kept: `Kept.layers`.
    """

    mask: Tensor
    kept: Any  # Any: a transformers cache

    def attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Return what new tokens see, (rows, new, heads, width), and append their keys and values, (rows, heads, new, width)."""
        key, value = self.kept.update(key, value, module.layer_idx)
        shared = _shared(self.kept, module.layer_idx)
        if shared is not None:
            return _after_shared(query, key, value, self._unseen, shared, scale)
        if query.shape[2] == 1 and query.device.type == "cpu":
            return _of_one(query, key, value, self._unseen, scale)
        return attention(module, query, key, value, self.mask, scaling=scale)

    @cached_property
    def _unseen(self) -> Tensor:
        """What is added to the scores of each place, (rows, 1, new, places), of all layers: 0 or −∞."""
        return torch.zeros(self.mask.shape, device=self.mask.device).masked_fill_(~self.mask, -torch.inf)


@dataclass(frozen=True)
class Seen(Sight):
    """What tokens that are read after others see.

    :param parts: one, whose rows are the pass's; or several, whose tokens stand one after the other in its only row.
    """

    parts: tuple[Part, ...]

    @staticmethod
    def together(several: Sequence[Seen]) -> Seen:
        """Return what is seen in a pass of several."""
        return Seen(tuple(part for one in several for part in one.parts))

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, *, scaling: float, dropout: float = 0.0
    ) -> Tensor:
        if len(self.parts) == 1:
            return self.parts[0].attend(module, query, key, value, scaling)
        made, first = [], 0
        for part in self.parts:
            rows, _, new, _ = part.mask.shape
            asked, keys, values = (_rows(array, first, rows, new) for array in (query, key, value))
            made.append(part.attend(module, asked, keys, values, scaling).flatten(0, 1))
            first += rows * new
        return torch.cat(made)[None]


def attends(layers: nn.Module) -> bool:
    """Have layers take a `Sight` for a mask, as `Attending` does. Of transformers' layers those do that compute scaled
    dot-product attention, and with tensors still do; others stay as they are.

    :return: whether there are layers that do.
    """
    changed: dict[int, Any] = {}
    for module in layers.modules():
        config: Any = getattr(module, "config", None)
        if getattr(config, "_attn_implementation", None) in ("sdpa", NAME):
            module.config = changed.setdefault(id(config), copy(config))  # the model's own stays as it is
    if not changed:
        return any(isinstance(module, Attending) for module in layers.modules())
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
    for config in changed.values():
        config._attn_implementation = NAME
    return True


def shared_places(kept: Any) -> int:  # Any: a transformers cache
    """Return how many places all rows of what is kept begin with that are kept once."""
    shared = _shared(kept, 0) if len(kept.layers) else None
    return 0 if shared is None else shared[0].shape[2]


def _shared(kept: Any, layer: int) -> tuple[Tensor, Tensor] | None:
    found: tuple[Tensor, Tensor] | None = getattr(kept.layers[layer], "shared", None)
    return found


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | Sight | None, *given: Any, **how: Any
) -> tuple[Tensor, None]:  # Any: transformers' own protocol
    if isinstance(attention_mask, Sight):
        dropout = how.get("dropout", 0.0)
        return attention_mask.attend(module, query, key, value, scaling=how["scaling"], dropout=dropout), None
    return attention(module, query, key, value, attention_mask, *given, **how), None


def scaled(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, scaling: float, dropout: float = 0.0
) -> Tensor:
    """Return scaled dot-product attention of tokens that see whatever the mask does not hide, (rows, tokens, heads, width), from
    arrays of (rows, heads, tokens, width).
    """
    found = functional.scaled_dot_product_attention(query, key, value, mask, dropout, scale=scaling)
    return found.transpose(1, 2).contiguous()


def attention(module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *given: Any, **how: Any) -> Tensor:
    """Return scaled dot-product attention as transformers computes it, (rows, tokens, heads, width), from arrays of (rows, heads,
    tokens, width).
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    found: Tensor = sdpa_attention_forward(module, query, key, value, mask, *given, **how)[0]
    return found


def _rows(array: Tensor, first: int, rows: int, new: int) -> Tensor:
    """Return the tokens of a part, (rows, heads, new, width), from those of all, (1, heads, tokens, width)."""
    heads, width = array.shape[1], array.shape[3]
    return array[0, :, first : first + rows * new].view(heads, rows, new, width).transpose(0, 1)


def _of_one(query: Tensor, key: Tensor, value: Tensor, unseen: Tensor, scale: float) -> Tensor:
    """Return attention of one new token of each row. Heads that have keys in common are rows of one product: torch's own kernel,
    which is made for many tokens, takes up to half as long again.
    """
    rows, heads, _, width = query.shape
    few = key.shape[1]
    asked, added = query.reshape(rows * few, heads // few, width), unseen.expand(rows, few, 1, -1).flatten(0, 1)
    weights = torch.baddbmm(added, asked, key.flatten(0, 1).transpose(1, 2), alpha=scale).softmax(-1)
    return torch.bmm(weights, value.flatten(0, 1)).view(rows, heads, 1, width).transpose(1, 2)


def _after_shared(
    query: Tensor, key: Tensor, value: Tensor, unseen: Tensor, shared: tuple[Tensor, Tensor], scale: float
) -> Tensor:
    """Return attention to what all rows share and to each row's own, as of one softmax. Heads that have keys in common, and for
    what is shared rows too, are rows of one product.

    :param query: (rows, heads, new, width).
    :param key: (rows, fewer heads, places, width); as `value`.
    :param unseen: (rows, 1, new, places): what is added to the scores of each row's own places.
    :param shared: keys and values, (1, fewer heads, shared places, width) both; all of them are seen.
    """
    rows, heads, new, width = query.shape
    few, size = key.shape[1], shared[0].shape[2]
    together = heads // few * new
    asked = (query * scale).reshape(rows * few, together, width)
    of_all = asked.view(rows, few, -1).transpose(0, 1).reshape(few, rows * together, width)
    before = torch.bmm(of_all, shared[0][0].transpose(1, 2)).view(few, rows, together, size).transpose(0, 1)
    added = unseen[:, :, None].expand(rows, few, heads // few, new, -1).reshape(rows * few, together, -1)
    own = torch.baddbmm(added, asked, key.flatten(0, 1).transpose(1, 2)).view(rows, few, together, -1)
    weights = torch.cat([before, own], -1).softmax(-1)
    of_shared = torch.bmm(weights[..., :size].transpose(0, 1).reshape(few, -1, size), shared[1][0])
    found = of_shared.view(few, rows, together, width).transpose(0, 1) + weights[..., size:] @ value
    return found.reshape(rows, heads, new, width).transpose(1, 2)
