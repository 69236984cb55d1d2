"""How code is asked for: the answer of a model that goes on from its prompt begins within a block of code, and ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functory_code.blocks import FENCE, checked, extracted, named, until_fence
from functory_code.types import Code, CodeOptions, Tested, Wanted
from functory_sdk import (
    BackboneSpec,
    Encoded,
    Frame,
    Prompt,
    Reader,
    Row,
    Stops,
    Taught,
    Tokenizer,
    Write,
    template_frame,
)
from functory_sdk.writes.write import Side

END = f"\n{FENCE}"


@dataclass(frozen=True)
class Begun(Side):
    """What is kept of an input besides: how its code begins."""

    start: str = ""


class Coding(Write):
    """One request for each piece of code.

    :param options: the task's.
    :param spec: the backbone's facts.
    :raises OptionError: for a prompt without a place for the text.
    """

    options: CodeOptions

    def __init__(self, options: CodeOptions, spec: BackboneSpec) -> None:
        super().__init__(options, spec, str, "reference")
        self.options, self._is_chat = options, self._frame.is_chat
        self._is_begun = options.block and spec.architecture == "decoder"
        self._asking = template_frame(options.prompt.replace("{language}", options.language), ("text",))

    def stops(self, tokenizer: Tokenizer) -> Stops:
        """Return where code ends: where its block is closed."""
        return Stops(tokenizer, (*self.decoding.stop, *((END,) if self._is_begun else ())))

    def encode(self, inputs: Sequence[Wanted], reader: Reader, state: Any) -> Encoded:
        prompts = self.prompts(inputs, reader)
        sides = [
            Begun(**vars(self.side(reader, prompt.notes)), start=self._parted(value.start)[0] if self._is_begun else "")
            for value, prompt in zip(inputs, prompts, strict=True)
        ]
        return Encoded([], [], sides, self.requests(prompts, reader))

    def prompts(self, inputs: Sequence[Wanted], reader: Reader) -> list[Prompt]:
        return [self._prompt(value, reader) for value in inputs]

    def frame_of(self, value: Wanted) -> Frame:
        """Return what stands around what is wanted and the beginning of the code.

        A model that does not converse goes on with a beginning as it stands, where no words say what is wanted.
        """
        before, after = self._frame.pieces
        asked, wanted = self._asking.pieces if self._is_chat and value.text.strip() else ("", "")
        if not self._is_begun:
            return self._framed(before + asked, wanted + ("\n\n" if value.start else ""), after)
        opened = f"{FENCE}{self.options.language}\n"
        if self._is_chat:
            return self._framed(before + asked, wanted + after + opened, "")
        return self._framed(before, f"\n\n{opened}" if value.text.strip() else "", after)

    def _framed(self, *pieces: str) -> Frame:
        return Frame(pieces, ("text", "start"), self._is_chat)

    def teach(self, examples: Sequence[Tested], inputs: Sequence[Wanted], reader: Reader, state: Any) -> Taught:
        """Return a row for each example: its reference, and the end of its block, after what is wanted."""
        prompts = self.prompts(inputs, reader)
        return self.taught(prompts, [self._written(self._parted(one.start)[1] + one.reference) for one in examples], reader)

    def decode(self, side: Begun, outputs: Sequence[Row], state: Any) -> Code:
        written = super().decode(side, outputs, state)
        code, *others = (self._code(text, side.start) for text in (written.text, *written.others))
        is_valid, fault = checked(code, self.options.language)
        unchecked = () if is_valid is not None else (f"the syntax of {self.options.language} is not checked",)
        return Code(
            **{name: getattr(written, name) for name in type(written).model_fields if name != "notes"},
            code=code, language=named(self.options.language), is_valid=is_valid, fault=fault, other_codes=tuple(others),
            notes=(*written.notes, *unchecked),
        )  # fmt: skip

    def _prompt(self, value: Wanted, reader: Reader) -> Prompt:
        texts = (self._wanted(value), self._parted(value.start)[0])
        [prompt] = reader.prompts([texts], self.frame_of(value), spare=self.decoding.max_new_tokens)
        return prompt

    def _parted(self, start: str) -> tuple[str, str]:
        """Return the beginning of code, and the white space at its end, which is for the backbone to write: its tokens hold the
        end of one line with the indentation of the next, and after a beginning that parts them it knows no way on.
        """
        if not self._is_begun:
            return start, ""
        begun = start.rstrip()
        return begun, start[len(begun) :]

    def _wanted(self, value: Wanted) -> str:
        """Return the words that say what is wanted; where there are none, a model that converses is shown the beginning."""
        if value.text.strip() or not (self._is_chat and self._is_begun):
            return value.text
        return f"Complete this code:\n\n{FENCE}{self.options.language}\n{value.start.rstrip()}{END}"

    def _code(self, text: str, start: str) -> str:
        """Return the code of what was written."""
        return start + until_fence(text) if self._is_begun else extracted(text, self.options.language)

    def _written(self, reference: str) -> str:
        """Return right code as it should be written."""
        return reference.rstrip() + END if self._is_begun else f"{FENCE}{self.options.language}\n{reference.rstrip()}{END}"
