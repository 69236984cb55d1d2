"""Llama and its kin, as steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.attending import Part, Seen, attends, shared_places
from functory_sdk.torch.network import Context, Network, State, additive, causal_mask, positions_of, resumed
from functory_sdk.torch.stacks.rotary import FULL, SLIDING, angles_of


class LlamaStack(Network):
    """Llama and its kin (Touvron et al. 2023): rotary positions, causal attention, a norm at the end.

    :param model: the transformers model without its token scores.
    :param scores: the map from hidden states to token scores; None where the checkpoint has none.
    :param cap: below which token scores are bent (Gemma 2); None where they are as they come.
    """

    has_branches = True

    def __init__(  # Any: a transformers LlamaModel
        self, spec: BackboneSpec, model: Any, scores: nn.Module | None, cap: float | None = None
    ) -> None:
        super().__init__(spec)
        self.model: Any = model
        self.scores = scores
        self._cap = cap
        self._is_eager = model.config._attn_implementation == "eager"  # adds a mask, and does not choose by it
        self._window = getattr(model.config, "sliding_window", None)
        default = FULL if self._window is None else SLIDING  # Mistral has one kind and no list of them
        self._kinds = tuple(getattr(model.config, "layer_types", None) or [default] * spec.layers)
        self.reads_together = not self._is_eager
        self.shares_beginnings = not self._is_eager and set(self._kinds) == {FULL}
        attends(model.layers)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.model.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        masks = self._masks(mask, batch.get("positions"), batch.get("ends"))
        positions = batch.get("positions", positions_of(mask))
        return {"ids": batch["input_ids"], "positions": positions} | masks | angles_of(self.model, positions, self._kinds)

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        positions, ends = resumed(ids, mask, batch, shared_places(kept))
        masks, own = self._masks(mask, positions, ends, ids.shape[1]), positions[:, -ids.shape[1] :]
        context = {"ids": ids, "positions": own} | angles_of(self.model, own, self._kinds)
        if self._is_eager:
            return context | masks | {"kept": kept}
        return context | {kind: Seen((Part(seen, kept),)) for kind, seen in masks.items()}

    def together(self, contexts: Sequence[Context]) -> Context:
        seen = {kind: Seen.together([one[kind] for one in contexts]) for kind in dict.fromkeys(self._kinds)}
        angles = [name for name in contexts[0] if name.startswith(("cos ", "sin "))]
        flat = {name: torch.cat([one[name].flatten(0, 1) for one in contexts])[None] for name in ("positions", *angles)}
        return flat | seen

    def _masks(self, mask: Tensor, *how: Any) -> Context:
        """Return the mask of each kind of layer; see `causal_mask`."""
        windows = {FULL: None, SLIDING: self._window}
        masks = {kind: causal_mask(mask, windows[kind], *how) for kind in dict.fromkeys(self._kinds)}
        return {kind: additive(seen) if self._is_eager else seen for kind, seen in masks.items()}

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.embed_tokens(context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.model.norm(state["hidden"])}
        kind = self._kinds[index - 1]
        hidden = self.model.layers[index - 1](
            state["hidden"],
            attention_mask=context[kind],
            position_ids=context["positions"],
            past_key_values=context.get("kept"),
            position_embeddings=(context[f"cos {kind}"], context[f"sin {kind}"]),
        )
        return {"hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        if self.scores is None:
            return super().logits(hidden)
        scores: Tensor = self.scores(hidden)
        return scores if self._cap is None else self._cap * torch.tanh(scores / self._cap)
