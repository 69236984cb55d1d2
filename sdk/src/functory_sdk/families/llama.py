"""Llama and its kin: decoders with rotary positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Classifier, Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network


_BENT = ("final_logit_softcapping", "attn_logit_softcapping", "use_bidirectional_attention")


class Llama(Family):
    """Llama: every token sees all that stand before it."""

    paper: ClassVar[str] = "Touvron et al. 2023, Llama (arXiv 2302.13971)"
    architecture = "decoder"
    base = "model"
    classifiers = {"text": Classifier("last", "score"), "token": Classifier("each", "score")}
    uncomputed: ClassVar[Sequence[str]] = ("sliding_window", *_BENT)
    """Over a window transformers' own network passes, its cache does not."""

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers LlamaForCausalLM, or LlamaModel
        from functory_sdk.torch.stacks.llama import LlamaStack

        cap = None if "final_logit_softcapping" in self.uncomputed else model.config.final_logit_softcapping
        return LlamaStack(spec, model.base_model, getattr(model, "lm_head", None), cap)


class Mistral(Llama):
    """Mistral: a Llama whose tokens see a window of those before them."""

    paper: ClassVar[str] = "Jiang et al. 2023, Mistral 7B (arXiv 2310.06825)"
    uncomputed: ClassVar[Sequence[str]] = _BENT


class Qwen(Llama):
    """Qwen 2 and 3: a Llama with biases (2) or norms of queries and keys (3), some of whose layers may see a window."""

    paper: ClassVar[str] = "Yang et al. 2024, Qwen2 (arXiv 2407.10671); Yang et al. 2025, Qwen3 (arXiv 2505.09388)"
    uncomputed: ClassVar[Sequence[str]] = _BENT


class Gemma(Llama):
    """Gemma: a Llama whose embeddings are scaled, and score tokens too."""

    paper: ClassVar[str] = "Gemma Team 2024, Gemma (arXiv 2403.08295)"
    is_tied = True


class Gemma2(Gemma):
    """Gemma 2: layers that see a window between those that see all; scores of attention and of tokens are bent below a cap."""

    paper: ClassVar[str] = "Gemma Team 2024, Gemma 2 (arXiv 2408.00118)"
    attention = "eager"  # sdpa bends no scores
    uncomputed: ClassVar[Sequence[str]] = ("use_bidirectional_attention",)


class Gemma3(Gemma):
    """Gemma 3's texts: two sorts of rotary positions, norms of queries and keys."""

    paper: ClassVar[str] = "Gemma Team 2025, Gemma 3 (arXiv 2503.19786)"
    uncomputed: ClassVar[Sequence[str]] = ("use_bidirectional_attention", "attn_logit_softcapping")
