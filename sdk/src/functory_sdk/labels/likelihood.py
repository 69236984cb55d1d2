"""Labels by likelihood: a backbone that writes says how likely each label's words are after a prompt. No training at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from functory.contracts.formulation import Target
from functory.contracts.odds import log_odds
from functory.contracts.rows import Array, Encoded, Row
from functory.reading.prompts import template_frame
from functory.reading.reader import Reader
from functory_sdk.continuing import Continuing, continued, endings
from functory_sdk.demonstrations import Demonstration, Demonstrations
from functory_sdk.labels.calibrating import calibrated
from functory_sdk.labels.classify import PASSED_OVER, answer, gold, lead, limited
from functory_sdk.labels.metrics import best_thresholds
from functory_sdk.labels.types import Classification, LabelOptions, Labels, Prompted
from functory_sdk.likelihoods import fitted, mean_shares, silent_texts
from functory_sdk.spans.scripts import going_on


class LikelyLabels(Continuing):
    """A row for each label: the prompt with the texts, then the label's words, whose log-probability is the row's output.

    Where labels may be several, each is a yes or no of its own: whether the texts make its words likelier than none do. How
    likely they are where nothing is said is learned once, at the build.

    :param options: the prompt, the labels' words, and whether their likelihood without any text is subtracted.
    :param fields: the texts that stand in the prompt.
    :param readings_of: the texts of an input by field; several readings, of which the mean counts, where they have no order.
    :param labels_of: the right labels of an example.
    :raises OptionError: for a prompt without a place for a text.
    """

    def __init__(
        self,
        options: LabelOptions,
        fields: Sequence[str],
        readings_of: Callable[[Any], Sequence[Mapping[str, str]]],
        labels_of: Callable[[Any], Sequence[str]],
    ) -> None:
        self.options = options
        self._frame = template_frame(options.prompt, fields)
        self._readings_of, self._labels_of = readings_of, labels_of

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Labels) -> Encoded:
        readings = [[tuple(one[name] for name in self._frame.fields) for one in self._readings_of(value)] for value in inputs]
        return self._encoded(readings, reader, state)

    def silent(self, reader: Reader, state: Labels) -> Encoded | None:
        """Texts that say nothing, the same in each place of the prompt."""
        if not self._is_calibrated(state):
            return None
        words = [self._words(label) for label in state.labels]
        readings = [[(text,) * len(self._frame.fields)] for text in silent_texts([*self._frame.pieces, *words])]
        return self._encoded(readings, reader, state)

    def heard(self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], state: Labels) -> Labels:
        """Keep how likely each label is where nothing is said: the mean of its probability among them all, on their scale."""
        scores = np.stack([self._likely(rows, state) for rows in outputs])  # (texts, labels)
        if state.mode == "multi":
            silent = scores.mean(0)
        else:
            silent = mean_shares(scores) + np.logaddexp.reduce(scores, axis=1).mean()
        return self._learned(state, silent=tuple(round(float(one), 6) for one in silent))

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Labels) -> Classification:
        return answer(np.exp(self._shares(outputs, state)), state, side, self._energy(outputs, state))

    def lead(self, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """How far the two likeliest labels are apart, or the nearest probability from its threshold."""
        return lead(np.exp(self._shares(outputs, state)), state, self._energy(outputs, state))

    def calibrate(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Choose the temperature at which the right labels are likeliest."""
        scores = np.stack([self._scores(rows, state) for rows in outputs])
        right = [self._labels_of(example) for example in examples]
        return calibrated(lambda temperature: np.exp(_shares(scores / temperature, state)), right, state)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels
    ) -> Labels:
        """Fit slope and biases to held-out examples, where one label is right; choose each threshold where the label's F1 is
        best, and the limit below which nothing is answered.
        """
        if state.is_one and self.options.calibrate:
            state = self._fitted(outputs, examples, state)
        if state.scope:
            found = [(np.exp(self._shares(rows, state)), self._energy(rows, state)) for rows in outputs]
            return limited(found, [self._labels_of(example) for example in examples], state)
        if state.is_one:
            return state
        given = np.exp(np.stack([self._shares(rows, state) for rows in outputs]))
        wanted = np.stack([gold(self._labels_of(example), state) for example in examples])
        return state.model_copy(update={"thresholds": best_thresholds(given[:, -wanted.shape[1] :], wanted)})

    def targets(self, output: Classification, side: object, state: Labels) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        return [
            Target(name=label, port=self.port, index=(), row=state.labels.index(label), scale="log")
            for label in order
        ]

    def value(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-probability of the label: what its score is."""
        return float(self._shares(outputs, state)[target.row or 0])

    def evidence(self, target: Target, side: object, outputs: Sequence[Row], state: Labels) -> float:
        """The log-odds of the label, against the others where one of them is right."""
        if state.mode == "multi":
            return float(self._scores(outputs, state)[target.row or 0]) / state.temperature
        return log_odds(self._shares(outputs, state), (target.row or 0,))

    def _words(self, label: str) -> str:
        """Return what is written for a label."""
        return going_on(self.options.descriptions.get(label, label))

    def _is_calibrated(self, state: Labels) -> bool:
        return self.options.calibrate or state.mode == "multi"

    def _scores(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return how likely each label is, (labels,): the mean over the readings, from which that of no text is subtracted."""
        scores, learned = self._likely(outputs, state), state.prompted
        if learned is None:
            return scores
        if learned.silent:
            scores = scores - np.asarray(learned.silent)
        if learned.slope != 1 or learned.biases:
            middle = scores.mean()  # the slope stretches what tells labels apart, and not what is said of them all
            scores = middle + learned.slope * (scores - middle) + (np.asarray(learned.biases) if learned.biases else 0)
        return scores

    def _likely(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the log-likelihood of each label's words, (labels,): the mean over the readings."""
        values = np.asarray([float(output[self.port]) for output in outputs], dtype=np.float64)
        likely: Array = values.reshape(-1, len(state.labels)).mean(0)
        return likely

    def _fitted(self, outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Labels) -> Labels:
        """Return the state with slope and biases that fit the held-out examples which have one of the labels."""
        places = [gold(self._labels_of(example), state) for example in examples]
        known = [number for number, place in enumerate(places) if place != PASSED_OVER]
        if not known:
            return state
        before = self._learned(state, slope=1.0, biases=())
        scores = np.stack([self._scores(outputs[number], before) for number in known])
        slope, biases = fitted(scores, np.asarray([int(places[number]) for number in known]))
        return self._learned(before, slope=slope, biases=biases)

    def _learned(self, state: Labels, **changes: Any) -> Labels:
        """Return the state with some of what is learned of likelihoods."""
        return state.model_copy(update={"prompted": (state.prompted or Prompted()).model_copy(update=changes)})

    def _encoded(self, readings: Sequence[Sequence[tuple[str, ...]]], reader: Reader, state: Labels) -> Encoded:
        """Return a row for each label of each reading, after the examples that are shown."""
        labels, _ = endings([self._words(label) for label in state.labels], reader)
        demonstrations = Demonstrations(state.shown, reader, self._demonstrated)
        flat = [one for several in readings for one in several]
        read = iter(demonstrations.prompts(flat, self._frame, spare=max(map(len, labels))))
        prompts = [[next(read) for _ in several] for several in readings]
        return continued([([(one.ids, labels) for one in own], own[0].notes) for own in prompts], reader)

    def _demonstrated(self, example: Mapping[str, Any]) -> Demonstration:
        """Return an example as it is shown: its texts in the prompt, then its label's words; of several, one after the other."""
        words = ",".join(map(self._words, self._labels_of(SimpleNamespace(**example))))
        return Demonstration(self._frame, tuple(str(example[name]) for name in self._frame.fields), words)

    def _energy(self, outputs: Sequence[Row], state: Labels) -> float | None:
        """Return the energy of the labels' likelihoods, where a function goes by it."""
        if not (state.scope and state.scope.by == "energy"):
            return None
        return float(np.logaddexp.reduce(self._scores(outputs, state)[: state.inside]))

    def _shares(self, outputs: Sequence[Row], state: Labels) -> Array:
        """Return the log-probability of each label, (labels,): among them all, or of its own where there may be several."""
        return _shares(self._scores(outputs, state) / state.temperature, state)


def _shares(scores: Array, state: Labels) -> Array:
    """Return log-probabilities, (…, labels), from how likely each label is."""
    whole = np.logaddexp(scores, 0) if state.mode == "multi" else np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    shares: Array = scores - whole
    return shares
