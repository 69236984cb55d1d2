"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from functory_huggingface import hub
from functory_huggingface.weights import hash_of
from functory_sdk import (
    Backbone,
    BackboneSpec,
    Options,
    Pooling,
    Tokenizer,
    WeightsMissing,
    open_tokenizer,
    sentence_prefixes,
    sentence_reading,
)
from functory_sdk.checkpoints import weight_files
from functory_sdk.facts import Facts
from functory_sdk.families import family_of

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class HuggingFaceOptions(Options):
    """Options of the hf backbone."""

    pooling: Literal["auto", "mean", "first", "last"] = Field(
        "auto",
        description="How hidden states become one vector; auto: as the model's modules.json says; without one, the mean for "
        "encoders, the last token for decoders.",
    )
    family: str = Field(
        "",
        description="By whose family the network is taken apart, distribution:name, where two plugins bring the one that "
        "config.json names.",
    )
    is_normalised: bool | None = Field(
        None, description="Bring those vectors to one length; as modules.json says when neither this nor pooling is given."
    )
    prefix: str | None = Field(
        None, description="Put before each text that has no role of its own; as the model's default prompt when not given."
    )
    prefixes: dict[str, str] = Field(
        {}, description="Put before texts of a role, as the model was trained: {query = 'query: '}; these beside the model's own."
    )


class HuggingFace(Backbone[HuggingFaceOptions]):
    """Any transformers model of a known family: a folder, or a model of the hub at a pinned revision.

    Safetensors only; code from a model's repository is never run.
    """

    paper: ClassVar[str] = "Wolf et al. 2020, Transformers: State-of-the-Art Natural Language Processing (EMNLP demos)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone ./my-model",
        "functory build --task text-classification --train reviews.csv --backbone hf:org/name@revision",
    )

    def locate(self) -> Path:
        if not self.place:
            raise WeightsMissing(
                "hf has no weights of its own.", do="name a folder (./folder) or a model of the hub (hf:org/name@revision)."
            )
        folder = self._named_folder
        if folder is None:
            return hub.locate(hub.HubId.parse(self.place), may_fetch=self.may_fetch)
        if not folder.is_dir():
            raise WeightsMissing(f"there is no folder {self.place}.", where=str(folder), do="name the folder of a model.")
        weight_files(folder)
        return folder

    def files(self) -> Sequence[Path]:
        folder = self._named_folder or self.locate()
        found = {file for pattern in hub.FILES for file in folder.glob(pattern) if file.is_file()}
        return sorted(found.union(weight_files(folder) if found else ()))  # an index may name its shards as it likes

    @cached_property
    def _named_folder(self) -> Path | None:
        """The folder that the place names; None where it names a model of the hub."""
        path = Path(self.place).expanduser()
        is_folder = self.place.startswith((".", "~", "/")) or path.is_absolute() or path.is_dir()
        return path.resolve() if is_folder else None

    @cached_property
    def _folder(self) -> Path:
        """The model folder; a model of the hub is fetched where the cache has none, and the user allowed it."""
        if self._named_folder is not None or not self.place:
            return self.locate()
        return hub.fetch(hub.HubId.parse(self.place), may_fetch=self.may_fetch)

    @property
    def _commit(self) -> str:
        return "" if self._named_folder is not None else self._folder.name

    @property
    def reference(self) -> str:
        """How exactly these weights are asked for again: an absolute folder, or a hub id with its commit."""
        if self._commit:
            return f"{self.name or 'hf'}:{hub.HubId.parse(self.place).name}@{self._commit}"
        return f"{self.name or 'hf'}:{self._folder}"

    def read_spec(self) -> BackboneSpec:
        """Return the facts of the model.

        :raises NotSupported: for a family that is not known here.
        :raises ArtefactCorrupt: where its files contradict each other, or lack a fact.
        """
        facts = Facts(self._folder, self.options.family)
        family_of(facts.family, self.reference, str(self._folder / "config.json"))  # before what else it lacks is the reason
        architecture = facts.architecture
        pooling, is_normalised = self._reading(architecture)
        return BackboneSpec(
            reference=self.reference,
            architecture=architecture,
            family=facts.family,
            width=facts.width,
            layers=facts.layers,
            decoder_layers=facts.decoder_layers,
            vocabulary=facts.vocabulary,
            context=facts.context,
            pad_id=facts.pad_id(self.tokenizer),
            mask_id=facts.mask_id(self.tokenizer),
            end_ids=facts.end_ids,
            start_id=facts.start_id,
            first_ids=facts.first_ids,
            never_ids=facts.never_ids,
            has_token_types=facts.has_token_types,
            has_logits=facts.has_logits,
            has_masked_logits=facts.has_masked_logits,
            pooling=pooling,
            is_normalised=is_normalised,
            prefixes=self._prefixes(),
            chat_template=facts.chat_template,
            languages=facts.languages,
            parameters=facts.parameters,
            revision=self._commit,
            licence=facts.licence,
            weights_hash=hash_of(self._folder),
        )

    def _reading(self, architecture: str) -> tuple[Pooling, bool]:
        """Return the pooling and whether its vectors have one length: the options', the model's own, or what is usual."""
        options = self.options
        if options.pooling != "auto":
            return options.pooling, bool(options.is_normalised)
        own = sentence_reading(self._folder)
        usual: Pooling = "mean" if architecture == "encoder" else "last"
        is_normalised = own is not None and own.is_normalised if options.is_normalised is None else options.is_normalised
        return own.pooling if own else usual, is_normalised

    def _prefixes(self) -> dict[str, str]:
        """Return what stands before a text by its role: the options', then the model's own."""
        every = {} if self.options.prefix is None else {"": self.options.prefix}
        return sentence_prefixes(self._folder) | every | self.options.prefixes

    def read_tokenizer(self) -> Tokenizer:
        return open_tokenizer(self._folder)

    def load_network(self) -> Network:
        from functory_huggingface.model import load_network

        return load_network(self._folder, self.spec)
