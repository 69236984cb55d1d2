"""The formulation: a backbone that writes says how likely each answer is after the text and the question. No training at all.

Each answer is a row of its own, in which no other answer stands, so that their order decides nothing: whatever it is, the
rows are the same ones. The text comes first in all of them; the engine computes what rows share once, for all questions and
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from functory_decision.questions import Question, Value
from functory_decision.types import Calibration, Decided, Decision, DecisionOptions, Text
from functory_sdk import (
    Array,
    BackboneSpec,
    Continuing,
    Encoded,
    Frame,
    Reader,
    Row,
    Target,
    chat_frame,
    continued,
    endings,
    fitted,
    log_odds,
    log_shares,
    mean_shares,
    silent_texts,
    template_frame,
)
from functory_sdk.continuing import Endings
from functory_sdk.spans.scripts import going_on

CONTINUED = "{text}\n\nQuestion: {question}\nAnswer:"
"""The prompt of a backbone that goes on from a text."""
TOLD = "{text}\n\n{question}"
"""What a backbone with a chat template is told, as the user's message."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a text.

    :param tokens: how many each row's answer has, (rows,): those of the first question's answers first.
    :param notes: of the output.
    """

    tokens: tuple[int, ...]
    notes: tuple[str, ...] = ()


class Asking(Continuing):
    """A row for each answer to each question.

    :param output: makes the output of the answers.
    :param spec: the backbone, whose chat template the prompt stands in, where it has one.
    :raises OptionError: for a prompt without a place for the text or the question.
    :raises NotSupported: where its chat template fails.
    """

    def __init__(self, options: DecisionOptions, output: Callable[..., Decision], spec: BackboneSpec) -> None:
        self.options, self._output = options, output
        self.questions: Mapping[str, Question] = options.questions
        self._is_chat = bool(spec.chat_template) and options.chat == "auto"
        whole = template_frame(options.prompt or (TOLD if self._is_chat else CONTINUED), ("text", "question"))
        around = chat_frame(spec.chat_template).pieces if self._is_chat else ("", "")
        self._frames = [self._framed(whole, one.asked(name), around) for name, one in self.questions.items()]
        bounds = np.cumsum([0, *(len(one.values) for one in self.questions.values())])
        self._places = dict(zip(self.questions, pairwise(map(int, bounds)), strict=True))

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Decided) -> Encoded:
        return self._encoded([value.text for value in inputs], reader)

    def silent(self, reader: Reader, state: Decided) -> Encoded | None:
        if not self.options.calibrate:
            return None
        asked = [(one.asked(name), *one.words) for name, one in self.questions.items()]
        return self._encoded(silent_texts(text for several in asked for text in several), reader)

    def heard(self, sides: Sequence[Side], outputs: Sequence[Sequence[Row]], state: Decided) -> Decided:
        """Keep the mean probability of each answer where nothing is said."""
        means = {name: mean_shares(self._likely(name, sides, outputs)) for name in self.questions}
        silent = {name: Calibration(silent=tuple(map(float, one.round(6)))) for name, one in means.items()}
        return state.model_copy(update={"calibrations": silent})

    def tune(
        self, sides: Sequence[Side], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Decided
    ) -> Decided:
        """Fit slope and biases of each question to the held-out examples that answer it."""
        tuned = dict(state.calibrations)
        for name, question in self.questions.items():
            known = [place for place, example in enumerate(examples) if getattr(example, name) is not None]
            if known:
                kept = [sides[place] for place in known], [outputs[place] for place in known]
                scores = self._scores(name, *kept, state)
                golds = np.asarray([question.place_of(getattr(examples[place], name)) for place in known])
                slope, biases = fitted(scores, golds)
                before = tuned.get(name, Calibration())
                tuned[name] = before.model_copy(update={"slope": slope, "biases": biases})
        return state.model_copy(update={"calibrations": tuned})

    def decode(self, side: Side, outputs: Sequence[Row], state: Decided) -> Decision:
        shares = {name: np.exp(self._shares(name, side, outputs, state)) for name in self.questions}
        answers = {name: answer(self.questions[name], one) for name, one in shares.items()}
        scores = {
            name: dict(zip(self.questions[name].names, one.round(6).tolist(), strict=True)) for name, one in shares.items()
        }
        return self._output(**answers, scores=scores, notes=side.notes)

    def lead(self, side: Side, outputs: Sequence[Row], state: Decided) -> float:
        """The least of the leads of all answers."""
        return min(
            lead(question, np.exp(self._shares(name, side, outputs, state))) for name, question in self.questions.items()
        )

    def targets(self, output: Decision, side: Side, state: Decided) -> list[Target]:
        """Each answer to each question, the likeliest of a question first."""
        found = []
        for name, question in self.questions.items():
            first = self._places[name][0]
            order = sorted(range(len(question.values)), key=lambda place: -output.scores[name].get(question.names[place], 0))
            found += [
                Target(name=f"{name} {question.names[place]}", port=self.port, index=(), row=first + place, scale="log")
                for place in order
            ]
        return found

    def value(self, target: Target, side: Side, outputs: Sequence[Row], state: Decided) -> float:
        """The log-probability of the answer among those to its question."""
        shares, place = self._of(target, side, outputs, state)
        return float(shares[place])

    def evidence(self, target: Target, side: Side, outputs: Sequence[Row], state: Decided) -> float:
        """The log-odds of the answer against the others."""
        shares, place = self._of(target, side, outputs, state)
        return log_odds(shares, (place,))

    def _of(self, target: Target, side: Side, outputs: Sequence[Row], state: Decided) -> tuple[Array, int]:
        """Return the log-probabilities of a target's question, (answers,), and which answer the target is."""
        row = target.row or 0
        name = next(name for name, (first, end) in self._places.items() if first <= row < end)
        return self._shares(name, side, outputs, state), row - self._places[name][0]

    def _shares(self, name: str, side: Side, outputs: Sequence[Row], state: Decided) -> Array:
        """Return the log-probability of each answer to a question, (answers,)."""
        calibration = state.calibrations.get(name, Calibration())
        scores = calibration.slope * self._scores(name, [side], [outputs], state)
        shares: Array = log_shares(scores + (np.asarray(calibration.biases) if calibration.biases else 0))[0]
        return shares

    def _scores(self, name: str, sides: Sequence[Side], outputs: Sequence[Sequence[Row]], state: Decided) -> Array:
        """Return how likely each answer is, (texts, answers), without what it is where nothing is said."""
        silent = state.calibrations.get(name, Calibration()).silent
        scores: Array = log_shares(self._likely(name, sides, outputs)) - (np.asarray(silent) if silent else 0)
        return scores

    def _likely(self, name: str, sides: Sequence[Side], outputs: Sequence[Sequence[Row]]) -> Array:
        """Return the log-likelihood of each answer's words, (texts, answers)."""
        first, end = self._places[name]
        means = np.asarray([[float(row[self.port]) for row in rows[first:end]] for rows in outputs], dtype=np.float64)
        if self.options.length == "tokens":
            return means
        likely: Array = means * np.asarray([side.tokens[first:end] for side in sides])
        return likely

    def _written(self, words: str) -> str:
        """Return an answer's words as they go on from the prompt: a chat template's answer begins with nothing before it."""
        return words if self._is_chat else going_on(words)

    def _framed(self, whole: Frame, question: str, around: Sequence[str]) -> Frame:
        """Return the frame of a prompt whose question is known, so that it is no text that may be cut."""
        before, between, after = whole.pieces
        if whole.fields[0] == "text":
            pieces = (before, f"{between}{question}{after}")
        else:
            pieces = (f"{before}{question}{between}", after)
        return Frame((f"{around[0]}{pieces[0]}", f"{pieces[1]}{around[1]}"), ("text",), is_chat=self._is_chat)

    def _encoded(self, texts: Sequence[str], reader: Reader) -> Encoded:
        """Return the rows of texts, those of a text question by question."""
        return continued(self.rows_of(texts, reader), reader)

    def rows_of(self, texts: Sequence[str], reader: Reader) -> list[tuple[Sequence[Endings], Side]]:
        """Return the prompts of each text with the answers that end them, question by question, and what is kept of the text.
        What it is cut to is the same for all questions.
        """
        answers = [endings([self._written(words) for words in one.words], reader)[0] for one in self.questions.values()]
        around = [len(reader.prompts([""], frame)[0].ids) for frame in self._frames]
        needed = [size + max(map(len, own)) for size, own in zip(around, answers, strict=True)]
        asked = [
            reader.prompts(texts, frame, spare=max(needed) - size)
            for frame, size in zip(self._frames, around, strict=True)
        ]
        lengths = tuple(len(ids) for own in answers for ids in own)
        return [
            ([(one.ids, own) for one, own in zip(prompts, answers, strict=True)], Side(lengths, prompts[0].notes))
            for prompts in zip(*asked, strict=True)
        ]


def answer(question: Question, shares: Array) -> Value:
    """Return the answer of a question from the probabilities of its values, (values,).

    A choice is the likeliest; a whole number the one at which half of the probability is reached, which costs least by distance;
    a number with a fraction the expected one.
    """
    if question.kind != "number":
        return question.values[int(shares.argmax())]
    if question.is_whole:
        return question.values[_median(shares)]
    expected = float(shares @ np.asarray(question.values, dtype=np.float64))
    return round(min(max(expected, float(question.values[0])), float(question.values[-1])), 6)


def lead(question: Question, shares: Array) -> float:
    """Return how far the nearest other answer is, as a difference of probabilities; a number with a fraction has none."""
    if question.kind == "number":
        return float(np.abs(shares.cumsum()[:-1] - 0.5).min()) if question.is_whole else 1.0
    first, second = np.sort(shares)[::-1][:2]
    return float(first - second)


def _median(shares: Array) -> int:
    return int((shares.cumsum()[:-1] < 0.5).sum())
