"""BERT and its kin, as steps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.attending import attends
from functory_sdk.torch.network import Context, Network, State, padding_mask
from functory_sdk.torch.unpadding import Unpadded


class BertStack(Network):
    """BERT and its kin (Devlin et al. 2019; Liu et al. 2019): the norm comes last in each layer, none at the end.

    :param embeddings: ids, and token types where the family has them → hidden states.
    :param layers: each maps hidden states and a mask to hidden states.
    :param project: between the two, where their widths differ (ELECTRA, Clark et al. 2020).
    """

    def __init__(
        self, spec: BackboneSpec, embeddings: nn.Module, layers: nn.ModuleList, project: nn.Module | None = None
    ) -> None:
        super().__init__(spec)
        self.embeddings = embeddings
        self.layers = layers
        self.project = project
        self.unpads = attends(layers)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = padding_mask(batch["attention_mask"])
        unpadded = Unpadded.of(batch["attention_mask"]) if self.unpads else None
        return {
            "mask": mask if unpadded is None or mask is None else unpadded.seen(mask),
            "unpadded": unpadded,
            "ids": batch["input_ids"],
            "types": batch.get("token_type_ids"),
        }

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            types = {"token_type_ids": context["types"]} if context["types"] is not None else {}
            hidden = self.embeddings(input_ids=context["ids"], **types)
            return {"hidden": hidden if self.project is None else self.project(hidden)}
        if index == self.points - 1:
            return state
        return {"hidden": self.layers[index - 1](state["hidden"], context["mask"])}
