"""Read what a model is from its JSON files, without transformers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from functory_sdk import ArtefactCorrupt, Tokenizer, WeightsMissing, read_json
from functory_sdk.signs import chat_template, content_of

Json = dict[str, Any]  # Any: JSON as its authors left it
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text")
OFFSET = ("roberta", "xlm-roberta", "camembert")
"""Families that count positions from after the padding id: two of 514 are never used."""
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
        self.generation = read_json(folder, "generation_config.json")
        self.texts = read_json(folder, "tokenizer_config.json")

    @property
    def family(self) -> str:
        """The network's family."""
        return str(self._need("model_type"))

    @property
    def architecture(self) -> Literal["encoder", "decoder", "encoder-decoder"]:
        """Encoder, decoder or both: by family, by the model's class where the family is not known here."""
        if self.config.get("is_encoder_decoder") or self.family == "t5":
            return "encoder-decoder"
        named = " ".join(self.config.get("architectures") or ())
        return "decoder" if self.family in DECODERS or "CausalLM" in named else "encoder"

    @property
    def has_logits(self) -> bool:
        """Whether the weights score tokens; a decoder that was saved with a classifier lost its scores."""
        named = " ".join(self.config.get("architectures") or ())
        return self.architecture != "encoder" and "Classification" not in named

    @property
    def width(self) -> int:
        """Elements of a hidden state."""
        return int(self._need("hidden_size", "d_model", "dim"))

    @property
    def layers(self) -> int:
        """Layers of both stacks together."""
        count = int(self._need("num_hidden_layers", "num_layers", "n_layers"))
        if self.architecture == "encoder-decoder":
            return int(self._need("num_layers")) + int(self.config.get("num_decoder_layers") or self._need("num_layers"))
        return count

    @property
    def vocabulary(self) -> int:
        """Tokens that the network knows."""
        return int(self._need("vocab_size"))

    @property
    def context(self) -> int:
        """The longest row."""
        if self.architecture == "encoder-decoder":
            return int(self.config.get("n_positions") or NO_LIMIT)
        positions = int(self._need("max_position_embeddings"))
        return positions - self.pad_id(None) - 1 if self.family in OFFSET else positions

    def pad_id(self, tokenizer: Tokenizer | None) -> int:
        """Return the id of padding; where the model names none, its end token's, which the mask hides as well."""
        given = self.config.get("pad_token_id")
        if given is not None and given >= 0:
            return int(given)
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
        given = self.generation.get("eos_token_id", self.config.get("eos_token_id"))
        return tuple(given) if isinstance(given, list) else () if given is None else (int(given),)

    @property
    def start_id(self) -> int | None:
        """The first token of an encoder-decoder's output."""
        if self.architecture != "encoder-decoder":
            return None
        given = self.generation.get("decoder_start_token_id", self.config.get("decoder_start_token_id"))
        return int(given) if given is not None else int(self.config.get("pad_token_id") or 0)

    @property
    def has_token_types(self) -> bool:
        """Whether a row says which of two texts a token belongs to."""
        return self.family in ("bert", "electra") and int(self.config.get("type_vocab_size") or 0) > 1

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

    def _need(self, *names: str) -> Any:
        for name in names:
            if self.config.get(name) is not None:
                return self.config[name]
        raise ArtefactCorrupt(
            f"config.json does not say {' or '.join(names)}.",
            where=str(self.folder / "config.json"),
            do="take the config.json that came with the weights.",
        )
