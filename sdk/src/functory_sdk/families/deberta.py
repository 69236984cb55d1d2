"""DeBERTa v2 and v3: an encoder that tells what a token is from where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Classifier, Family, Json

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class DebertaV2(Family):
    """DeBERTa v2 and v3: relative positions are attended to apart from contents."""

    paper: ClassVar[str] = "He et al. 2021, DeBERTa (arXiv 2006.03654); He et al. 2021, DeBERTaV3 (arXiv 2111.09543)"
    base = "deberta"
    attention = "eager"
    masked: ClassVar[Sequence[str]] = ("cls.predictions.", "lm_predictions.")
    classifiers = {
        "text": Classifier("first", "classifier", "pooler.dense", ":pooler_hidden_act"),
        "token": Classifier("each", "classifier"),
    }

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers DebertaV2Model
        from functory_sdk.torch.stacks.deberta import DebertaStack

        return DebertaStack(spec, model)

    def has_token_types(self, config: Json) -> bool:
        given = config.get("type_vocab_size", 0)  # transformers' own default
        return isinstance(given, int) and given > 1
