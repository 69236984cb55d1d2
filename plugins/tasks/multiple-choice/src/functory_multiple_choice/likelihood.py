"""Choice by likelihood: a backbone that writes says how likely each option is after the question. No training at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functory_multiple_choice.choosing import Choosing, Side, numbers
from functory_multiple_choice.types import AnsweredQuestion, ChoiceOptions, Question
from functory_sdk import (
    Array,
    Continuing,
    Demonstration,
    Demonstrations,
    Encoded,
    Frame,
    Reader,
    Row,
    continued,
    endings,
    template_frame,
)
from functory_sdk.spans.scripts import going_on


class LikelyOptions(Choosing, Continuing):
    """A row for each option: the prompt, then the option, whose mean log-probability a token is the row's output.

    :raises OptionError: for a prompt without a place for a question or a context.
    """

    def __init__(self, options: ChoiceOptions) -> None:
        self.options = options
        self._frames = {True: template_frame(options.prompt, ("context", "question")), False: _without_context(options.prompt)}
        self._silent = Frame((self._frames[False].pieces[-1].strip() or "\n",), ())

    def encode(self, inputs: Sequence[Question], reader: Reader, state: Any) -> Encoded:
        demonstrations = Demonstrations(state.shown, reader, self._demonstrated)
        return continued([self._asked(value, reader, demonstrations) for value in inputs], reader)

    def _asked(
        self, value: Question, reader: Reader, demonstrations: Demonstrations
    ) -> tuple[list[tuple[Array, list[Array]]], Side]:
        """Return the prompts of a question with the options after each, and what is kept of it."""
        options, notes = endings([going_on(option) for option in value.options], reader, "option")
        frame, texts = self._put(value)
        spare = max(map(len, options))
        [prompt] = demonstrations.prompts([texts], frame, spare=spare)
        asked = [prompt, *(demonstrations.prompts([()], self._silent, spare=spare) if self.options.calibrate else ())]
        of_row = tuple(range(len(options))) * len(asked)
        units = tuple(map(self._unit, value.options, map(len, options)))
        return [(one.ids, options) for one in asked], Side(value.options, of_row, units, (*prompt.notes, *notes))

    def scores(self, side: Side, outputs: Sequence[Row]) -> Array:
        """The log-probability of each option for its length, (options,); without the question's, where it is calibrated."""
        means = numbers(outputs, self.port).reshape(-1, len(side.options))
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


def _without_context(prompt: str) -> Frame:
    """Return the frame where there is no context: without its place, and the white space around that."""
    before, _, after = prompt.partition("{context}")
    return template_frame((before.rstrip() + "\n" if before.strip() else "") + after.lstrip(), ("question",))
