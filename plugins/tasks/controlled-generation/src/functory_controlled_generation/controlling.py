"""The formulation: each input has a control of its own, which the prompt tells and the writing holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from functory_controlled_generation.telling import told
from functory_controlled_generation.types import Asked, Controlled, ControlledOptions
from functory_sdk import (
    BackboneSpec,
    Control,
    Encoded,
    Frame,
    InputError,
    OptionError,
    Prompt,
    Reader,
    Request,
    Row,
    complaint,
    faults,
)
from functory_sdk.writes.write import Side, Write


@dataclass(frozen=True)
class Held(Side):
    """What is kept of an input besides: what is asked of its text."""

    control: Control = field(default_factory=Control)


class Controlling(Write):
    """A request for each input, under what the options and the input ask.

    :param options: the task's.
    :param spec: the backbone's facts.
    """

    options: ControlledOptions

    def __init__(self, options: ControlledOptions, spec: BackboneSpec) -> None:
        super().__init__(options, spec, lambda value: str(value.text), "reference")

    def control(self, value: Asked) -> Control:
        """Return all that is asked of an input's text.

        :raises InputError: where input and options do not go together.
        """
        try:
            return Control.model_validate(value.beside(self.decoding.control))
        except ValidationError as error:
            raise InputError(f"what is asked does not go together: {complaint(error)}.", do="leave one of them out.") from None

    def frame_of(self, value: Asked) -> Frame:
        """Return what stands around the prompt: texts that it is to be like before it, what is asked after it."""
        before, after = told(value.text, self.control(value) if self.options.is_told else Control(), self.options.like)
        return self._frame.around(Frame((before, after)))

    def encode(self, inputs: Sequence[Asked], reader: Reader, state: Any) -> Encoded:
        prompts = self.prompts(inputs, reader)
        controls = [self.control(value) for value in inputs]
        sides = [
            Held(**vars(self.side(reader, prompt.notes)), control=control)
            for prompt, control in zip(prompts, controls, strict=True)
        ]
        return Encoded([], [], sides, self._requests(prompts, controls, reader))

    def _requests(self, prompts: Sequence[Prompt], controls: Sequence[Control], reader: Reader) -> list[Request]:
        """Return a request for each prompt, its texts held to its own control.

        :raises InputError: where no text meets one.
        """
        free = self.using(self.decoding.model_copy(update={"control": None, "likelihoods": True}))
        made = {control.model_dump_json(): control for control in controls if self.options.is_held}
        try:
            steers = {key: self.steer(control, reader) for key, control in made.items()}
        except OptionError as error:
            raise InputError(error.what, do=error.do) from None
        asked = zip(Write.requests(free, prompts, reader), controls, strict=True)
        return [replace(request, steer=steers.get(control.model_dump_json())) for request, control in asked]

    def decode(self, side: Held, outputs: Sequence[Row], state: Any) -> Controlled:
        first, *others = [row["tokens"].tolist() for row in outputs]
        text, finish = side.read(first)
        likely = np.asarray(outputs[0].get("log_probability", ()), dtype=np.float64)
        lacking = faults(side.control, text)
        return Controlled(
            text=text, tokens=len(first), finish=finish, others=tuple(side.read(tokens)[0] for tokens in others),
            notes=side.notes,
            log_probabilities=tuple(likely.tolist()) if self.decoding.likelihoods else (),
            is_held=not lacking, lacking=lacking, likelihood=float(likely.mean()) if len(likely) else 0.0,
        )  # fmt: skip
