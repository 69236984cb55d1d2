"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from functory_e5.convert import WEIGHTS
from functory_sdk import Backbone, BackboneSpec, Options, Tokenizer
from functory_sdk.conversion import weights_hash

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class E5Options(Options):
    """Options of the E5 backbone."""

    folder: Path | None = Field(
        None, description="A packed file, its folder or a model folder, instead of the installed package's."
    )
    prefix: str = Field(
        "",
        description="Put before each text; for retrieval, this model knows 'query: ' and 'passage: '.",
    )


class E5(Backbone[E5Options]):
    """multilingual-e5-small: a BERT of 12 layers, 384 wide, for Chinese, English and many more languages."""

    paper: ClassVar[str] = "Wang et al. 2024, Multilingual E5 Text Embeddings (arXiv 2402.05672)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone e5",
    )

    def locate(self) -> Path:
        return WEIGHTS.locate_folder(self.options.folder)

    @cached_property
    def _folder(self) -> Path:
        """The model folder; the first use on a machine converts the packed file."""
        return WEIGHTS.folder(self.options.folder)

    def read_spec(self) -> BackboneSpec:
        config = json.loads((self._folder / "config.json").read_text(encoding="utf-8"))
        return BackboneSpec(
            reference=self.reference,
            architecture="encoder",
            family="bert",
            width=config["hidden_size"],
            layers=config["num_hidden_layers"],
            vocabulary=config["vocab_size"],
            context=config["max_position_embeddings"],
            pad_id=config["pad_token_id"],
            pooling="mean",
            prefix=self.options.prefix,
            licence="MIT",
            weights_hash=weights_hash(self._folder),
        )

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(self._folder / "tokenizer.json")

    def load_network(self) -> Network:
        from functory_e5.model import load_network

        return load_network(self._folder, self.spec)
