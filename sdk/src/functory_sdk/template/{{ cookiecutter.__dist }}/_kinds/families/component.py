"""The contract: what config.json tells of the architecture, and how its network is taken apart.

Nothing imports torch but what `network` and `model` call. Replace BERT's parts by your own; where transformers is to make
the model, leave `model` out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from functory_sdk import BackboneSpec, Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class {{ cookiecutter.__class }}(Family):
    """BERT under another name: everything runs, nothing is new yet."""

    def network(self, spec: BackboneSpec, model: Any) -> Network:
        from functory_sdk.torch.stacks.bert import BertStack

        return BertStack(spec, model.embeddings, model.encoder.layer)

    def model(self, config: Mapping[str, Any]) -> Any:
        from functory_sdk.families.bert import Bert

        return Bert().model(config)
