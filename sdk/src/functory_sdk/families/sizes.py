"""The sizes of an encoder whose layers end with a norm, as its config.json tells them: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functory.contracts.family import Json
from functory.errors import ArtefactCorrupt

DO = "take the config.json that came with the weights."


class Sizes(BaseModel):
    """What a model is made by. What config.json does not say is as transformers has it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    vocab_size: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    num_hidden_layers: int = Field(ge=1)
    max_position_embeddings: int = Field(ge=1)
    num_attention_heads: int = Field(12, ge=1)
    intermediate_size: int = Field(3072, ge=1)
    embedding_size: int = Field(0, ge=0)
    """Elements of an embedding; 0: as of a hidden state."""
    type_vocab_size: int = Field(2, ge=0)
    """Kinds of token that the embeddings know; 0: they know none."""
    pad_token_id: int | None = 0
    counts_from_pad: bool = False
    """Positions are counted from after the padding id."""
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = Field(0.1, ge=0, lt=1)
    attention_probs_dropout_prob: float = Field(0.1, ge=0, lt=1)
    layer_norm_eps: float = Field(1e-12, gt=0)

    @classmethod
    def of(cls, config: Json, names: Mapping[str, str] | None = None, **known: Any) -> Self:  # Any: of the types above
        """Return the sizes.

        :param config: config.json; entries that are null count as not there.
        :param names: a size → what config.json calls it, where that is another name.
        :param known: what the family says where config.json does not.
        :raises ArtefactCorrupt: where an entry is not what it must be, or the heads do not divide a hidden state.
        """
        named = {field: (names or {}).get(field, field) for field in cls.model_fields}
        given = {field: config[name] for field, name in named.items() if config.get(name) is not None}
        try:
            sizes = cls.model_validate({**known, **given})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0])
            name = named.get(field, field)
            said = f"says {name} = {repr(given[field])[:100]}: {first['msg']}" if field in given else f"does not say {name}"
            raise ArtefactCorrupt(f"config.json {said}.", do=DO) from error
        if sizes.hidden_size % sizes.num_attention_heads:
            raise ArtefactCorrupt(
                f"config.json says {named['num_attention_heads']} = {sizes.num_attention_heads}, which does not divide "
                f"{named['hidden_size']} = {sizes.hidden_size}.",
                do=DO,
            )
        return sizes
