"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from functory_marian_tiny.convert import EN_PT, PT_EN
from functory_sdk import BackboneSpec, PackedBackbone, PackedOptions, PackedWeights
from functory_sdk.facts import Facts

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class _MarianTiny(PackedBackbone[PackedOptions]):
    """What both directions have in common."""

    paper: ClassVar[str] = "Kim et al. 2019, From Research to Production and Back: Ludicrously Fast Neural Machine Translation"
    family: ClassVar[str] = "marian-ssru"

    def read_spec(self) -> BackboneSpec:
        facts = Facts(self.folder)
        return BackboneSpec(
            **self.read_facts(),
            architecture="encoder-decoder",
            decoder_layers=facts.decoder_layers,
            end_ids=facts.end_ids,
            start_id=facts.start_id,
            has_logits=True,
            pooling="last",
            languages=self.declared().languages,
            licence="NOASSERTION",  # as SPDX says it: the package is MIT, and of its weights nobody says a licence
        )

    def load_network(self) -> Network:
        from functory_marian_tiny.model import load_network

        return load_network(self.folder, self.spec)


class EnglishToPortuguese(_MarianTiny):
    """A tiny Marian that translates English into Brazilian Portuguese; the licence of its weights is not stated."""

    weights: ClassVar[PackedWeights] = EN_PT
    examples: ClassVar[tuple[str, ...]] = ("functory build --task translation --backbone marian-tiny-en-pt",)


class PortugueseToEnglish(_MarianTiny):
    """A tiny Marian that translates Portuguese into English; the licence of its weights is not stated."""

    weights: ClassVar[PackedWeights] = PT_EN
    examples: ClassVar[tuple[str, ...]] = ("functory build --task translation --backbone marian-tiny-pt-en",)
