"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from functory_e5.convert import WEIGHTS
from functory_sdk import BackboneSpec, PackedBackbone, PackedOptions, PackedWeights

if TYPE_CHECKING:
    from functory_sdk.torch import Network


PREFIXES = {"query": "query: ", "passage": "passage: "}
"""What the model was trained to read before a text that asks, and before one that is searched (the paper's section 2)."""


class E5Options(PackedOptions):
    """Options of the E5 backbone."""

    prefix: str = Field(
        "",
        description="Put before each text that has no role of its own; the model was trained with 'query: ' and 'passage: ', "
        "and texts of these roles always get theirs.",
    )


class E5(PackedBackbone[E5Options]):
    """multilingual-e5-small: a BERT of 12 layers, 384 wide, for Chinese, English and many more languages."""

    paper: ClassVar[str] = "Wang et al. 2024, Multilingual E5 Text Embeddings (arXiv 2402.05672)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone e5",
    )
    weights: ClassVar[PackedWeights] = WEIGHTS
    family: ClassVar[str] = "bert"

    def read_spec(self) -> BackboneSpec:
        return BackboneSpec(  # the mean, normalised: section 2 of the paper, and the model's card
            **self.read_facts(),
            architecture="encoder",
            pooling="mean",
            is_normalised=True,
            prefixes={"": self.options.prefix, **PREFIXES},
            languages=self.declared().languages,  # those of XLM-R's training texts, which it was begun from
            licence="MIT",
        )

    def load_network(self) -> Network:
        from functory_e5.model import load_network

        return load_network(self.folder, self.spec)
