"""A composite: one function says the topic, another the tone; this task says whether somebody must look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from functory_sdk import Input, Judgement, Options, Output, Scorer, State, Task


class Message(Input):
    """A message that came in."""

    text: str = Field(min_length=1, description="The message.")


class Judged(Message):
    """A message with the right answer."""

    alert: bool = Field(description="Whether it deserves an alert.")


class Verdict(Output):
    """Whether to raise an alert, and why."""

    alert: bool = Field(description="Whether somebody must look at it.")
    topic: str | None = Field(description="What the topic function said.")
    polarity: str | None = Field(description="What the polarity function said.")
    score: float = Field(description="The probability that both hold, 0 to 1.")


class AlertOptions(Options):
    """Options of the alert."""

    topic: str = Field("", description="The topic that is watched; any topic when empty.")
    polarity: str = Field("negative", description="The tone that raises an alert.")


class Alert(Task[AlertOptions]):
    """Raises an alert for a text that is on one topic and in one tone."""

    Input: ClassVar = Message
    Output: ClassVar = Verdict
    Example: ClassVar = Judged
    parts: ClassVar[Mapping[str, str]] = {"topic": "text-classification", "polarity": "text-classification"}
    metric: ClassVar[str] = "accuracy"

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Message]) -> list[Verdict]:
        texts = [value.text for value in inputs]
        topics = list(parts["topic"].map(texts, progress=False))
        tones = list(parts["polarity"].map(texts, progress=False))
        return [self._verdict(topic, tone) for topic, tone in zip(topics, tones, strict=True)]

    def _verdict(self, topic: Any, tone: Any) -> Verdict:
        watched, wanted = self.options.topic, self.options.polarity
        score = tone.scores.get(wanted, 0.0) * (topic.scores.get(watched, 0.0) if watched else 1.0)
        alert = tone.label == wanted and (not watched or topic.label == watched)
        notes = tuple(dict.fromkeys((*topic.notes, *tone.notes)))
        return Verdict(alert=alert, topic=topic.label, polarity=tone.label, score=round(score, 6), notes=notes)

    def scorer(self, outputs: Sequence[Verdict], examples: Sequence[Judged], state: State) -> Scorer:
        right = np.asarray([output.alert == example.alert for output, example in zip(outputs, examples, strict=True)])
        return lambda chosen: {"accuracy": float(right[chosen].mean())}

    def judge(self, output: Verdict, example: Judged, state: State) -> Judgement:
        """`score` is that of an alert: how sure it is of none is what is left."""
        found = super().judge(output, example, state)
        return found if output.alert else replace(found, confidence=1 - output.score)

    def baseline(self, examples: Sequence[Judged], state: State) -> list[Verdict]:
        """The commoner answer, for each message."""
        alert = 2 * sum(example.alert for example in examples) > len(examples)
        return [Verdict(alert=alert, topic=None, polarity=None, score=float(alert))] * len(examples)

    def golden_inputs(self, state: State) -> list[Message]:
        return [
            Message(text=text) for text in ("The parcel arrived broken, again.", "很好，谢谢。", "What a fine film!")
        ]
