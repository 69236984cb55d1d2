"""Updates go where the options say, and nowhere else."""

from __future__ import annotations

import pytest

from functory_lora import LoRA
from functory_lora.layers import chosen
from functory_sdk import NotSupported
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder
from functory_sdk.torch import structural_copy


def test_attention_means_the_maps_of_attention_in_every_family() -> None:
    options = LoRA.Options(targets="attention")
    encoder = {name.rpartition("attention.")[2] for name in chosen(TinyEncoder().network, options)}
    decoder = {name.rpartition(".")[2] for name in chosen(TinyDecoder().network, options)}
    assert encoder == {"self.query", "self.key", "self.value", "output.dense"}
    assert decoder == {"q_proj", "k_proj", "v_proj", "o_proj"}


def test_the_top_layers_alone_are_touched_and_the_cut_lies_below_them() -> None:
    backbone, lora = TinyEncoder(), LoRA(LoRA.Options(layers=1, targets=("query",)))
    network = structural_copy(backbone.network)
    lora.attach(network)
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert len(trained) == 2
    assert all("layers.2." in name for name in trained)
    assert lora.cut(backbone.spec) == 3
    assert LoRA().cut(backbone.spec) == 0
    assert not any("lora" in name for name, _ in backbone.network.named_parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [({"targets": ("gate",)}, "no map of .* is named"), ({"layers": 4}, "has 3 layers; the option asks for the top 4")],
)
def test_what_is_not_there_is_answered_with_what_is(options: dict[str, object], message: str) -> None:
    with pytest.raises(NotSupported, match=message) as caught:
        LoRA(LoRA.Options(**options)).attach(structural_copy(TinyEncoder().network))
    assert "query" in caught.value.do or "between 1 and 3" in caught.value.do
