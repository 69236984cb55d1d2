"""Read what a model is from its JSON files, without transformers."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from functory.contracts.backbone import Architecture
from functory.contracts.family import Family
from functory.errors import ArtefactCorrupt, NotSupported, WeightsMissing
from functory.reading.tokenizer import Tokenizer
from functory_sdk.checkpoints import Tensors, tensor_sizes, weight_files
from functory_sdk.families import family_of
from functory_sdk.jsonfiles import read_json
from functory_sdk.signs import chat_template, content_of

Json = dict[str, Any]  # Any: JSON as its authors left it
NO_LIMIT = 512
"""The context of a model with relative positions that names none: what T5 was trained on."""


class Facts:
    """What the JSON files of a model folder say.

    :param folder: with config.json, and beside it whatever the model came with.
    :param family: by whose family it is read, ``distribution:name``, where two bring the one that config.json names.
    :raises WeightsMissing: where there is no config.json.
    """

    def __init__(self, folder: Path, family: str = "") -> None:
        self.folder = folder
        self._family = family
        self.config = read_json(folder, "config.json")
        if not self.config:
            raise WeightsMissing("there is no config.json.", where=str(folder), do="name the folder of a transformers model.")
        given = self.config.get("architectures")
        self.classes = " ".join(str(name) for name in given) if isinstance(given, list) else ""
        """The names of the model's classes: ``BertForSequenceClassification``."""
        self.generation = read_json(folder, "generation_config.json")
        self.texts = read_json(folder, "tokenizer_config.json")

    @property
    def family(self) -> str:
        """The network's family, by its name."""
        return self._family or str(self._need("model_type"))

    @cached_property
    def read_by(self) -> Family:
        """The family itself.

        :raises NotSupported: where nobody brings it.
        """
        return family_of(self.family, self.folder.name, str(self.folder / "config.json"))

    @property
    def architecture(self) -> Architecture:
        """Encoder, decoder or both.

        :raises NotSupported: for one half of an encoder-decoder.
        """
        architecture = self.read_by.architecture
        if architecture == "encoder-decoder" and "EncoderModel" in self.classes:
            raise NotSupported(
                f"the checkpoint is a {self.classes}, the encoder of a {self.family} without its decoder.",
                where=str(self.folder / "config.json"),
                do="take the whole model, saved as …ForConditionalGeneration.",
            )
        return architecture

    @property
    def has_logits(self) -> bool:
        """Whether the weights score tokens: a decoder that was saved with a classifier, or without any head, lost its scores."""
        if self.architecture == "encoder" or "Classification" in self.classes:
            return False
        if self.architecture == "encoder-decoder":
            return True
        return bool(self.config.get("tie_word_embeddings", self.read_by.is_tied)) or "lm_head.weight" in self._tensors

    @property
    def has_masked_logits(self) -> bool:
        """Whether the weights hold a head that predicts masked tokens."""
        return any(name.startswith(head) for head in self.read_by.masked for name in self._tensors)

    @cached_property
    def _tensors(self) -> Tensors:
        return Tensors(self.folder, self.read_by.base)

    @property
    def width(self) -> int:
        """Elements of a hidden state."""
        return self._whole(*self.read_by.keys["width"])

    @property
    def layers(self) -> int:
        """Layers of both stacks together."""
        return self._whole(*self.read_by.keys["layers"]) + self.decoder_layers

    @property
    def decoder_layers(self) -> int:
        """Layers of the second of two stacks."""
        keys = self.read_by.keys.get("decoder_layers", ())
        return self._whole(*keys) if keys else 0

    @property
    def parameters(self) -> int:
        """Numbers that the weights hold."""
        return sum(size for file in weight_files(self.folder) for size in tensor_sizes(file).values())

    @property
    def vocabulary(self) -> int:
        """Tokens that the network knows."""
        return self._whole(*self.read_by.keys["vocabulary"])

    @property
    def context(self) -> int:
        """The longest row.

        :raises ArtefactCorrupt: where nothing is left of it for a text.
        """
        keys = self.read_by.keys["context"]
        if self.architecture == "encoder-decoder" and not any(self.config.get(key) for key in keys):
            return NO_LIMIT
        positions = self._whole(*keys)
        room = positions - self.pad_id(None) - 1 if self.read_by.counts_from_pad else positions
        if room < 1:
            raise self._fault(f"{keys[0]} = {positions}, which leaves no room for a text")
        return room

    def pad_id(self, tokenizer: Tokenizer | None) -> int:
        """Return the id of padding; where the model names none, its end token's, which the mask hides as well.

        :raises ArtefactCorrupt: where the model has no such embedding.
        """
        [given] = self._ids("pad_token_id", self.config)[:1] or [-1]
        if given >= self.vocabulary:
            raise self._fault(f"pad_token_id = {given:,}, and the model has {self.vocabulary:,} embeddings")
        if given >= 0:
            return given
        if self.read_by.counts_from_pad:
            return 1
        token = self._token("pad_token")
        found = tokenizer.id(token) if tokenizer is not None and token else None
        return found if found is not None else next(iter(self.end_ids), 0)

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Tokens that end a generation."""
        if self.architecture == "encoder":
            return ()
        return self._ids("eos_token_id", self.generation, self.config)

    @property
    def start_id(self) -> int | None:
        """The first token of an encoder-decoder's output.

        :raises ArtefactCorrupt: where the model has no such embedding.
        """
        if self.architecture != "encoder-decoder":
            return None
        [given] = self._ids("decoder_start_token_id", self.generation, self.config)[:1] or [self.pad_id(None)]
        if not 0 <= given < self.vocabulary:
            raise self._fault(f"decoder_start_token_id = {given:,}, and the model has {self.vocabulary:,} embeddings")
        return given

    @property
    def first_ids(self) -> tuple[int, ...]:
        """Tokens that every output of an encoder-decoder begins with, after its first."""
        if self.architecture != "encoder-decoder":
            return ()
        return self._known("forced_bos_token_id", self._ids("forced_bos_token_id", self.generation, self.config))

    @property
    def never_ids(self) -> tuple[int, ...]:
        """Tokens that are never written: those of `bad_words_ids` that stand alone, such as Marian's padding."""
        words: Any = next((one["bad_words_ids"] for one in (self.generation, self.config) if one.get("bad_words_ids")), [])
        if self.architecture == "encoder" or not isinstance(words, list):
            return ()
        alone = [word[0] for word in words if isinstance(word, list) and len(word) == 1]
        return self._known("bad_words_ids", self._ids("bad_words_ids", {"bad_words_ids": alone}))

    def _known(self, name: str, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return ids that the model has embeddings for.

        :raises ArtefactCorrupt: where one is none.
        """
        for one in ids:
            if not 0 <= one < self.vocabulary:
                raise self._fault(f"{name} = {one:,}, and the model has {self.vocabulary:,} embeddings")
        return ids

    @property
    def has_token_types(self) -> bool:
        """Whether a row says which of two texts a token belongs to."""
        return self.read_by.has_token_types(self.config)

    def mask_id(self, tokenizer: Tokenizer) -> int | None:
        """Return the id of the token that stands for one to be predicted; None where there is none."""
        token = self._token("mask_token") or content_of(read_json(self.folder, "special_tokens_map.json").get("mask_token"))
        return tokenizer.id(token) if token else None

    @property
    def chat_template(self) -> str:
        """The template of a conversation, with the named tokens that it may use."""
        found = chat_template(self.folder, self.texts)
        if not found:
            return ""
        tokens = {name: self._token(name) for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
        return "".join(f"{{% set {name} = {token!r} %}}" for name, token in tokens.items() if token) + found

    @property
    def licence(self) -> str:
        """The licence that the model card's front matter names."""
        found = re.search(r"^license:\s*['\"]?([\w.+-]+)", self._front, flags=re.MULTILINE)
        return found[1] if found else ""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model card's front matter names, as it codes them: one, or a list in either of YAML's ways."""
        found = re.search(r"^language:[ \t]*(\[[^\]]*\]|\S[^\n]*|(?:\n[ \t]*-[^\n]*)+)", self._front, flags=re.MULTILINE)
        return tuple(re.findall(r"[A-Za-z][\w-]*", re.sub(r"(?m)#.*$", "", found[1]))) if found else ()

    @cached_property
    def _front(self) -> str:
        card = self.folder / "README.md"
        text = card.read_text("utf-8", errors="replace")[:4000] if card.is_file() else ""
        return text.partition("---")[2].partition("\n---")[0]

    def _token(self, name: str) -> str:
        return content_of(self.texts.get(name))

    def _ids(self, name: str, *configs: Json) -> tuple[int, ...]:
        """Return the ids of tokens that the first configuration to name any has: one or several."""
        given: Any = next((config[name] for config in configs if config.get(name) is not None), [])
        found = given if isinstance(given, list) else [given]
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in found):
            raise self._fault(f"{name} = {given!r}, no id of a token")
        return tuple(found)

    def _whole(self, *names: str) -> int:
        """Return the first of some facts that is there: a whole number, 1 or more."""
        given = self._need(*names)
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            name = next(name for name in names if self.config.get(name) is not None)
            raise self._fault(f"{name} = {given!r}, no whole number above 0")
        return given

    def _need(self, *names: str) -> Any:
        for name in names:
            if self.config.get(name) is not None:
                return self.config[name]
        raise self._fault(" or ".join(names), "does not say")

    def _fault(self, what: str, says: str = "says") -> ArtefactCorrupt:
        return ArtefactCorrupt(
            f"config.json {says} {what}.",
            where=str(self.folder / "config.json"),
            do="take the config.json that came with the weights.",
        )
