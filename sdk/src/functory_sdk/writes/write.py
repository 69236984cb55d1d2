"""Writing: one request for each prompt, and what is taught of it: how likely the right text is after its prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.controlling import Control
from functory.contracts.decoding import Decoding, Finish, Request, Steer
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Array, Encoded, Port, Row, Taught
from functory.errors import NotSupported, OptionError
from functory.reading.prompts import Frame, Prompt, chat_frame, scored_port, template_frame
from functory.reading.reader import Reader
from functory.reading.stopping import Stops
from functory_sdk.bounds import bounded
from functory_sdk.writes.types import WriteOptions, Written


@dataclass(frozen=True)
class Side:
    """What decoding needs of a prompt: how its tokens are read, how many there may be, and what is to be said."""

    stops: Stops
    most: int
    notes: tuple[str, ...]

    def read(self, tokens: Sequence[int]) -> tuple[str, Finish]:
        """Return the text of tokens, and why it ends there."""
        text, is_stopped = self.stops.text(tokens)
        return text, "stop" if is_stopped else "length" if len(tokens) >= self.most else "end"

    def pieces(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Return what each token adds to the text: together they are the text."""
        whole, told, found = self.stops.text(tokens)[0], 0, []
        for count in range(1, len(tokens) + 1):
            upto = len(self.stops.told(tokens[:count])) if count < len(tokens) else len(whole)
            found.append(whole[told : max(told, upto)])
            told = max(told, upto)
        return tuple(found)


class Write(Formulation):
    """The prompt in its frame (chat template or special tokens) is what the backbone goes on from.

    :param options: the task's.
    :param spec: the backbone's facts.
    :param prompt_of: the prompt of an input.
    :param gold: the field of an example that holds the right text.
    :raises NotSupported: where a chat template is asked for and the backbone has none, or where that template fails.
    :raises OptionError: where a system text has no template to stand in.
    """

    program: ClassVar[Literal["forward", "generate"]] = "generate"
    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"
    decoding: Decoding
    takes_control: ClassVar[bool] = True

    def __init__(self, options: WriteOptions, spec: BackboneSpec, prompt_of: Callable[[Any], str], gold: str) -> None:
        if options.chat == "on" and not spec.chat_template:
            raise NotSupported(f"{spec.reference!r} has no chat template.", do='use chat = "off" or "auto".')
        self.options, self.decoding, self._prompt_of, self._gold = options, Decoding.of(options), prompt_of, gold
        is_chat = bool(spec.chat_template) and options.chat != "off"
        self._frame = chat_frame(spec.chat_template, options.system) if is_chat else Frame()
        if options.system and not is_chat:
            raise OptionError(
                "system is told by a chat template, and none is used.", do='write it into the prompt, or use chat = "on".'
            )

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Any) -> Encoded:
        prompts = self.prompts(inputs, reader)
        return Encoded([], [], [self.side(reader, prompt.notes) for prompt in prompts], self.requests(prompts, reader))

    def requests(self, prompts: Sequence[Prompt], reader: Reader) -> list[Request]:
        """Return what is asked of a session for prompts."""
        how = self.decoding
        stop_ids = self.stop_ids(reader)
        stops = self.stops(reader.tokenizer)
        ends = stops if stops.is_needed else None
        guide = None if how.guide is None else bounded(how.guide).guide
        start, never = self.start(reader), frozenset(reader.spec.never_ids)
        _check_room(reader.spec, len(start), how.max_new_tokens)
        told = how, stop_ids, ends, guide, reader.tokenizer, start, never, self.steer(how.control, reader)
        return [Request(tuple(prompt.ids.tolist()), *told) for prompt in prompts]

    def steer(self, control: Control | None, reader: Reader) -> Steer | None:
        """Return what holds texts to a control, in a request; None where it decides nothing.

        :raises OptionError: where no text meets it.
        """
        if control is None:
            return None
        from functory_sdk.writes.controls.steering import steering

        stops = self.stops(reader.tokenizer).strings
        most = self.decoding.max_new_tokens
        return steering(control, reader.tokenizer, reader.spec.vocabulary, most, self.stop_ids(reader), stops)

    def stop_ids(self, reader: Reader) -> frozenset[int]:
        """Return the tokens that end a text."""
        tokenizer = reader.tokenizer
        signs = {tokenizer.id(stop) for stop in self.decoding.stop if stop in tokenizer.signs}  # which no text spells
        return frozenset(reader.spec.end_ids) | {sign for sign in signs if sign is not None}

    def start(self, reader: Reader) -> tuple[int, ...]:
        """Return the tokens that every text begins with and that are no part of it; by default the backbone's."""
        return reader.spec.first_ids

    def side(self, reader: Reader, notes: Sequence[str] = ()) -> Side:
        """Return what decoding needs of an input."""
        how = self.decoding
        bounds = () if how.guide is None else bounded(how.guide).notes
        return Side(self.stops(reader.tokenizer), how.max_new_tokens, (*notes, *bounds))

    def frame_of(self, value: Any) -> Frame:
        """Return what stands around the prompt of an input: what a prompt that is too long is not cut of."""
        return self._frame

    def framed(self, template: str, fields: Sequence[str] = ("text",), option: str = "prompt") -> Frame:
        """Return a template in the backbone's frame.

        :param fields: the places for texts in it, in braces.
        :param option: what the template is called, for the error.
        :raises OptionError: for a field that has no place, or two.
        """
        return self._frame.around(template_frame(template, fields, option))

    def prompts(self, inputs: Sequence[Any], reader: Reader) -> list[Prompt]:
        """Return the prompt of each input, in its frame, cut where it is too long."""
        frames = [self.frame_of(value) for value in inputs]
        found: dict[int, Prompt] = {}
        for frame in dict.fromkeys(frames):
            places = [place for place, one in enumerate(frames) if one == frame]
            texts = [self._prompt_of(inputs[place]) for place in places]
            found |= dict(zip(places, reader.prompts(texts, frame, spare=self.decoding.max_new_tokens), strict=True))
        return [found[place] for place in range(len(inputs))]

    def inputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (scored_port(spec),)

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port("log_probability", "float32"),)

    def teach(self, examples: Sequence[Any], inputs: Sequence[Any], reader: Reader, state: Any) -> Taught:
        """Return a row for each example: the right text after its prompt, and the token that ends it. No token of the prompt
        counts. A text that has more tokens than may be written is taught as far as it goes, and has no end.
        """
        return self.taught(self.prompts(inputs, reader), [getattr(example, self._gold) for example in examples], reader)

    def taught(self, prompts: Sequence[Prompt], texts: Sequence[str], reader: Reader) -> Taught:
        """Return a row for each prompt with the right text after it."""
        read = reader.tokenizer.writer.tokens(texts)
        targets = [self._target(tokens.ids, reader.spec) for tokens in read]
        start = self.start(reader)
        rows = [reader.written(prompt.ids, target, start) for prompt, target in zip(prompts, targets, strict=True)]
        return Taught(rows, list(range(len(rows))), notes=self._doubts([len(tokens) for tokens in read]))

    def _doubts(self, lengths: Sequence[int]) -> tuple[str, ...]:
        most, count = self.decoding.max_new_tokens, len(lengths)
        long = sum(length >= most for length in lengths)
        told = f"{long:,} of {count:,} right texts have max_new_tokens ({most}) or more and are taught without their end"
        return (told,) if long else ()

    def _target(self, ids: Array, spec: BackboneSpec) -> Array:
        """Return the tokens of a text as they should come, (tokens,)."""
        most = self.decoding.max_new_tokens
        return ids[:most] if len(ids) >= most else np.append(ids, np.asarray(spec.end_ids[:1], dtype=ids.dtype))

    def appraise(self, outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Any) -> Mapping[str, float]:
        """How likely the right texts are, as the mean of their tokens' log-probabilities: nothing is written for it."""
        return {"log_probability": float(np.mean([float(row["log_probability"]) for rows in outputs for row in rows]))}

    def decode(self, side: Any, outputs: Sequence[Row], state: Any) -> Any:
        first, *others = [row["tokens"].tolist() for row in outputs]
        text, finish = side.read(first)
        return Written(
            text=text, tokens=len(first), finish=finish, others=tuple(side.read(tokens)[0] for tokens in others),
            log_probabilities=tuple(np.asarray(outputs[0].get("log_probability", ()), float).tolist()),
            pieces=side.pieces(first) if self.decoding.likelihoods else (), notes=(*side.notes, *self._unheld(text)),
        )  # fmt: skip

    def _unheld(self, text: str) -> tuple[str, ...]:
        """Return what the output says of a control that does not hold: a search may have been given up."""
        if self.decoding.control is None:
            return ()
        from functory_sdk.writes.controls.faults import faults

        found = faults(self.decoding.control, text)
        return (f"the control does not hold: {'; '.join(found)}",) if found else ()


def _check_room(spec: BackboneSpec, start: int, most: int) -> None:
    """Refuse to write more than an encoder-decoder has places for; a decoder's are those of its prompt.

    :raises OptionError: naming both numbers.
    """
    from functory_sdk.families import family_of

    room = spec.context - 1 - start
    if spec.architecture == "encoder-decoder" and most > room and not family_of(spec.family, spec.reference).is_endless:
        raise OptionError(
            f"max_new_tokens is {most:,}; {spec.reference!r} has places for {room:,} tokens to write.", do="ask for fewer."
        )
