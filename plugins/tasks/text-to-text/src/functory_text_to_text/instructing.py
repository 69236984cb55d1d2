"""An instruction and its input as one prompt: as a T5 was trained to read them, or as one would write to a person."""

from __future__ import annotations

from collections.abc import Sequence

from functory_sdk import Frame, Prompt, Reader, Write
from functory_text_to_text.types import Instructed, InstructOptions


class Instruct(Write):
    """The instruction is never cut; of an input that is too long the end is."""

    options: InstructOptions

    def prompts(self, inputs: Sequence[Instructed], reader: Reader) -> list[Prompt]:
        frame = Frame((self._frame.pieces[0], "", self._frame.pieces[1]), ("instruction", "input"), self._frame.is_chat)
        return [self._prompt(value, frame, reader) for value in inputs]

    def instruction(self, value: Instructed, reader: Reader) -> str:
        """Return what stands before an input, with what parts the two: a space after a colon, as T5 has it, else an empty line.

        An encoder-decoder was trained on one line.
        """
        told = value.instruction or self.options.instruction
        if not told or not value.input:
            return told
        is_prefix = told.rstrip().endswith((":", "：")) or reader.spec.architecture == "encoder-decoder"
        return told.rstrip() + (" " if is_prefix else "\n\n")

    def _prompt(self, value: Instructed, frame: Frame, reader: Reader) -> Prompt:
        """Return one prompt.

        :raises TooLong: where the two are too long, and the rule is "refuse".
        """
        [prompt] = reader.prompts([(self.instruction(value, reader), value.input)], frame, spare=self.decoding.max_new_tokens)
        return prompt
