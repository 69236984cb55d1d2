"""Answers of a form: what is written after a prompt is held to what the input allows, and read as the task's output.

Apart from `write`, whose texts are whatever comes: here a guide is made for each input, examples may stand in the prompt, and a
long text may be read in parts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, Field

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.decoding import Decoding
from functory.contracts.guiding import Guide
from functory.contracts.rows import Encoded, Row, Taught
from functory.errors import OptionError
from functory.reading.prompts import Frame, Prompt, template_frame
from functory.reading.reader import Reader
from functory_sdk.demonstrations import BETWEEN, Demonstration, Demonstrations
from functory_sdk.writes.types import WriteOptions
from functory_sdk.writes.write import Side, Write

EXAMPLES = "{examples}"
"""Where examples that are shown stand in a prompt; what comes after it is what each of them looks like, too."""
ROOM = 512
"""Tokens that a backbone has at least where a prompt of our own is to stand in it, with an answer."""


class HeldOptions(Options):
    """Options of tasks that may be put as a prompt whose answer has a form."""

    prompt: str = Field(
        default="",
        description="On a backbone that writes: what is read before the answer, with places in braces for the input's texts; "
        "what stands after {examples} is what each example that is shown looks like, too. One of our own when empty.",
    )
    max_new_tokens: int = Field(
        default=128, ge=1, le=100_000, description="On a backbone that writes: how many tokens an answer has at most."
    )

    chat: Literal["auto", "on", "off"] = Field(
        default="off",
        description="on: the prompt is a user's message in the backbone's chat template. off: it is continued as it stands, "
        "which suits small backbones better. auto: on where the backbone has a template.",
    )

    @property
    def write(self) -> WriteOptions:
        """The same as options of writing."""
        return WriteOptions(max_new_tokens=self.max_new_tokens, chat=self.chat)


def has_room(options: HeldOptions, spec: BackboneSpec) -> bool:
    """Return whether a backbone writes, and has room for a prompt and an answer; a caller's own prompt is theirs to fit."""
    return spec.has_logits and spec.architecture != "encoder" and (bool(options.prompt) or spec.context >= ROOM)


@dataclass(frozen=True)
class HeldSide(Side):
    """What is kept of an input: what it is, its parts, and where in it they begin."""

    value: Any = None
    parts: tuple[Any, ...] = ()

    def noted(self, value: Any, notes: Sequence[str]) -> HeldSide:
        """Return the same of a later round, with the input as it was and what was said of it before."""
        return replace(self, value=value, notes=tuple(dict.fromkeys([*notes, *self.notes])))


@dataclass(frozen=True)
class Said:
    """What was written for a part.

    :param chances: (tokens + 1,) the probability of each token, and of the one that ended the text, if one did.
    :param ends: (tokens,) the character of the text after each token.
    """

    text: str
    chances: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]

    @property
    def chance(self) -> float:
        """The probability of the whole text, as the backbone had it before it was held to anything."""
        return float(min(1.0, np.prod(self.chances))) if len(self.chances) else 1.0

    def least(self, start: int, end: int) -> float:
        """Return the probability of the least certain token of a stretch of the text."""
        starts = np.concatenate([[0], self.ends])[:-1] if len(self.ends) else self.ends
        within = self.chances[: len(self.ends)][(self.ends > start) & (starts < end)]
        return float(min(1.0, within.min())) if len(within) else 1.0


class Held(Write):
    """One request for each part of an input, whose text has the form that `guide` says.

    The prompt is a template: what is to be done, ``{examples}``, then what each input looks like, with places for its texts.

    :param options: how it is written; guide and samples are not the caller's.
    :param spec: the backbone's facts.
    :param prompt: the template.
    :param example: the task's Example, of which shown ones are.
    :raises OptionError: for a template without a place for a text.
    """

    takes_control: ClassVar[bool] = False
    tells_chances: ClassVar[bool] = True
    """Whether `read` asks how likely what was written is."""

    def __init__(self, options: WriteOptions, spec: BackboneSpec, prompt: str, example: type[BaseModel]) -> None:
        super().__init__(options, spec, str, "")
        self._before, _, self._each = prompt.rpartition(EXAMPLES)
        self._example = example
        self.gap = "" if self._frame.is_chat or self._each[-1:].isspace() else " "
        """What an answer begins with, to stand apart from a prompt that ends with a word."""

    def using(self, decoding: Decoding) -> Self:
        """:raises OptionError: for a guide of the caller's, and for several samples."""
        if decoding.guide is not None or decoding.samples > 1:
            raise OptionError("what is written here has a form of its own, and is one answer.", do="leave guide and samples out.",
                              field="guide" if decoding.guide is not None else "samples")  # fmt: skip
        return super().using(decoding)

    def fields_of(self, value: Any) -> Mapping[str, str]:
        """Return the texts of an input, or an example, by the places that the prompt has for them; its ``text`` by default."""
        return {"text": value.text}

    def each(self, value: Any) -> str:
        """Return what an input looks like in the prompt, with places for its texts."""
        return self._each

    def before(self, state: Any) -> str:
        """Return what stands before all: what is to be done."""
        return self._before

    @abstractmethod
    def guide(self, value: Any, state: Any) -> Guide | None:
        """Return what the answer to an input, or a part of one, must be; None where it may be anything."""

    @abstractmethod
    def written(self, example: Any, state: Any) -> str:
        """Return the right answer as it should be written, as the guide has it."""

    @abstractmethod
    def read(self, value: Any, parts: Sequence[Any], said: Sequence[Said], notes: tuple[str, ...], state: Any) -> Any:
        """Return the output of what was written.

        :param parts: of the input, in their order; what `parts` gave.
        :param said: what was written for each.
        """

    def parts(self, value: Any, reader: Reader, state: Any) -> tuple[list[Any], tuple[str, ...]]:
        """Return the parts of an input, or an example, that are read one by one, and notes; by default it is one."""
        return [value], ()

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Any) -> Encoded:
        split = [self.parts(value, reader, state) for value in inputs]
        flat = [part for parts, _ in split for part in parts]
        of = [index for index, (parts, _) in enumerate(split) for _ in parts]
        prompts = self._read(flat, reader, state)
        how = self.decoding.model_copy(update={"likelihoods": self.tells_chances or self.decoding.likelihoods})
        asked = [
            replace(one, decoding=how, guide=self.guide(part, state))
            for one, part in zip(self.requests(prompts, reader), flat, strict=True)
        ]
        notes = [dict.fromkeys(told) for _, told in split]
        for prompt, owner in zip(prompts, of, strict=True):
            notes[owner] |= dict.fromkeys(prompt.notes)
        sides = [
            HeldSide(**vars(self.side(reader, tuple(told))), value=value, parts=tuple(parts))
            for value, (parts, _), told in zip(inputs, split, notes, strict=True)
        ]
        return Encoded([], [], sides, asked, of)

    def decode(self, side: HeldSide, outputs: Sequence[Row], state: Any) -> Any:
        said = self.said(side, outputs)
        return self.read(side.value, side.parts[: len(said)], said, side.notes, state)

    def said(self, side: HeldSide, outputs: Sequence[Row]) -> list[Said]:
        """Return what was written for each part of an input."""
        return [_said(side, row) for row in outputs]

    def teach(self, examples: Sequence[Any], inputs: Sequence[Any], reader: Reader, state: Any) -> Taught:
        """Return a row for each part of each example: its right answer after the prompt."""
        split = [self.parts(example, reader, state)[0] for example in examples]
        flat = [part for parts in split for part in parts]
        taught = self.taught(self._read(flat, reader, state), [self.written(part, state) for part in flat], reader)
        owner = [index for index, parts in enumerate(split) for _ in parts]
        return replace(taught, owner=owner)

    def frame_for(self, value: Any, state: Any, *, is_shown: bool = False) -> Frame:
        """Return what stands around the texts of an input.

        :param is_shown: with a place for examples before them.
        """
        chat = self._frame.pieces
        own = template_frame(self.each(value), tuple(self.fields_of(value)))
        before = chat[0] + self.before(state)
        first = (before, own.pieces[0]) if is_shown else (before + own.pieces[0],)
        pieces = (*first, *own.pieces[1:-1], own.pieces[-1] + chat[1])
        return Frame(pieces, (("examples",) if is_shown else ()) + own.fields, self._frame.is_chat)

    def room(self, value: Any, reader: Reader, state: Any) -> int:
        """Return how many tokens the texts of an input may have together, beside its answer and the examples that are shown.

        :raises OptionError: where nothing is left for them.
        """
        shown = getattr(state, "shown", None)
        room = reader.room(self.frame_for(value, state), spare=self.decoding.max_new_tokens)
        if shown is None:
            return room
        [told] = self._shown([value], reader, state)
        return max(1, room - len(reader.tokenizer.tokens([told])[0]))

    def _read(self, values: Sequence[Any], reader: Reader, state: Any) -> list[Prompt]:
        """Return the prompts of inputs, or examples, those with one frame read together."""
        is_shown = getattr(state, "shown", None) is not None
        told = self._shown(values, reader, state) if is_shown else []
        frames = [self.frame_for(value, state, is_shown=is_shown) for value in values]
        found: dict[int, Prompt] = {}
        for frame in dict.fromkeys(frames):
            places = [place for place, one in enumerate(frames) if one == frame]
            texts = [self._texts(values[place], frame, told[place] if is_shown else None) for place in places]
            read = reader.prompts(texts, frame, spare=self.decoding.max_new_tokens)
            found |= dict(zip(places, read, strict=True))
        return [found[place] for place in range(len(values))]

    def _shown(self, values: Sequence[Any], reader: Reader, state: Any) -> list[str]:
        """Return the examples that are shown to each input, as a text."""
        shown = Demonstrations(state.shown, reader, lambda plain: self._demonstrated(plain, state))
        return [told + BETWEEN for told in shown.written([tuple(self.fields_of(value).values()) for value in values])]

    def _demonstrated(self, plain: Mapping[str, Any], state: Any) -> Demonstration:
        example = self._example.model_validate(plain)
        frame = template_frame(self.each(example), tuple(self.fields_of(example)))
        return Demonstration(frame, self._texts(example, frame, None), self.written(example, state))

    def _texts(self, value: Any, frame: Frame, told: str | None) -> tuple[str, ...]:
        fields = {**self.fields_of(value), **({} if told is None else {"examples": told})}
        return tuple(fields[name] for name in frame.fields)


def _said(side: HeldSide, row: Row) -> Said:
    """Return what tokens say, how likely each was, and where in the text it ends."""
    tokens = row["tokens"].tolist()
    text, _ = side.read(tokens)
    ends = [len(side.stops.tokenizer.text(tokens[: count + 1])) for count in range(len(tokens))]
    chances = np.exp(np.asarray(row.get("log_probability", np.zeros(len(tokens))), dtype=np.float64))
    return Said(text, chances, np.asarray(ends, dtype=np.int64))
