"""ModernBERT: an encoder with rotary positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Classifier, Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network

_HEAD = ("classifier", "head.dense", ":classifier_activation", "head.norm")


class ModernBert(Family):
    """ModernBERT: layers that see a window of tokens between those that see all."""

    paper: ClassVar[str] = "Warner et al. 2024, ModernBERT (arXiv 2412.13663)"
    base = "model"
    masked: ClassVar[Sequence[str]] = ("decoder.",)
    classifiers = {"text": Classifier("first", *_HEAD), "token": Classifier("each", *_HEAD), "span": Classifier("each", *_HEAD)}

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers ModernBertModel
        from functory_sdk.torch.stacks.modernbert import ModernBertStack

        return ModernBertStack(spec, model)
