"""A composite: one function ranks passages for a question, another reads the answer in the best of them (Chen et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, StringConstraints

from functory_sdk import Input, Options, Output, Scorer, State, Task

Said = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]

NOTHING = "no answer"


class Asked(Input):
    """A question, and the passages in one of which its answer may stand."""

    question: Said = Field(description="The question.")
    passages: tuple[Said, ...] = Field(description="The passages, as many as you like.")


class Known(Asked):
    """A question with its passages and its answers."""

    answers: tuple[Said, ...] = Field(description="The right answers as a passage has them; empty where none has one.")


class Quoted(Output):
    """An answer, and where it stands."""

    answer: str | None = Field(description="The answer as its passage has it; null where no passage that was read has one.")
    passage: int | None = Field(default=None, description="Which passage it stands in, counted from 0.")
    start: int | None = Field(default=None, description="Its first character there, from 0.")
    end: int | None = Field(default=None, description="The character after its last.")
    score: float = Field(description="Its probability in that passage; of no answer, the least of the passages that were read.")


class OpenBookOptions(Options):
    """Options of the open book."""

    read: int = Field(3, ge=1, le=1000, description="How many of the passages are read, the most relevant first.")


class OpenBook(Task[OpenBookOptions]):
    """Answers a question from many passages: the most relevant are found first, and read for an answer."""

    Options: ClassVar[type[Options]] = OpenBookOptions
    Input: ClassVar = Asked
    Output: ClassVar = Quoted
    Example: ClassVar = Known
    shorthand: ClassVar[tuple[str, ...]] = ("question",)
    parts: ClassVar[Mapping[str, str]] = {"passages": "ranking", "answers": "question-answering"}
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = {"accuracy": "the share of questions whose answer is a right one, letter by letter"}

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Asked]) -> list[Quoted]:
        queries = [{"query": value.question, "candidates": list(value.passages)} for value in inputs]
        ranked = [one.items[: self.options.read] for one in parts["passages"].map(queries, progress=False)]
        pairs = [(value.question, item.text) for value, items in zip(inputs, ranked, strict=True) for item in items]
        asked = [{"question": question, "context": text} for question, text in pairs]
        answers = iter(list(parts["answers"].map(asked, progress=False)) if asked else [])
        return [self._best([(item.index, next(answers)) for item in items]) for items in ranked]

    def _best(self, read: Sequence[tuple[int, Any]]) -> Quoted:
        """Return the surest answer, the more relevant passage's where two are alike."""
        notes = tuple(dict.fromkeys(note for _, one in read for note in one.notes))
        given = [(place, one) for place, one in read if one.answer is not None]
        if not given:
            return Quoted(answer=None, score=min((one.score for _, one in read), default=1.0), notes=notes)
        place, one = max(given, key=lambda pair: pair[1].score)
        return Quoted(answer=one.answer, passage=place, start=one.start, end=one.end, score=one.score, notes=notes)

    def explained(self, output: Quoted) -> dict[str, float]:
        """The answer by its own words: of a changed input that has another one, nothing is left of it."""
        return {output.answer or NOTHING: output.score}

    def scorer(self, outputs: Sequence[Quoted], examples: Sequence[Known], state: State) -> Scorer:
        both = zip(outputs, examples, strict=True)
        right = np.asarray([(output.answer or "") in (example.answers or ("",)) for output, example in both])
        return lambda chosen: {"accuracy": float(right[chosen].mean())}

    def baseline(self, examples: Sequence[Known], state: State) -> list[Quoted]:
        """No answer to any question."""
        return [Quoted(answer=None, score=1.0)] * len(examples)

    def golden_inputs(self, state: State) -> list[Asked]:
        texts = ("The parcel arrived on Monday.", "小明住在北京。", "Nobody answered the phone.")
        asked = ("When did it arrive?", "小明住在哪里？", "Who answered?")
        return [Asked(question=question, passages=texts[place:]) for place, question in enumerate(asked)]
