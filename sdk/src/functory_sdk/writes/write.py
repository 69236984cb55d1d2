"""Generation: one request for each prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Array, Encoded, Request, Row
from functory.contracts.task import Formulation, State
from functory.errors import NotSupported, OptionError, TooLong
from functory.reading.reader import Reader
from functory_sdk.writes import chat
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
        self._frame = chat.frame(spec.chat_template, options.system) if is_chat else None
        if options.system and self._frame is None:
            raise OptionError(
                "system is told by a chat template, and none is used.", do='write it into the prompt, or use chat = "on".'
            )

    def encode(self, inputs: Sequence[Any], reader: Reader, state: State) -> Encoded:
        before, after = self._around(reader)
        target = 0 if reader.spec.architecture == "encoder-decoder" else self.options.max_new_tokens
        room = reader.max_tokens - target - len(before) - len(after)
        if room < 1:
            raise OptionError(
                f"max_new_tokens = {target} and the frame of {len(before) + len(after)} tokens "
                f"fill the context of {reader.max_tokens}.",
                do="ask for fewer tokens.",
            )
        encoded = Encoded(rows=[], owner=[], side=[], requests=[])
        for tokens in reader.tokenizer.tokens([self._prompt_of(value) for value in inputs]):
            if len(tokens) > room and reader.long_text == "refuse":
                raise TooLong(f"a prompt has {len(tokens)} tokens; {room} fit.", do='shorten it, or use long_text = "cut".')
            row = np.concatenate([before, tokens.ids[:room], after])
            if not len(row):  # nothing to go on from: a text begins where another ended
                row = np.asarray([next(iter(reader.spec.end_ids), reader.spec.pad_id)])
            encoded.side.append(Side(reader, (f"cut at {room} tokens",) if len(tokens) > room else ()))
            encoded.requests.append(
                Request(tuple(map(int, row)), self.options.max_new_tokens, frozenset(reader.spec.end_ids))
            )
        return encoded

    def decode(self, side: Side, outputs: Sequence[Row], state: State) -> Written:
        tokens = [int(token) for token in outputs[0]["tokens"]]
        finish: Literal["end", "length"] = "length" if len(tokens) >= self.options.max_new_tokens else "end"
        return Written(text=side.reader.tokenizer.text(tokens), tokens=len(tokens), finish=finish, notes=side.notes)

    def _around(self, reader: Reader) -> tuple[Array, Array]:
        """Return the tokens before and after a prompt."""
        if self._frame is not None:
            return chat.ids(reader.tokenizer, *self._frame)
        before, _, after = reader.tokenizer.frame
        # A decoder goes on from the prompt's last word, not from an end; an encoder reads the whole frame.
        return before, after if reader.spec.architecture == "encoder-decoder" else after[:0]
