"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from functory_sdk import Backbone, BackboneSpec, Options, Tokenizer
from functory_sdk.conversion import weights_hash
from functory_smollm2.convert import WEIGHTS

if TYPE_CHECKING:
    from functory_sdk.torch import Network

END_OF_TEXT = 0
"""``<|endoftext|>``: what the base model learned to end with, before it learned to converse."""


class SmolLM2Options(Options):
    """Options of the SmolLM2 backbone."""

    folder: Path | None = Field(
        None, description="A GGUF file, its folder or a model folder, instead of the installed package's."
    )


class SmolLM2(Backbone[SmolLM2Options]):
    """SmolLM2-135M-Instruct: a Llama of 30 layers, 576 wide, that writes English and follows instructions."""

    paper: ClassVar[str] = "Ben Allal et al. 2025, SmolLM2 (arXiv 2502.02737)"
    examples: ClassVar[tuple[str, ...]] = ("functory build --task text-generation --backbone smollm2",)

    def locate(self) -> Path:
        return WEIGHTS.locate_folder(self.options.folder)

    @cached_property
    def _folder(self) -> Path:
        """The model folder; the first use on a machine converts the GGUF file."""
        return WEIGHTS.folder(self.options.folder)

    def read_spec(self) -> BackboneSpec:
        config = json.loads((self._folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = json.loads((self._folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        return BackboneSpec(
            reference=self.reference,
            architecture="decoder",
            family="llama",
            width=config["hidden_size"],
            layers=config["num_hidden_layers"],
            vocabulary=config["vocab_size"],
            context=config["max_position_embeddings"],
            pad_id=config["pad_token_id"],
            end_ids=(config["eos_token_id"], END_OF_TEXT),
            has_logits=True,
            pooling="last",
            chat_template=tokenizer["chat_template"],
            licence="Apache-2.0",
            weights_hash=weights_hash(self._folder),
        )

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(self._folder / "tokenizer.json")

    def load_network(self) -> Network:
        from functory_smollm2.model import load_network

        return load_network(self._folder, self.spec)
