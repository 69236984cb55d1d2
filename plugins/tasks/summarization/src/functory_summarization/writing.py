"""A summary that is written: of a long text of its parts first, then of what was written of these (map-reduce)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functory_sdk import (
    BackboneSpec,
    Encoded,
    Frame,
    Limits,
    Reader,
    Row,
    State,
    Stops,
    Tokenizer,
    Write,
    Written,
    parted,
)
from functory_summarization.types import Summary, SummaryOptions, Text

TOLD = {"zh": "请用{length}概括下面的文字。\n\n{text}", "en": "Summarize the following text in {length}.\n\n{text}"}
"""What a model that converses is told."""
CONTINUED = {"zh": "{text}\n\n一句话概括：", "en": "{text}\n\nTL;DR:"}
"""What any other decoder goes on from (Radford et al. 2019, section 3.6)."""
PREFIXED, BARE = "summarize: {text}", "{text}"
"""What encoder-decoders of T5's kind were trained on, and all others: BART and its kin were told nothing."""
MOSTLY = 0.3
"""Of the letters of a Chinese text more than this part are Chinese characters."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a text between rounds.

    :param written: how what is written of it is read.
    :param parts: of each round before this one, how many parts were summarised.
    """

    written: Any
    is_chinese: bool
    parts: tuple[int, ...] = ()


class Summarise(Write):
    """An instruction and the text, in the backbone's frame.

    :param options: the task's.
    :param spec: the backbone's facts.
    :param prompt_of: the text of an input.
    :param gold: the field of an example that holds its summary.
    :raises OptionError: for an instruction without a place for the text.
    """

    options: SummaryOptions

    def __init__(self, options: SummaryOptions, spec: BackboneSpec, prompt_of: Callable[[Any], str], gold: str) -> None:
        super().__init__(options, spec, prompt_of, gold)
        kind = TOLD if spec.chat_template and options.chat != "off" else CONTINUED
        if spec.architecture == "encoder-decoder":
            kind = dict.fromkeys(TOLD, PREFIXED if "t5" in spec.family else BARE)
        own = options.instruction
        self._frames = {
            language: self.framed(own or template.replace("{length}", self._length(language)), option="instruction")
            for language, template in kind.items()
        }

    def stops(self, tokenizer: Tokenizer) -> Stops:
        return Limits(tokenizer, self.decoding.stop, self.options.sentences, self.options.words)

    def frame_of(self, value: Text) -> Frame:
        return self._frames["zh" if is_chinese(value.text) else "en"]

    def encode(self, inputs: Sequence[Text], reader: Reader, state: State) -> Encoded:
        whole = Encoded([], [], [], of=[])
        unfinished = set()
        for index, value in enumerate(inputs):
            side = Side(None, is_chinese(value.text))
            one = self._round(value.text, side, reader, [])
            whole.side += one.side
            whole.requests += one.requests
            whole.of = [*(whole.of or ()), *[index] * len(one.requests)]
            unfinished |= {index} if one.unfinished else set()
        return replace(whole, unfinished=frozenset(unfinished))

    def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: State) -> Encoded:
        """Summarise what was written of the parts, in parts again where that is too long."""
        written = [side.written.read(row["tokens"].tolist())[0].strip() for row in outputs]
        return self._round("\n".join(filter(None, written)), side, reader, list(side.parts))

    def decode(self, side: Any, outputs: Sequence[Row], state: State) -> Summary:  # a Side: between rounds more is kept
        if not outputs:
            return Summary(text="", finish="end", notes=side.written.notes)
        found: Written = super().decode(side.written, outputs, state)
        return Summary(**{name: getattr(found, name) for name in Written.model_fields})

    def _round(self, text: str, side: Side, reader: Reader, before: list[int]) -> Encoded:
        """Return what is asked for a text: its summary where it fits, else those of its parts; nothing of nothing.

        :raises TooLong: for a text that does not fit, where the rule is "refuse".
        """
        if not text.strip():
            return Encoded([], [], [replace(side, written=self.side(reader, self._notes(before)))], [], [])
        frame = self._frames["zh" if side.is_chinese else "en"]
        spare = self.decoding.max_new_tokens
        parts = [text]
        if reader.long_text == "window":
            parts = parted(text, reader.tokenizer, reader.room(frame, spare=spare))
        is_last = len(parts) == 1 or bool(before and len(parts) >= before[-1])  # what does not get shorter is cut
        if is_last:
            [prompt] = reader.prompts([text], frame, spare=spare)
            made = self.side(reader, (*self._notes(before), *prompt.notes))
            return Encoded([], [], [replace(side, written=made)], self.requests([prompt], reader), [0])
        prompts = reader.prompts(parts, frame, spare=spare)
        made = replace(self.side(reader), stops=Stops(reader.tokenizer, self.decoding.stop))
        requests = [self._partial(request, reader) for request in self.requests(prompts, reader)]
        kept = replace(side, written=made, parts=(*before, len(parts)))
        return Encoded([], [], [kept], requests, [0] * len(requests), frozenset({0}))

    def _partial(self, request: Any, reader: Reader) -> Any:
        """Return the request of a part: one text, whose length is bounded by its tokens alone, under no control."""
        stops = Stops(reader.tokenizer, self.decoding.stop)
        how = request.decoding.model_copy(update={"samples": 1, "likelihoods": False})
        return replace(request, decoding=how, ends=stops if stops.is_needed else None, steer=None)

    def _notes(self, parts: Sequence[int]) -> tuple[str, ...]:
        """Return how a long text was summarised."""
        told = ", then ".join(f"{count} parts" for count in parts)
        return (f"too long for one prompt: {told} were summarised, and their summaries together",) if parts else ()

    def _length(self, language: str) -> str:
        """Return how long a summary should be, in words."""
        sentences, words = self.options.sentences, self.options.words
        if language == "zh":
            limits = [f"不超过{sentences}句话"] if sentences else []
            return "、".join([*limits, *([f"不超过{words}个字"] if words else [])]) or "一两句话"
        limits = [_counted(sentences, "sentence")] if sentences else []
        return " and ".join([*limits, *([_counted(words, "word")] if words else [])]) or "a few sentences"


def is_chinese(text: str) -> bool:
    """Return whether a text is written in Chinese characters, at least in large part."""
    letters = [sign for sign in text[:2000] if sign.isalpha()]
    return sum("\u4e00" <= sign <= "\u9fff" for sign in letters) > MOSTLY * len(letters)


def _counted(count: int, thing: str) -> str:
    return f"at most {count} {thing}{'' if count == 1 else 's'}"
