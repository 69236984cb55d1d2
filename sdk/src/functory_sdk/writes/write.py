"""Generation: one request for each prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Encoded, Request, Row
from functory.contracts.task import State
from functory.errors import NotSupported, OptionError
from functory.reading.prompts import Frame, chat_frame
from functory.reading.reader import Reader
from functory_sdk.writes.types import WriteOptions, Written


@dataclass(frozen=True)
class Side:
    """What decoding needs of a prompt: the tokenizer that its tokens are read with, and what is to be said."""

    reader: Reader
    notes: tuple[str, ...]


class Write(Formulation):
    """The prompt in its frame (chat template or special tokens) is what the backbone goes on from.

    :param options: the task's.
    :param spec: the backbone's facts.
    :param prompt_of: the prompt of an input.
    :raises NotSupported: where a chat template is asked for and the backbone has none, or where that template fails.
    :raises OptionError: where a system text has no template to stand in.
    """

    program: ClassVar[Literal["forward", "generate"]] = "generate"

    def __init__(self, options: WriteOptions, spec: BackboneSpec, prompt_of: Callable[[Any], str]) -> None:
        if options.chat == "on" and not spec.chat_template:
            raise NotSupported(f"{spec.reference!r} has no chat template.", do='use chat = "off" or "auto".')
        self.options, self._prompt_of = options, prompt_of
        is_chat = bool(spec.chat_template) and options.chat != "off"
        self._frame = chat_frame(spec.chat_template, options.system) if is_chat else Frame()
        if options.system and not is_chat:
            raise OptionError(
                "system is told by a chat template, and none is used.", do='write it into the prompt, or use chat = "on".'
            )

    def encode(self, inputs: Sequence[Any], reader: Reader, state: State) -> Encoded:
        most, ends = self.options.max_new_tokens, frozenset(reader.spec.end_ids)
        prompts = reader.prompts([self._prompt_of(value) for value in inputs], self._frame, spare=most)
        requests = [Request(tuple(prompt.ids.tolist()), most, ends) for prompt in prompts]
        return Encoded(rows=[], owner=[], side=[Side(reader, prompt.notes) for prompt in prompts], requests=requests)

    def decode(self, side: Side, outputs: Sequence[Row], state: State) -> Written:
        tokens = [int(token) for token in outputs[0]["tokens"]]
        finish: Literal["end", "length"] = "length" if len(tokens) >= self.options.max_new_tokens else "end"
        return Written(text=side.reader.tokenizer.text(tokens), tokens=len(tokens), finish=finish, notes=side.notes)
