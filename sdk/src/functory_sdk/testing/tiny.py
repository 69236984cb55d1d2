"""Tiny backbones made in code: seeded, with no files, so small that a test trains one in a second.

Their weights are drawn by numpy, large enough that a wrong mask or a wrong position shows in the outputs.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.component import Options
from functory.reading.tokenizer import Tokenizer

if TYPE_CHECKING:
    from functory_sdk.torch import Network

WORDS = (
    "good", "bad", "fine", "poor", "the", "a", "film", "book", "song", "was", "is", "very", "quite", "and", "of",
    "day", "night", "we", "saw", "it", "in", "on", "rain", "sun",
)  # fmt: skip
"""Words that are one token for the encoder; other words are spelled."""


class TinyOptions(Options):
    """Options of the tiny backbones."""

    width: int = Field(default=32, ge=8, le=1024, multiple_of=8, description="Elements of one hidden state.")
    layers: int = Field(default=3, ge=1, le=24, description="Layers.")
    context: int = Field(default=64, ge=16, le=4096, description="The longest row, in tokens.")
    is_normalised: bool = Field(default=False, description="All texts' vectors are brought to one length.")
    seed: int = Field(default=0, ge=0, description="Of the weights.")


class _Tiny(Backbone[TinyOptions]):
    """What all have in common."""

    def locate(self) -> Path:
        return Path(__file__).parent

    def _hash(self) -> str:
        about = f"{type(self).__name__} 1 {self.options.model_dump_json()}"
        return hashlib.sha256(about.encode()).hexdigest()


class TinyEncoder(_Tiny):
    """A BERT of three layers with random weights, for tests."""

    paper: ClassVar[str] = "Devlin et al. 2019, BERT (arXiv 1810.04805)"

    def read_spec(self) -> BackboneSpec:
        return BackboneSpec(
            reference=self.reference,
            architecture="encoder",
            family="bert",
            width=self.options.width,
            layers=self.options.layers,
            vocabulary=len(_pieces()),
            context=self.options.context,
            pad_id=0,
            has_token_types=True,
            is_normalised=self.options.is_normalised,
            licence="Apache-2.0",
            weights_hash=self._hash(),
        )

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(_wordpiece())

    def load_network(self) -> Network:
        from functory_sdk.families import family_of
        from functory_sdk.torch import network_from

        config = {
            "vocab_size": self.spec.vocabulary,
            "hidden_size": self.options.width,
            "num_hidden_layers": self.options.layers,
            "num_attention_heads": 4,
            "intermediate_size": 2 * self.options.width,
            "max_position_embeddings": self.options.context,
        }
        return network_from(_drawn(family_of("bert").model(config), self.options), self.spec)


class TinyDecoder(_Tiny):
    """A Llama of three layers with random weights, for tests. Its tokens are bytes."""

    paper: ClassVar[str] = "Touvron et al. 2023, Llama (arXiv 2302.13971)"

    def read_spec(self) -> BackboneSpec:
        return BackboneSpec(
            reference=self.reference,
            architecture="decoder",
            family="llama",
            width=self.options.width,
            layers=self.options.layers,
            vocabulary=len(_byte_pieces()),
            context=2 * self.options.context,
            pad_id=0,
            end_ids=(1,),
            has_logits=True,
            licence="Apache-2.0",
            weights_hash=self._hash(),
        )

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(_bytewise())

    def load_network(self) -> Network:
        from transformers import LlamaConfig, LlamaForCausalLM

        from functory_sdk.torch import network_from

        config = LlamaConfig(
            vocab_size=self.spec.vocabulary,
            hidden_size=self.options.width,
            num_hidden_layers=self.options.layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=2 * self.options.width,
            max_position_embeddings=self.spec.context,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=1,
            tie_word_embeddings=False,
        )
        return network_from(_drawn(LlamaForCausalLM(config), self.options), self.spec)


class TinyEncoderDecoder(_Tiny):
    """A T5 with random weights, for tests: half of the layers read, half write. It spells as the encoder does."""

    paper: ClassVar[str] = "Raffel et al. 2020, T5 (arXiv 1910.10683)"

    def read_spec(self) -> BackboneSpec:
        return BackboneSpec(
            reference=self.reference,
            architecture="encoder-decoder",
            family="t5",
            width=self.options.width,
            layers=2 * self._half,
            decoder_layers=self._half,
            vocabulary=len(_pieces()),
            context=self.options.context,
            pad_id=0,
            end_ids=(3,),
            start_id=0,
            has_logits=True,
            licence="Apache-2.0",
            weights_hash=self._hash(),
        )

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(_wordpiece())

    def load_network(self) -> Network:
        from transformers import T5Config, T5ForConditionalGeneration

        from functory_sdk.torch import network_from

        config = T5Config(
            vocab_size=self.spec.vocabulary,
            d_model=self.options.width,
            d_kv=self.options.width // 4,
            d_ff=2 * self.options.width,
            num_layers=self._half,
            num_decoder_layers=self._half,
            num_heads=4,
            dropout_rate=0.0,
            pad_token_id=0,
            eos_token_id=3,
        )
        return network_from(_drawn(T5ForConditionalGeneration(config), self.options), self.spec)

    @property
    def _half(self) -> int:
        return (self.options.layers + 1) // 2


def _drawn(model: Any, options: TinyOptions) -> Any:  # Any: a torch module
    """Return a model whose weights numpy drew: the same on every version of torch."""
    import numpy as np
    import torch

    generator = np.random.default_rng(options.seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.from_numpy(generator.standard_normal(tuple(parameter.shape), dtype=np.float32))
            if parameter.ndim == 1:
                is_norm = "norm" in name.lower() and name.endswith("weight")
                parameter.copy_(0.05 * noise + (1.0 if is_norm else 0.0))
            elif "embed" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)
    return model


@lru_cache
def _pieces() -> dict[str, int]:
    """Return the encoder's vocabulary: special tokens, words, characters alone and inside a word."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = dict.fromkeys([*special, *WORDS, *characters, *("##" + c for c in characters)])  # "a" is a word, too
    return {piece: index for index, piece in enumerate(pieces)}


@lru_cache
def _wordpiece() -> str:
    from tokenizers import Tokenizer as Raw
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    raw = Raw(models.WordPiece(_pieces(), unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.decoder = decoders.WordPiece()
    raw.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return str(raw.to_str())


@lru_cache
def _byte_pieces() -> dict[str, int]:
    """Return the decoder's vocabulary: padding, the end, and every byte."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return {piece: index for index, piece in enumerate(["<pad>", "<end>", *letters])}


@lru_cache
def _bytewise() -> str:
    from tokenizers import Tokenizer as Raw
    from tokenizers import decoders, models, pre_tokenizers

    raw = Raw(models.BPE(_byte_pieces(), []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(["<pad>", "<end>"])
    return str(raw.to_str())
