"""Choice by likelihood: a backbone that writes says how likely each option is after the question. No training at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_multiple_choice.choosing import Choosing, Side, numbers
from functory_multiple_choice.types import AnsweredQuestion, ChoiceOptions, Question
from functory_sdk import (
    Array,
    BackboneSpec,
    Demonstration,
    Demonstrations,
    Encoded,
    Frame,
    Port,
    Reader,
    Row,
    TooLong,
    scored_port,
    template_frame,
)
from functory_sdk.spans.scripts import going_on


class Likelihood(Choosing):
    """A row for each option: the prompt, then the option, whose mean log-probability a token is the row's output.

    :raises OptionError: for a prompt without a place for a question or a context.
    """

    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"
    port: ClassVar[str] = "log_probability"

    def __init__(self, options: ChoiceOptions) -> None:
        self.options = options
        self._frames = {True: template_frame(options.prompt, ("context", "question")), False: _without_context(options.prompt)}
        self._silent = Frame((self._frames[False].pieces[-1].strip() or "\n",), ())

    def inputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (scored_port(spec),)

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port("log_probability", "float32"),)

    def encode(self, inputs: Sequence[Question], reader: Reader, state: Any) -> Encoded:
        encoded = Encoded(rows=[], owner=[], side=[])
        demonstrations = Demonstrations(state.shown, reader, self._demonstrated)
        for index, value in enumerate(inputs):
            options, notes = _written(value.options, reader)
            frame, texts = self._put(value)
            spare = max(map(len, options))
            [prompt] = demonstrations.prompts([texts], frame, spare=spare)
            asked = [prompt, *(demonstrations.prompts([()], self._silent, spare=spare) if self.options.calibrate else ())]
            encoded.rows += [reader.written(one.ids, option) for one in asked for option in options]
            encoded.owner += [index] * len(asked) * len(options)
            of_row = tuple(range(len(options))) * len(asked)
            units = tuple(map(self._unit, value.options, map(len, options)))
            encoded.side.append(Side(value.options, of_row, units, (*prompt.notes, *notes)))
        return encoded

    def scores(self, side: Side, outputs: Sequence[Row]) -> Array:
        """The log-probability of each option for its length, (options,); without the question's, where it is calibrated."""
        means = numbers(outputs, "log_probability").reshape(-1, len(side.options))
        likely = means * np.asarray(side.units)
        scores: Array = likely[0] - likely[1] if len(likely) > 1 else likely[0]
        return scores

    def _put(self, value: Question) -> tuple[Frame, tuple[str, ...]]:
        """Return the frame of a question, and its texts."""
        frame = self._frames[bool(value.context.strip())]
        return frame, tuple(getattr(value, name) for name in frame.fields)

    def _demonstrated(self, example: Mapping[str, Any]) -> Demonstration:
        """Return an example as it is shown: the question, then its right option."""
        answered = AnsweredQuestion.model_validate(example)
        return Demonstration(*self._put(answered), going_on(answered.right))

    def _unit(self, option: str, tokens: int) -> float:
        """Return what a mean over tokens is multiplied by."""
        if self.options.length == "tokens":
            return 1.0
        return tokens / len(option) if self.options.length == "characters" else float(tokens)


def _written(options: Sequence[str], reader: Reader) -> tuple[list[Array], tuple[str, ...]]:
    """Return the tokens of each option, (tokens,), and what was cut: one fills half of the context at most.

    :raises TooLong: for a longer one, where the rule is "refuse".
    """
    found = [tokens.ids for tokens in reader.tokenizer.tokens([going_on(option) for option in options])]
    most = reader.max_tokens // 2
    if max(map(len, found)) <= most:
        return found, ()
    if reader.long_text == "refuse":
        raise TooLong(
            f"option has {max(map(len, found))} tokens; {most} fit.",
            do='shorten it, or build the function with long_text = "cut".',
        )
    return [ids[:most] for ids in found], (f"option cut at {most} tokens",)


def _without_context(prompt: str) -> Frame:
    """Return the frame where there is no context: without its place, and the white space around that."""
    before, _, after = prompt.partition("{context}")
    return template_frame((before.rstrip() + "\n" if before.strip() else "") + after.lstrip(), ("question",))
