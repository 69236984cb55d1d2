"""The formulation of decisions whose questions come with the text: that of `asking`, made anew for each input's questions.

Texts that say nothing are asked the same questions beside it, since no build has heard them before. Each question has rows of its
own, in which no other stands: names, order and number of questions decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functory_decision.asking import Asking, Side
from functory_decision.open_types import AskedText, Decisions, OpenOptions, Untaught
from functory_decision.questions import Question
from functory_decision.types import Decided, Decision, DecisionOptions
from functory_sdk import BackboneSpec, Continuing, Encoded, Reader, Row, Target, TooLong, continued, silent_texts


@dataclass(frozen=True)
class OpenSide:
    """What is kept of an input.

    :param asking: its questions, called q0, q1 … here: any text is a name outside.
    :param names: what they are called outside.
    :param sides: what is kept of the text, then of those that say nothing.
    :param tokens: how many were read.
    :param notes: of what was cut of the questions.
    """

    asking: Asking
    names: tuple[str, ...]
    sides: tuple[Side, ...]
    tokens: int
    notes: tuple[str, ...] = ()


class OpenAsking(Continuing):
    """A row for each answer to each question of the input.

    :raises OptionError: for a prompt without a place for the text or the question.
    :raises NotSupported: where the backbone's chat template fails.
    """

    def __init__(self, options: OpenOptions, spec: BackboneSpec) -> None:
        self.options, self._spec = options, spec
        self._asking({})

    def encode(self, inputs: Sequence[AskedText], reader: Reader, state: Untaught) -> Encoded:
        return continued([self._entry(value, reader) for value in inputs], reader)

    def decode(self, side: OpenSide, outputs: Sequence[Row], state: Untaught) -> Decisions:
        first, parts, calibrated = _parted(side, outputs)
        found = side.asking.decode(first, parts, calibrated)
        named = dict(zip(side.asking.questions, side.names, strict=True))
        return Decisions(
            answers={named[name]: found.answers[name] for name in named},
            scores={named[name]: found.scores[name] for name in named},
            tokens=side.tokens, notes=(*found.notes, *side.notes),
        )  # fmt: skip

    def lead(self, side: OpenSide, outputs: Sequence[Row], state: Untaught) -> float:
        """The least of the leads of all answers."""
        return side.asking.lead(*_parted(side, outputs))

    def targets(self, output: Decisions, side: OpenSide, state: Untaught) -> list[Target]:
        """Each answer to each question, the likeliest of a question first."""
        named = dict(zip(side.asking.questions, side.names, strict=True))
        inner = Decision.model_construct(scores={name: output.scores[outside] for name, outside in named.items()})
        found = side.asking.targets(inner, side.sides[0], Decided())
        return [one.model_copy(update={"name": _outside(one.name, named)}) for one in found]

    def value(self, target: Target, side: OpenSide, outputs: Sequence[Row], state: Untaught) -> float:
        """The log-probability of the answer among those to its question."""
        return side.asking.value(target, *_parted(side, outputs))

    def evidence(self, target: Target, side: OpenSide, outputs: Sequence[Row], state: Untaught) -> float:
        """The log-odds of the answer against the others."""
        return side.asking.evidence(target, *_parted(side, outputs))

    def _entry(self, value: AskedText, reader: Reader) -> tuple[list[Any], OpenSide]:  # Any: prompts with their endings
        """Return the prompts of an input with their endings, those of the text first, and what is kept of it."""
        questions, notes = _short(value.questions, reader)
        asking = self._asking(questions)
        words = [word for name, one in value.questions.items() for word in (one.asked(name), *one.words)]
        texts = [value.text, *silent_texts(words)[: self.options.silent]]
        entries = asking.rows_of(texts, reader)
        prompts = [prompt for several, _ in entries for prompt in several]
        tokens = sum(len(ids) for ids, _ in entries[0][0])
        return prompts, OpenSide(asking, tuple(value.questions), tuple(side for _, side in entries), tokens, notes)

    def _asking(self, questions: Mapping[str, Question]) -> Asking:
        """Return the formulation of some questions."""
        worded = [one.model_copy(update={"ask": one.asked(name)}) for name, one in questions.items()]
        named = {f"q{place}": one for place, one in enumerate(worded)}
        own = self.options
        options = DecisionOptions.model_construct(
            questions=named, prompt=own.prompt, chat=own.chat, length=own.length, calibrate=own.silent > 0
        )
        return Asking(options, _made, self._spec)


def _short(questions: Mapping[str, Question], reader: Reader) -> tuple[dict[str, Question], tuple[str, ...]]:
    """Return questions that leave room for a text, and notes of what was cut: a question has a third of the context at most, an
    answer's words a sixth.

    :raises TooLong: for longer ones, where the rule is "refuse".
    """
    most, found, notes = reader.max_tokens // 3, {}, dict[str, None]()
    for name, one in questions.items():
        ask, options = one.asked(name), one.options
        kept, words = _cut(ask, most, reader), [_cut(option.written, most // 2, reader) for option in options]
        changed: dict[str, Any] = {"ask": kept}
        if kept != ask or words != [option.written for option in options]:
            notes[f"questions cut at {most} tokens, answers at {most // 2}"] = None
            pairs = zip(options, words, strict=True)
            changed["options"] = tuple(option.model_copy(update={"words": text}) for option, text in pairs)
        found[name] = one.model_copy(update=changed)
    return found, tuple(notes)


def _cut(text: str, most: int, reader: Reader) -> str:
    """Return so many tokens of a text.

    :raises TooLong: for a longer one, where the rule is "refuse".
    """
    [tokens] = reader.tokenizer.tokens([text])
    if len(tokens.ids) <= most:
        return text
    if reader.long_text == "refuse":
        do = 'shorten it, or build the function with long_text = "cut".'
        raise TooLong(f"a question or an answer has {len(tokens.ids)} tokens; {most} fit.", where="questions", do=do)
    return text[: int(tokens.offsets[most - 1, 1])] or text[:1]


def _made(*, scores: dict[str, dict[str, float]], notes: tuple[str, ...], **answers: Any) -> Decision:
    """Return answers to questions that no type knows."""
    return _Found.model_construct(scores=scores, notes=notes, found=answers)


class _Found(Decision):
    """A decision whose answers have no fields."""

    found: dict[str, Any] = {}

    @property
    def answers(self) -> dict[str, Any]:
        return self.found


def _parted(side: OpenSide, outputs: Sequence[Row]) -> tuple[Side, Sequence[Row], Decided]:
    """Return what is kept of the text, its outputs, and how its questions are calibrated by the texts that say nothing."""
    size = len(outputs) // len(side.sides)
    parts = [outputs[start : start + size] for start in range(0, len(outputs), size)]
    silent = side.asking.heard(side.sides[1:], parts[1:], Decided()) if len(parts) > 1 else Decided()
    return side.sides[0], parts[0], silent


def _outside(name: str, named: Mapping[str, str]) -> str:
    """Return a target's name with its question's in the place of ours."""
    question, _, answer = name.partition(" ")
    return f"{named[question]} {answer}"
