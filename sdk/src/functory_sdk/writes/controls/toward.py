"""Weighs each next token by what a classifier says of the text with it: FUDGE (Yang and Klein 2021), by any functory function.

Two language models that differ (DExperts) would cost a pass each and must share a vocabulary; a classifier of texts is what
functory makes, and reads whatever tokenizer wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from functory.contracts.controlling import UNSAVED, Toward
from functory.contracts.decoding import SURE, Steer, Steered
from functory.contracts.rows import Array
from functory.errors import FunctoryError, OptionError
from functory.reading.tokenizer import Tokenizer

LEAST = 1e-6
"""The least probability that counts: less says no more."""
BUDGET = 2048
"""Tokens of a batch of the classifier's: always as many, so that a text is weighed the same whatever the machine does."""
LOADED = 8
"""Classifiers that are kept open."""


class Towards(Steer):
    """One request's texts under a classifier.

    :param stop_ids: the tokens that end a text: with them it is as it stands.
    :raises OptionError: where the function does not score such a label of a text.
    """

    def __init__(self, toward: Toward, tokenizer: Tokenizer, stop_ids: frozenset[int]) -> None:
        self._toward, self._tokenizer, self._stop_ids = toward, tokenizer, stop_ids
        self._function = _loaded(toward.function) if isinstance(toward.function, str) else _steady(toward.function)
        self._weights(["a"])

    def __call__(self, written: Sequence[int], scores: Array) -> Steered:
        order = np.argsort(-scores, kind="stable")
        order = order[np.isfinite(scores[order])]
        chosen, beyond = order[: self._toward.candidates], order[self._toward.candidates :]
        found = np.full_like(scores, -np.inf)
        texts = [self._tokenizer.text([*written, *(() if one in self._stop_ids else (one,))]) for one in chosen.tolist()]
        found[chosen] = scores[chosen] + self._toward.strength * self._weights(texts)
        margin = float(scores[chosen[-1]] - scores[beyond[0]]) if len(beyond) else SURE
        return Steered(found, min(margin, SURE))

    def _weights(self, texts: Sequence[str]) -> Array:
        """Return the log-probability of the label for each text, float32 (texts,); nothing is said of a text that is empty."""
        said = dict.fromkeys(text for text in texts if text.strip())
        outputs = dict(zip(said, self._function.map(list(said), progress=False), strict=True))
        return np.log([max(LEAST, self._score(outputs[text])) if text in outputs else 1.0 for text in texts]).astype(np.float32)

    def _score(self, output: Any) -> float:
        scores = getattr(output, "scores", None)
        if not isinstance(scores, Mapping) or not scores:
            raise OptionError(
                f"{self._function.name!r} gives no scores of labels, and nothing can be steered by it.",
                do="name a function that classifies a text.", field="control",
            )  # fmt: skip
        if self._toward.label not in scores:
            raise OptionError(
                f"{self._function.name!r} has no label {self._toward.label!r}.",
                do=f"name one of: {', '.join(map(str, scores))}.", field="control",
            )  # fmt: skip
        return float(scores[self._toward.label])


def _steady(function: Any) -> Any:  # Any: a Function
    return function.opened(budget=BUDGET)


@lru_cache(LOADED)
def _loaded(place: str) -> Any:  # Any: likewise
    """Return the function at a place, opened.

    :raises OptionError: where it is one that only a call could say.
    """
    import functory

    if place.startswith(UNSAVED):
        raise OptionError(
            f"the text was steered by the function {place.removeprefix(UNSAVED)!r}, which was given as an object.",
            do="save that function, and name its folder: toward = {function = 'FOLDER', label = '…'}.", field="control",
        )  # fmt: skip
    try:
        return _steady(functory.load(place))
    except FunctoryError as error:
        what = f"the function to steer by cannot be loaded: {error}"
        raise OptionError(what, do="name one that can.", field="control") from error
