"""How a text is written: what a caller may decide of it, the request that an engine is given, and the tokens that come back.

Apart from tasks and engines, because a recipe, a manifest, the command line and a single call all say it in the same words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from functory.contracts.component import Options
from functory.contracts.controlling import Control
from functory.contracts.guiding import Guide

if TYPE_CHECKING:
    from functory.contracts.rows import Array, Row
    from functory.reading.tokenizer import Tokenizer

Finish = Literal["end", "stop", "length"]
"""Why a text ended: the model ended it; a stop string came; as many tokens were written as may be."""
SURE = 100.0
"""The lead that is told where no other token could have been taken, or none was near."""


class Decoding(Options):
    """How a text is written. What is decided here is decided by nothing else: the same prompt, decoding and weights give the
    same text, alone and in any batch.
    """

    max_new_tokens: int = Field(default=64, ge=1, le=100_000, description="How many tokens are written at most.")
    temperature: float = Field(
        default=0.0, ge=0, le=100, allow_inf_nan=False,
        description="0 takes the likeliest token each time; 1 draws tokens as probable as they are; more evens them out.",
    )  # fmt: skip
    top_k: int = Field(default=0, ge=0, description="Draw among so many of the likeliest tokens; among all when 0.")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Draw among the likeliest tokens that together have this probability."
    )
    min_p: float = Field(
        default=0.0, ge=0, le=1, description="Draw among tokens that are at least this part as probable as the likeliest."
    )
    repetition_penalty: float = Field(
        default=1.0, ge=0.01, le=100, allow_inf_nan=False,
        description="Above 1, tokens that stand in the prompt or the text become less likely (Keskar et al. 2019).",
    )  # fmt: skip
    beams: int = Field(
        default=1, ge=1, le=64, description="Above 1, so many beginnings are followed at once in search of the likeliest text."
    )
    length_penalty: float = Field(
        default=1.0, ge=-10, le=10,
        description="Of beams: the power of its length that a text's log-probability is divided by; above 0 favours long ones.",
    )  # fmt: skip
    samples: int = Field(
        default=1, ge=1, le=10_000,
        description="How many texts are written for each input: drawn, at a temperature above 0, or the best that beams find.",
    )  # fmt: skip
    stop: tuple[str, ...] = Field(
        default=(), max_length=64, description="Texts at which it ends; they are no part of what is written."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Decides what is drawn, with the prompt and the sample's number.")
    likelihoods: bool = Field(default=False, description="Whether each token's log-probability is told.")
    guide: Guide | None = Field(
        default=None,
        description="What the text must be: a pydantic model or its JSON Schema, {regex = '…'}, a list of choices, or "
        "{grammar = '…'}, as Lark has it.",
    )
    control: Control | None = Field(
        default=None,
        description="What a text of free form holds, does not hold, how long it is, and what a classifier should say of it: "
        "{must = ['sun'], must_not = ['rain'], words = '20-30', toward = {function = 'sentiment', label = 'positive'}}.",
    )

    @field_validator("beams")
    @classmethod
    def _certain(cls, beams: int, info: ValidationInfo) -> int:
        if beams > 1 and info.data.get("temperature", 0) > 0:
            raise ValueError("beams search for the likeliest text and draw none; set temperature to 0, or beams to 1")
        return beams

    @field_validator("samples")
    @classmethod
    def _differ(cls, samples: int, info: ValidationInfo) -> int:
        if samples > info.data.get("beams", 1) and info.data.get("temperature") == 0:
            raise ValueError("at temperature 0 every sample is the same text; set temperature above 0, or as many beams")
        return samples

    @field_validator("control")
    @classmethod
    def _free(cls, control: Control | None, info: ValidationInfo) -> Control | None:
        if control is not None and info.data.get("guide") is not None and control != Control(toward=control.toward):
            raise ValueError("a guide says the whole form of a text: put the words and the length into it")
        return control

    @field_validator("stop", mode="before")
    @classmethod
    def _listed(cls, stop: Any) -> Any:  # Any: what a recipe or a caller says
        return (stop,) if isinstance(stop, str) else stop

    @field_validator("stop")
    @classmethod
    def _something(cls, stop: tuple[str, ...]) -> tuple[str, ...]:
        if "" in stop:
            raise ValueError("an empty text stands everywhere, and would stop each text before its first token")
        return stop

    @classmethod
    def of(cls, options: Decoding) -> Decoding:
        """Return what options that hold more besides say of decoding alone; their own defaults are said, too."""
        values = {name: getattr(options, name) for name in Decoding.model_fields}
        own = {name for name, field in Decoding.model_fields.items() if values[name] != field.default}
        return Decoding.model_construct(own | (options.model_fields_set & Decoding.model_fields.keys()), **values)


class Steered(NamedTuple):
    """Scores as they were changed.

    :param scores: float32 (vocabulary,); −∞ for tokens that may not come. Never for all.
    :param margin: by how much the scores that were given may be off without another token coming within reach.
    """

    scores: Array
    margin: float = SURE


class Steer(ABC):
    """Changes how likely each next token of a text is, in process: from its tokens and the backbone's scores, and nothing
    else, so that a text is the same alone and in any batch.
    """

    @abstractmethod
    def __call__(self, written: Sequence[int], scores: Array) -> Steered:
        """Return the scores of the next token as they should be.

        :param written: the tokens of the text so far.
        :param scores: float32 (vocabulary,), after the penalty on repetition and whatever a guide forbids, before temperature.
        """


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt that is written on, once or, for several samples, several times.

    :param ids: the prompt's tokens (for an encoder-decoder: the source's).
    :param stop_ids: tokens that end a text; they are no part of it.
    :param ends: told of all tokens of a text after each; returns whether it ends there, as where a stop string is complete.
    :param guide: what each text must be. It ends within `max_new_tokens`, the token that ends it counted, and is whole then; a
        guide that cannot be held so is refused before the first token.
    :param tokenizer: what the ids spell, for an engine that holds guides.
    :param start: tokens that every text begins with and that are no part of it, after the prompt, or after an
        encoder-decoder's first token: the language that is written.
    :param never: tokens that are not written, however likely they are.
    :param steer: changes the scores of each text's next token, in the engine's process; an engine that cannot ask it refuses.
    :param at_end: whether its tokens may all come when the last one is written: nobody looks at them before, and to wake a thread
        for each of them takes time from what is written.
    """

    ids: tuple[int, ...]
    decoding: Decoding = field(default_factory=Decoding)
    stop_ids: frozenset[int] = frozenset()
    ends: Callable[[Sequence[int]], bool] | None = field(default=None, compare=False)
    guide: Guide | None = None
    tokenizer: Tokenizer | None = field(default=None, compare=False)
    start: tuple[int, ...] = ()
    never: frozenset[int] = frozenset()
    steer: Steer | None = field(default=None, compare=False)
    at_end: bool = field(default=False, compare=False)

    def finish_of(self, written: Sequence[int], token: int) -> Finish | None:
        """Return why a text ends with its next token; None where it goes on.

        :param written: the tokens of the text before that one.
        """
        if token in self.stop_ids:
            return "end"
        if self.ends is not None and self.ends([*written, token]):
            return "stop"
        return "length" if len(written) + 1 >= self.decoding.max_new_tokens else None

    def noise(self, sample: int, step: int, vocabulary: int) -> Array:
        """Return what is added to the scores of the next token over the temperature, so that the largest sum is a token drawn by
        its probability (Gumbel 1954): float64 (vocabulary,), the same wherever, whenever and beside whatever it is computed.

        :param step: how many tokens of the text were written before.
        """
        told = np.asarray([self.decoding.seed, sample, step, *self.ids], dtype="<i8").tobytes()
        key = int.from_bytes(blake2b(told, digest_size=16).digest(), "little")
        drawn = np.random.Generator(np.random.Philox(key=key)).random(vocabulary)
        noise: Array = -np.log(np.maximum(-np.log1p(-drawn), 1e-300))
        return noise


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text, as it comes.

    :param request: the index of its request.
    :param id: the token; at the finish ``end`` the one that ends the text, which is no part of it.
    :param sample: which of the request's texts it belongs to.
    :param finish: why the text ends with it; None where it goes on.
    :param log_probability: of the token after all before it, before temperature and all that narrows the choice; None where
        the request does not ask for it.
    :param lead: by how much it led the next token, or the border of the choice, in what decided between them.
    """

    request: int
    id: int
    sample: int = 0
    finish: Finish | None = None
    log_probability: float | None = None
    lead: float = SURE

    @property
    def is_written(self) -> bool:
        """Whether it is a part of the text."""
        return self.finish != "end"


class _Text:
    """The tokens of one text, as they come."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.leads: list[float] = []
        self.likely: list[float] = []

    def append(self, token: Token) -> Self:
        if token.is_written:
            self.tokens.append(token.id)
        self.leads.append(token.lead)
        if token.log_probability is not None:
            self.likely.append(token.log_probability)
        return self

    def row(self) -> Row:
        likely = {"log_probability": np.asarray(self.likely, dtype=np.float32)} if self.likely else {}
        return {"tokens": np.asarray(self.tokens, dtype=np.int64), "lead": np.asarray(self.leads, dtype=np.float32), **likely}


def texts(requests: Sequence[Request], tokens: Iterable[Token]) -> list[list[Row]]:
    """Return, for each request, a row for each of its samples: ``tokens`` (tokens,), and with the token that ended it, where
    one did, ``lead`` and, where it was asked for, ``log_probability``.
    """
    found = [[_Text() for _ in range(request.decoding.samples)] for request in requests]
    for token in tokens:
        found[token.request][token.sample].append(token)
    return [[one.row() for one in some] for some in found]
