"""Where the file lies, the tokenizer, the facts: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from functory_sdk import (
    Backbone,
    BackboneSpec,
    Options,
    Pooling,
    Tokenizer,
    WeightsMissing,
    config_facts,
    converted,
    open_tokenizer,
    weights_hash,
)
from functory_sdk.facts import Facts
from functory_sdk.gguf.convert import VERSION, convert

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class GgufOptions(Options):
    """Options of the GGUF backbone."""

    pooling: Pooling = Field("last", description="How the hidden states of a text become one vector.")


class GgufModel(Backbone[GgufOptions]):
    """A model file of the Llama, Qwen and Gemma families, as llama.cpp keeps it: gguf:./model.gguf.

    The first use on a machine converts it into float32, in the user's cache.
    """

    examples: ClassVar[tuple[str, ...]] = ("functory build --task text-generation --backbone gguf:./model.gguf",)

    def locate(self) -> Path:
        if not self.place:
            raise WeightsMissing("gguf has no weights of its own.", do="name a file: gguf:./model.gguf.")
        path = Path(self.place).expanduser().resolve()
        if path.is_dir():
            found = sorted(one.name for one in path.glob("*.gguf"))
            raise WeightsMissing(
                f"{self.place} is a folder.",
                where=str(path),
                do=f"name the file in it: gguf:{self.place.rstrip('/')}/{found[0] if found else 'model.gguf'}.",
            )
        if not path.is_file():
            raise WeightsMissing(f"there is no file {self.place}.", where=str(path), do="name a file: gguf:./model.gguf.")
        return path

    def files(self) -> Sequence[Path]:
        return [self.locate()]

    @property
    def reference(self) -> str:
        """How exactly this file is asked for again: by its absolute path."""
        return f"{self.name or 'gguf'}:{self.locate()}" if self.place else self.name

    @cached_property
    def folder(self) -> Path:
        """The model folder, converted where that was not yet done.

        :raises DataError: where the file is damaged.
        :raises NotSupported: where it holds what is not read here.
        """
        return converted(self.locate(), "gguf", VERSION, convert)

    def read_spec(self) -> BackboneSpec:
        """Return the facts of the model.

        :raises DataError: where the file is damaged.
        :raises NotSupported: where it holds what is not read here.
        """
        facts = Facts(self.folder)
        return BackboneSpec(
            **config_facts(self.folder),
            reference=self.reference,
            architecture="decoder",
            end_ids=facts.end_ids,
            has_logits=True,
            pooling=self.options.pooling,
            chat_template=facts.chat_template,
            languages=facts.languages,
            licence=facts.licence,
            weights_hash=weights_hash(self.folder),
        )

    def read_tokenizer(self) -> Tokenizer:
        return open_tokenizer(self.folder)

    def load_network(self) -> Network:
        from functory_gguf.model import load_network

        return load_network(self.folder, self.spec)
