"""The backbone whose weights another package carries packed: all of it that is the same for every such model.

Apart from `conversion`, which unpacks them and knows of no backbone. A plugin's ``backbone.py``::

    class E5(PackedBackbone[PackedOptions]):
        '''multilingual-e5-small: a BERT of 12 layers, 384 wide.'''

        weights = WEIGHTS  # from convert.py: a PackedWeights

        def read_spec(self) -> BackboneSpec:
            return BackboneSpec(**self.read_facts(), architecture="encoder", pooling="mean", licence="MIT")

        def load_network(self) -> Network:
            from functory_e5.model import load_network

            return load_network(self.folder, self.spec)
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from functory.contracts.backbone import Backbone
from functory.contracts.component import Options
from functory.reading.reader import Tokenizer
from functory_sdk.conversion import PackedWeights, weights_hash


class PackedOptions(Options):
    """Options of every packed backbone; derive from them to add your own."""

    folder: Path | None = Field(
        default=None, description="A packed file, its folder or a model folder, instead of the installed package's."
    )


P = TypeVar("P", bound=PackedOptions, covariant=True)


class PackedBackbone(Backbone[P]):
    """A pretrained model whose weights a package carries packed; the first use on a machine converts them.

    What is left to write: `weights`, `read_spec` and `load_network`.
    """

    weights: ClassVar[PackedWeights]
    """Where the weights lie, and how they are unpacked."""

    def locate(self) -> Path:
        return self.weights.locate_folder(self.options.folder)

    @cached_property
    def folder(self) -> Path:
        """The model folder, converted where that was not yet done.

        :raises WeightsMissing: where there are no weights.
        :raises DataError: where the packed file is damaged.
        """
        return self.weights.folder(self.options.folder)

    def read_facts(self) -> dict[str, Any]:  # Any: fields of BackboneSpec
        """Return those facts that are the same to read for every packed backbone: `read_spec` adds its own."""
        return {
            "reference": self.reference,
            "weights_hash": weights_hash(self.folder),
            **config_facts(self.folder),
        }

    def read_tokenizer(self) -> Tokenizer:
        return Tokenizer(self.folder / "tokenizer.json")


def config_facts(folder: Path) -> dict[str, Any]:  # Any: fields of BackboneSpec
    """Return the facts that the config.json of a model folder says in transformers' words.

    They are those of one stack: `family`, `width`, `layers`, `vocabulary`, `context` and `pad_id`.

    :param folder: a model folder of a BERT, a Llama, or of any family that calls these facts alike.
    :raises KeyError: where it calls one differently.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return {
        "family": config["model_type"],
        "width": config["hidden_size"],
        "layers": config["num_hidden_layers"],
        "vocabulary": config["vocab_size"],
        "context": config["max_position_embeddings"],
        "pad_id": config["pad_token_id"],
    }
