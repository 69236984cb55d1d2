"""Read what a model is from its JSON files, without transformers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from functory_sdk import ArtefactCorrupt, NotSupported, Tokenizer, WeightsMissing, read_json
from functory_sdk.checkpoints import Tensors
from functory_sdk.families import BASES
from functory_sdk.signs import chat_template, content_of

Json = dict[str, Any]  # Any: JSON as its authors left it
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text")
OFFSET = ("roberta", "xlm-roberta", "camembert")
"""Families that count positions from after the padding id: two of 514 are never used."""
TIED = ("gemma", "gemma3_text")
"""Decoders whose embeddings score tokens, too, where their configuration does not say."""
NO_LIMIT = 512
"""The context of a model with relative positions that names none: what T5 was trained on."""


class Facts:
    """What the JSON files of a model folder say.

    :param folder: with config.json, and beside it whatever the model came with.
    :raises WeightsMissing: where there is no config.json.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        """The network's family."""
        return str(self._need("model_type"))

    @property
    def architecture(self) -> Literal["encoder", "decoder", "encoder-decoder"]:
        """Encoder, decoder or both: by family, by the model's class where the family is not known here.

        :raises NotSupported: for one half of an encoder-decoder.
        """
        if self.family == "t5" and "EncoderModel" in self.classes:
            raise NotSupported(
                f"the checkpoint is a {self.classes}, the encoder of a T5 without its decoder.",
                where=str(self.folder / "config.json"),
                do="take the whole model, saved as T5ForConditionalGeneration.",
            )
        if self.config.get("is_encoder_decoder") or self.family == "t5":
            return "encoder-decoder"
        return "decoder" if self.family in DECODERS or "CausalLM" in self.classes else "encoder"

    @property
    def has_logits(self) -> bool:
        """Whether the weights score tokens: a decoder that was saved with a classifier, or without any head, lost its scores."""
        if self.architecture != "decoder":
            return self.architecture == "encoder-decoder" and "Classification" not in self.classes
        if "Classification" in self.classes:
            return False
        return bool(self.config.get("tie_word_embeddings", self.family in TIED)) or "lm_head.weight" in Tensors(
            self.folder, BASES[self.family]
        )

    @property
    def width(self) -> int:
        """Elements of a hidden state."""
        return self._whole("hidden_size", "d_model", "dim")

    @property
    def layers(self) -> int:
        """Layers of both stacks together."""
        if self.architecture != "encoder-decoder":
            return self._whole("num_hidden_layers", "num_layers", "n_layers")
        return self._whole("num_layers") + self._whole("num_decoder_layers", "num_layers")

    @property
    def vocabulary(self) -> int:
        """Tokens that the network knows."""
        return self._whole("vocab_size")

    @property
    def context(self) -> int:
        """The longest row.

        :raises ArtefactCorrupt: where nothing is left of it for a text.
        """
        if self.architecture == "encoder-decoder":
            return self._whole("n_positions") if self.config.get("n_positions") else NO_LIMIT
        positions = self._whole("max_position_embeddings")
        room = positions - self.pad_id(None) - 1 if self.family in OFFSET else positions
        if room < 1:
            raise self._fault(f"max_position_embeddings = {positions}, which leaves no room for a text")
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
        if self.family in OFFSET:
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
    def has_token_types(self) -> bool:
        """Whether a row says which of two texts a token belongs to."""
        given = self.config.get("type_vocab_size", 2)  # transformers' own default
        return self.family in ("bert", "electra") and isinstance(given, int) and given > 1

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
        card = self.folder / "README.md"
        text = card.read_text("utf-8", errors="replace")[:4000] if card.is_file() else ""
        front = text.partition("---")[2].partition("\n---")[0]
        found = re.search(r"^license:\s*['\"]?([\w.+-]+)", front, flags=re.MULTILINE)
        return found[1] if found else ""

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
