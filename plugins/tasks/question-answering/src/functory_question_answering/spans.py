"""Extraction: the question whole beside each window of the context, and a stretch of the context as the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from typing import Any, ClassVar

import numpy as np

from functory_question_answering.choosing import NEVER, Found, Sight, Table, View, table
from functory_question_answering.threshold import best_threshold
from functory_question_answering.types import Answer, AnsweringOptions, Answers, Stretch
from functory_sdk import Array, BackboneSpec, Encoded, Formulation, Passage, Port, Reader, Row, Target, answer_scores
from functory_sdk.answers import Compare
from functory_sdk.spans.alignment import units
from functory_sdk.spans.graphemes import grapheme_borders
from functory_sdk.spans.tagging import stretches

NOTHING = "none"
"""What stands at the end of a decoder's row, for "none here"."""
FILL = -1
"""The gold of an answer that is none: rows have as many as they have."""
HIDDEN = -100.0
"""The log-probability of tokens that no answer may begin or end with."""


class Extraction(Formulation):
    """Scores of each token of the context as the answer's first and last. A window that lacks the answer learns "none here".

    "None here" stands at the row's first token, which encoders fill with the whole row; in a decoder at a word after the
    context, which alone has read it all.
    """

    head: ClassVar[str] = "functory_question_answering.head:AnswerHead"

    def __init__(self, options: AnsweringOptions, compare_of: Callable[[Sequence[Any]], Compare]) -> None:
        self.options, self._compare_of = options, compare_of

    def inputs(self, spec: BackboneSpec, state: Answers) -> tuple[Port, ...]:
        return (Port("candidates", "int64", ("tokens",), 0),)

    def outputs(self, spec: BackboneSpec, state: Answers) -> tuple[Port, ...]:
        return (Port("scores", "float32", (2, "tokens")),)

    def gold_ports(self, spec: BackboneSpec, state: Answers) -> tuple[Port, ...]:
        return (Port("gold", "int64", ("answers", 2), FILL),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Answers) -> Encoded:
        encoded = Encoded(rows=[], owner=[], side=[])
        is_causal = reader.spec.architecture == "decoder"
        last, field, role = ((NOTHING,), ("end",), ("",)) if is_causal else ((), (), ())
        passages = reader.read(
            [(value.question, value.context, *last) for value in inputs], fields=("question", "context", *field),
            roles=("query", "passage", *role), windowed=("context",), overlap=self.options.overlap,
        )  # fmt: skip
        for index, (value, passage) in enumerate(zip(inputs, passages, strict=True)):
            sight = _sight(value.context, passage, is_causal=is_causal)
            encoded.side.append(sight)
            for view in sight.views:
                row = passage.windows[view.row].row
                candidates = np.zeros_like(row["input_ids"])
                candidates[[*view.places, view.none]] = 1
                encoded.rows.append({**row, "candidates": candidates})
                encoded.owner.append(index)
        return encoded

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Answers) -> list[dict[str, Array]]:
        return [
            {"gold": _golds(example, sight, view)}
            for example, sight in zip(examples, encoded.side, strict=True)
            for view in sight.views
        ]

    def decode(self, side: Sight, outputs: Sequence[Row], state: Answers) -> Answer:
        if not side.views:
            notes = (*side.notes, "the context has nothing to read")
            return Answer(answer=None, score=1.0, none_score=1.0 if state.may_lack else None, notes=notes)
        seen = self._table(side, outputs, state)
        whole = seen.weight(may_lack=state.may_lack)
        found = list(islice(seen.likeliest(), self.options.answers))
        told = tuple(_stretch(side, one, whole) for one in found)
        none = round(_share(0.0, whole), 6) if state.may_lack else None
        if not found or (none is not None and found[0].gain <= state.threshold):
            return Answer(answer=None, score=1.0 if none is None else none, none_score=none, answers=told, notes=side.notes)
        best = told[0]
        return Answer(answer=best.text, start=best.start, end=best.end, score=best.score, none_score=none, answers=told,
                      notes=side.notes)  # fmt: skip

    def lead(self, side: Sight, outputs: Sequence[Row], state: Answers) -> float | None:
        """The least gap between the stretches that are told, the next one, and what decides whether there is an answer."""
        if not side.views:
            return None
        seen = self._table(side, outputs, state)
        whole = seen.weight(may_lack=state.may_lack)
        found = list(islice(seen.likeliest(), self.options.answers + 1))
        if not found:
            return None
        shares = [_share(one.gain, whole) for one in found]
        gaps = [one - other for one, other in pairwise(shares)]
        gaps.append(shares[0] - _share(seen.runner_up(found[0]), whole))
        if state.may_lack:
            gaps.append(abs(shares[0] - _share(state.threshold, whole)))
        return min(1.0, max(0.0, min(gaps)))

    def tune(
        self, sides: Sequence[Sight], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Answers
    ) -> Answers:
        """Choose how far the best stretch has to be above no answer, where the mean F1 of held-out examples is best."""
        if not state.may_lack:
            return state
        found = [self._best(side, rows, state) for side, rows in zip(sides, outputs, strict=True)]
        golds = [[gold.text for gold in example.answers] for example in examples]
        answered = answer_scores([text for text, _ in found], golds, self._compare_of(examples))[:, 1]
        lacks = np.asarray([not wanted for wanted in golds], dtype=np.float64)
        gains = np.asarray([gain for _, gain in found])
        return state.model_copy(update={"threshold": round(best_threshold(gains, answered, lacks), 6)})

    def _best(self, side: Sight, outputs: Sequence[Row], state: Answers) -> tuple[str | None, float]:
        """Return the likeliest stretch, and its gain over no answer; none where the context has none."""
        found = next(self._table(side, outputs, state).likeliest(), None)
        return (None, NEVER) if found is None else (_stretch(side, found, 0.0).text, found.gain)

    def _table(self, side: Sight, outputs: Sequence[Row], state: Answers) -> Table:
        return table(side, [row["scores"] for row in outputs], self.options.longest or state.longest)

    def targets(self, output: Answer, side: Sight, state: Answers) -> list[Target]:
        """Each stretch: the log-probability that the answer begins and ends where it does, the likeliest first."""
        targets: dict[str, Target] = {}
        for one in output.answers:
            name = one.text if one.text not in targets else f"{one.text}@{one.start}"
            first, last = _unit_at(side, one.start), _unit_at(side, one.end - 1)
            view = next(view for view in side.views if view.decided[0] <= first < view.decided[1])
            index, other = ((number, int(view.places[unit - view.start])) for number, unit in enumerate((first, last)))
            targets[name] = Target(
                name=name, port="scores", index=index, also=(other,), row=view.row, at=one.start, until=one.end, scale="log"
            )
        return list(targets.values())

    def places(self, target: Target, side: Sight, outputs: Sequence[Row]) -> list[tuple[int, tuple[int, ...]]]:
        """The tokens at the target's first and last character, wherever they are now; none where one of them is gone."""
        ends = [_unit_at(side, place) for place in (target.at or 0, (target.until or 1) - 1)]
        views = [view for view in side.views if view.decided[0] <= ends[0] < view.decided[1] and ends[1] < view.stop]
        if min(ends) < 0 or not views:
            return []
        [view] = views
        return [(view.row, (number, int(view.places[unit - view.start]))) for number, unit in enumerate(ends)]


def _sight(context: str, passage: Passage, *, is_causal: bool) -> Sight:
    """Return a context's units, and where they stand in each window; no windows where it has none."""
    parts = passage.parts(1)
    pieces = list(stretches(parts))
    told = [part.tokens.offsets[a - part.start : b - part.start] for part, (a, b) in zip(parts, pieces, strict=True)]
    found = units(context, np.concatenate(told), "all")
    borders = grapheme_borders(context)
    views = []
    for row, (part, (first, last)) in enumerate(zip(parts, pieces, strict=True)):
        start, stop, begin, end = (int(np.searchsorted(found.token, token)) for token in (part.start, part.stop, first, last))
        if start == stop:
            continue
        length = len(passage.windows[row].row["input_ids"])
        places = found.token[start:stop] - part.start + part.first
        views.append(View(row, start, stop, places, (begin, end), length - 1 if is_causal else 0))
    return Sight(context, found.start, found.end, borders[found.start], borders[found.end], tuple(views), passage.notes)


def _unit_at(side: Sight, place: int) -> int:
    """Return which unit holds a character; -1 where none does."""
    unit = int(np.searchsorted(side.starts, place, "right")) - 1
    return unit if unit >= 0 and place < side.ends[unit] else -1


def _golds(example: Any, side: Sight, view: View) -> Array:
    """Return the places of the right answers that a window holds whole, (answers, 2); "none here" where it holds none."""
    found = {}
    for start, end in (span for gold in example.answers for span in gold.spans):
        first = int(np.searchsorted(side.ends, start, "right"))
        last = int(np.searchsorted(side.starts, end, "left")) - 1
        if view.start <= first <= last < view.stop:
            found[first, last] = (int(view.places[first - view.start]), int(view.places[last - view.start]))
    return np.asarray(list(found.values()) or [(view.none, view.none)], dtype=np.int64)


def _stretch(side: Sight, found: Found, whole: float) -> Stretch:
    """Return a stretch of the context with its probability."""
    start, end = int(side.starts[found.first]), int(side.ends[found.last])
    return Stretch(text=side.text[start:end], start=start, end=end, score=round(_share(found.gain, whole), 6))


def _share(gain: float, whole: float) -> float:
    """Return the probability of a stretch from its gain over no answer."""
    return float(np.exp(min(0.0, gain - whole)))
