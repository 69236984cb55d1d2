"""A network that can be cut: the same forward pass, in one piece or in two with a store between.

Apart from the architectures (`stacks`), which only say what one step does.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory.errors import NotSupported
from functory_sdk.readouts import Readout
from functory_sdk.torch.pooling import Pooler

State = dict[str, Tensor]
"""What flows between steps: ``hidden`` (batch, tokens, width), and for an encoder-decoder ``memory``."""
Context = dict[str, Any]  # Any: a tensor, None, or the keys and values that are kept
"""What every step may need and the batch alone decides: masks, rotary angles. Never stored."""


@dataclass(frozen=True)
class Origin:
    """The transformers model that a network was made from, or computes the same as: how others name what an adaptation touches.

    :param model: the model's class: ``LlamaForCausalLM``.
    :param base: by what name a model with a head holds the one without: ``model`` in ``LlamaForCausalLM``.
    :param is_base: whether this is the model without.
    :param blocks: the path of each layer in the network → its path in the model without a head.
    """

    model: str
    base: str
    is_base: bool
    blocks: Mapping[str, str]

    def theirs(self, path: str) -> str:
        """Return a path inside a layer as the transformers model names it.

        :raises NotSupported: for a path that lies in no layer.
        """
        for own, other in self.blocks.items():
            if path.startswith(f"{own}."):
                return ("" if self.is_base else f"{self.base}.") + other + path[len(own) :]
        raise NotSupported(f"{path!r} lies in no layer.", do=f"the layers are {_ends(self.blocks)}.")

    def ours(self, path: str) -> str:
        """Return a path of the transformers model, or of one with another head, as the network names it.

        :raises NotSupported: for a path that lies in no layer.
        """
        inner = path.removeprefix(f"{self.base}.")
        for own, other in self.blocks.items():
            if inner.startswith(f"{other}."):
                return own + inner[len(other) :]
        raise NotSupported(f"{path!r} lies in no layer.", do=f"the layers are {_ends(self.blocks.values())}.")


def _ends(paths: Iterable[str]) -> str:
    """Return the first and the last of some paths."""
    listed = list(paths)
    return " … ".join(dict.fromkeys([listed[0], listed[-1]])) if listed else "none"


class Network(nn.Module, ABC):
    """A backbone's network as a sequence of steps: embeddings, layers, last norm (twice for two stacks).

    :param spec: the backbone's facts.
    """

    origin: Origin | None = None
    """The transformers model that it is; None where there is none."""
    has_branches: ClassVar[bool] = False
    """A row may hold several ways to go on after one beginning, a tree of tokens: `prepare` reads the arrays ``positions``,
    the place of each written token in a row of its own, and ``ends``, the first place in the row from which it is seen no
    more; so does `resume`, after what all rows begin with. For networks in which no token sees those after it."""
    shares_beginnings: bool = False
    """Whether `resume` lets all rows begin with what is kept once (`Kept.share`)."""
    reads_together: bool = False
    """Whether several batches are read in one pass (`together`): then texts of other lengths are written side by side, none of
    them padded to the longest."""
    unpads: bool = False
    """Whether `prepare` may say, as ``unpadded``, how `run` takes padding out of what the layers compute (`unpadding`)."""
    made_of: str = ""
    """The hash of the files and the code that it was made from; its backbone sets it."""

    def __init__(self, spec: BackboneSpec) -> None:
        super().__init__()
        self.spec = spec
        self.pooler: nn.Module | None = None  # (hidden, mask) → what the head reads

    @property
    def points(self) -> int:
        """The number of steps; cut points are 0 … points."""
        return self.spec.points

    @abstractmethod
    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        """Return what the steps need of a batch besides the state."""

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:  # Any: a transformers cache
        """Return what the steps need of tokens that come after others, whose keys and values are kept: as `prepare`, for the
        steps from the one that reads what is written.

        :param batch: the new tokens (rows, new), and their mask (rows, kept + new): which of all places are real. New tokens
            that branch have ``positions`` and ``ends``, (rows, new) both, which count what is kept too; all of that is seen.
        :param kept: `Kept.layers`, which each layer reads and appends to.
        :raises NotSupported: by networks that write none.
        """
        raise NotSupported(f"{self.spec.reference!r} writes no text.", do="choose a decoder such as smollm2, or a T5.")

    def together(self, contexts: Sequence[Context]) -> Context:
        """Return what the steps after the first need where several batches, each with what `resume` returned for it, are read in
        one pass: the hidden states of all their tokens stand in one row, (1, tokens, width), a batch's rows one after the other.

        :raises NotSupported: by networks that read each in a pass of its own.
        """
        raise NotSupported(
            f"{self.spec.reference!r} reads each batch in a pass of its own.", do="ask its `reads_together` before."
        )

    @abstractmethod
    def step(self, index: int, state: State, context: Context) -> State:
        """Run step `index`, 0 ≤ index < points."""

    @property
    @abstractmethod
    def blocks(self) -> tuple[nn.Module, ...]:
        """The layers in the order of the steps, without embeddings and last norms: what an adaptation injects into."""

    def top(self, layers: int) -> tuple[nn.Module, ...]:
        """Return the top so many layers; all when 0.

        :raises NotSupported: when there are fewer.
        """
        if layers > len(self.blocks):
            raise NotSupported(
                f"{self.spec.reference} has {len(self.blocks)} layers; the option asks for the top {layers}.",
                do=f"set layers between 1 and {len(self.blocks)}, or 0 for all.",
            )
        return self.blocks[-layers:]

    def maps(self, layers: int = 0) -> dict[str, str]:
        """Return the affine maps inside the top so many layers, all when 0: the full name of each, and that within its layer.

        :raises NotSupported: when there are fewer layers.
        """
        touched = {id(block) for block in self.top(layers)}
        return {
            f"{path}.{inner}": inner
            for path, block in self.named_modules()
            if id(block) in touched
            for inner, module in block.named_modules()
            if isinstance(module, nn.Linear)
        }

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores of the next token, (…, vocabulary), from last hidden states (…, width).

        :raises NotSupported: by networks that predict none.
        """
        raise NotSupported(f"{self.spec.reference!r} predicts no tokens.", do="choose a decoder such as smollm2, or a T5.")

    def read_as(self, readout: Readout) -> None:
        """Read the last hidden states as a fine-tuned classifier does, in place of the backbone's own pooling.

        For an adaptation, on its copy: the pooler's parameters are φ.
        """
        self.pooler = Pooler(readout, self.spec.width).train(self.training)

    def run(self, start: int, stop: int, state: State, context: Context) -> State:
        """Run the steps from cut point `start` up to cut point `stop`.

        :param state: empty at point 0.
        """
        unpadded = context.get("unpadded")
        for index in range(start, stop):
            if unpadded is not None and index == max(start, 1):  # embeddings are of padded rows
                state = {name: unpadded.off(array) for name, array in state.items()}
            state = self.step(index, state, context)
        if unpadded is None or stop <= max(start, 1):
            return state
        return {name: unpadded.on(array) for name, array in state.items()}

    def stored(self, point: int) -> dict[str, str]:
        """Return what must be kept of a state at a cut point: name → the axis that varies."""
        if self.spec.architecture != "encoder-decoder":
            return {"hidden": "tokens"}
        return {"memory": "tokens"} if point <= self.encoder_points else {"memory": "tokens", "hidden": "target"}

    @property
    def encoder_points(self) -> int:
        """The cut point after the encoder's last step; for a single stack the last point."""
        return self.points

    def hidden(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the last hidden states, (batch, tokens, width)."""
        return self.run(0, self.points, {}, self.prepare(batch))["hidden"]

    @property
    def written(self) -> str:
        """The name of the array whose next token the network predicts."""
        return "decoder_input_ids" if self.spec.architecture == "encoder-decoder" else "input_ids"

    @property
    def output_mask(self) -> str:
        """The name of the array that says which places of the last hidden states are real."""
        return "decoder_attention_mask" if self.spec.architecture == "encoder-decoder" else "attention_mask"


def is_tracing() -> bool:
    """Whether the network is being turned into a graph, where no branch may depend on values."""
    jit: Any = torch.jit  # its names are not exported to type checkers
    is_exporting = "torch.onnx" in sys.modules and torch.onnx.is_in_onnx_export()  # asking imports it
    return bool(jit.is_tracing()) or torch.compiler.is_compiling() or is_exporting


def padding_mask(mask: Tensor) -> Tensor | None:
    """Return a key mask for attention, (batch, 1, 1, tokens) bool; None where nothing is padded (faster)."""
    if not is_tracing() and bool(mask.all()):
        return None
    return mask.bool()[:, None, None, :]


def window_mask(mask: Tensor, window: int) -> Tensor | None:
    """Return the mask of attention to at most `window` places to either side, (batch, 1, tokens, tokens) bool.

    None where every token sees every other, as in short rows without padding.
    """
    if not is_tracing() and mask.shape[1] <= window + 1 and bool(mask.all()):
        return None
    places = torch.arange(mask.shape[1], device=mask.device)
    apart = places[:, None] - places[None]
    return ((apart.abs() <= window) & mask.bool()[:, None, None, :]) | (apart == 0)


def positions_of(mask: Tensor) -> Tensor:
    """Return the places of tokens that stand one after the other, (1, tokens)."""
    return torch.arange(mask.shape[1], device=mask.device)[None]


def positions_in(mask: Tensor) -> Tensor:
    """Return the places of tokens in texts that have padding in them, (rows, tokens): padding is not counted."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def resumed(ids: Tensor, mask: Tensor, batch: Mapping[str, Tensor], shared: int = 0) -> tuple[Tensor, Tensor | None]:
    """Return positions and ends, (rows, kept + new), of tokens of which the last come after others that are kept.

    :param ids: the new tokens, (rows, new).
    :param mask: (rows, kept + new).
    :param batch: of `Network.resume`; ends are None where no row branches.
    :param shared: how many tokens all rows begin with besides, which the mask does not count.
    """
    positions, new = positions_in(mask) + shared, ids.shape[1]
    if "ends" not in batch:
        return positions, None
    ends = torch.full_like(positions[:, :-new], mask.shape[1])  # what is kept is seen by all
    return torch.cat([positions[:, :-new], batch["positions"]], 1), torch.cat([ends, batch["ends"]], 1)


def causal_mask(
    mask: Tensor, window: int | None = None, positions: Tensor | None = None, ends: Tensor | None = None,
    new: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the mask of causal attention, (batch, 1, new, tokens) bool; padding is never looked at.

    :param window: each token sees itself and the window − 1 tokens before it; all of them when None.
    :param positions: (batch, tokens) of rows that branch, or have padding between their tokens.
    :param ends: (batch, tokens) likewise: from which place on each token is seen no more.
    :param new: how many of the last tokens look; all of them when None.
    """
    places, first = torch.arange(mask.shape[1], device=mask.device), 0 if new is None else mask.shape[1] - new
    order = places[first:, None] - places[None]
    apart = order if positions is None else (positions[:, first:, None] - positions[:, None])[:, None]
    seen = (apart >= 0) if window is None else (apart >= 0) & (apart < window)
    if ends is not None:
        seen = seen & (order >= 0) & (places[first:, None] < ends[:, None])[:, None]
    # A padded query may look at itself, or its softmax would have nothing to sum over.
    return (seen & mask.bool()[:, None, None, :]) | (order == 0)


def additive(seen: Tensor) -> Tensor:
    """Return a mask of what is seen as what is added to attention's scores: nothing, or as little as a number can be."""
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, torch.finfo(torch.float32).min)
