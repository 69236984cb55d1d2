"""BART and its kin, which translate and summarise: an encoder and a decoder with learned or computed positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Family, Json

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class Bart(Family):
    """BART: positions that are learned, a norm after the embeddings and after each part of a layer.

    Layers are never left out in training (``layerdrop``): a run would not be repeated by its seed on other engines.
    """

    paper: ClassVar[str] = "Lewis et al. 2020, BART (arXiv 1910.13461)"
    architecture = "encoder-decoder"
    base = "model"
    is_tied = True
    keys = {
        "width": ("d_model",),
        "layers": ("encoder_layers",),
        "decoder_layers": ("decoder_layers",),
        "vocabulary": ("vocab_size",),
        "context": ("max_position_embeddings",),
    }

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers BartForConditionalGeneration …
        from functory_sdk.torch.stacks.bart import BartStack

        return BartStack(spec, model)


class Marian(Bart):
    """Marian: a BART with sines for positions and no norm after the embeddings; what OPUS-MT's translators are."""

    paper: ClassVar[str] = "Junczys-Dowmunt et al. 2018, Marian (arXiv 1804.00344)"

    def odd(self, config: Json) -> str:
        name = "share_encoder_decoder_embeddings"
        return name if config.get(name, True) is False else super().odd(config)  # two vocabularies, of which a spec knows one


class MBart(Bart):
    """mBART: a BART whose norms come first in each layer, and once more at each stack's end; for many languages."""

    paper: ClassVar[str] = "Liu et al. 2020, mBART (arXiv 2001.08210); Tang et al. 2020, mBART-50 (arXiv 2008.00401)"


class M2M100(Bart):
    """M2M-100 and NLLB: an mBART with sines for positions, none normed after the embeddings."""

    paper: ClassVar[str] = "Fan et al. 2020, M2M-100 (arXiv 2010.11125); NLLB Team 2022, NLLB (arXiv 2207.04672)"
    uncomputed: ClassVar[Sequence[str]] = ("num_experts",)
