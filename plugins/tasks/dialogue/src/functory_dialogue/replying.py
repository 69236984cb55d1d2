"""How a conversation is read: as many of its last turns as there is room for, each whole, in the backbone's chat template or as
lines of a script.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from functory_dialogue.types import Conversation, DialogueOptions
from functory_sdk import (
    BackboneSpec,
    Frame,
    NotSupported,
    OptionError,
    Prompt,
    Reader,
    Stops,
    Tokenizer,
    TooLong,
    Write,
    turns_frame,
)


class Reply(Write):
    """The last turns of a conversation, in a frame of as many.

    :param options: the task's.
    :param spec: the backbone's facts.
    :param prompt_of: asked for nothing here.
    :param gold: the field of an example that holds the next turn.
    """

    options: DialogueOptions

    def __init__(self, options: DialogueOptions, spec: BackboneSpec, prompt_of: Callable[[Any], str], gold: str) -> None:
        self._is_chat, self._template = bool(spec.chat_template) and options.chat != "off", spec.chat_template
        plain = options if self._is_chat else options.model_copy(update={"system": ""})  # a script has a place for it
        super().__init__(plain, spec, prompt_of, gold)
        self.options = options

    def stops(self, tokenizer: Tokenizer) -> Stops:
        """Return where a turn ends: in a script where the other one speaks."""
        script = () if self._is_chat else (f"\n{self.options.names[0]}:",)
        return Stops(tokenizer, (*self.decoding.stop, *script))

    def prompts(self, inputs: Sequence[Conversation], reader: Reader) -> list[Prompt]:
        return [self._prompt(value.turns, value.system, reader) for value in inputs]

    def framed_turns(self, count: int, *, has_system: bool = False) -> Frame:
        """Return what stands around so many turns, of which the last is the user's.

        :param has_system: whether a text of the caller's is told before them.
        """
        if self._is_chat:
            return turns_frame(self._template, count, self.options.system, has_system=has_system)
        user, own = self.options.names
        names = [user if (count - place) % 2 else own for place in range(count)]
        first = f"{self.options.system}\n\n" if self.options.system else ""
        begin = [first, f"\n\n{names[0]}: "] if has_system else [f"{first}{names[0]}: "]
        pieces = [*begin, *(f"\n{name}: " for name in names[1:]), f"\n{own}:"]
        fields = tuple(f"turns.{place}" for place in range(count))
        return Frame(tuple(pieces), ("system", *fields) if has_system else fields)

    def _prompt(self, turns: Sequence[str], system: str, reader: Reader) -> Prompt:
        """Return the prompt of a conversation: of its turns the last that fit, beginning with a user's; where the very last does
        not fit, what there is room for of it.

        :raises TooLong: where turns would be left out, and the rule is "refuse".
        """
        kept = self._kept(turns, system, reader)
        left = len(turns) - kept
        if left and not self.options.most_turns and reader.long_text == "refuse":
            raise TooLong(
                f"the conversation has {len(turns)} turns; the last {kept} fit.",
                do='leave earlier ones out, or build the function with long_text = "cut".',
            )
        texts = (system, *turns[-kept:]) if system else tuple(turns[-kept:])
        frame = self.framed_turns(kept, has_system=bool(system))
        [prompt] = reader.prompts([texts], frame, spare=self.decoding.max_new_tokens)
        told = (f"the first {left} of {len(turns)} turns were left out",) if left else ()
        return replace(prompt, notes=(*told, *prompt.notes))

    def _kept(self, turns: Sequence[str], system: str, reader: Reader) -> int:
        """Return how many of the last turns fit: so many that a user's is the first, or all of them."""
        most = min(len(turns), self.options.most_turns or len(turns))
        sizes = [len(tokens) for tokens in reader.tokenizer.tokens(list(turns[-most:]))]
        told = len(reader.tokenizer.tokens([system])[0]) if system else 0
        sums = [told + size for size in accumulate(reversed(sizes))]  # of the last turn, the last two …

        def fits(count: int) -> bool:
            return self._fits(count, sums[count - 1], reader, has_system=bool(system))

        odd = range(1, most + 1, 2)
        fitting = bisect_left(odd, True, key=lambda count: not fits(count))
        kept = odd[max(0, fitting - 1)]
        is_whole = most == len(turns) == kept + 1 and self._bears(most, has_system=bool(system)) and fits(most)
        return most if is_whole else kept

    def _fits(self, count: int, tokens: int, reader: Reader, *, has_system: bool) -> bool:
        """Return whether so many turns fit, which have so many tokens."""
        if tokens > reader.max_tokens:
            return False
        try:
            return tokens <= reader.room(self.framed_turns(count, has_system=has_system), spare=self.decoding.max_new_tokens)
        except OptionError:  # the frame alone is too long
            return False

    def _bears(self, count: int, *, has_system: bool) -> bool:
        """Return whether the frame takes so many turns: some templates want a user's first."""
        try:
            return bool(self.framed_turns(count, has_system=has_system))
        except NotSupported:
            return False
