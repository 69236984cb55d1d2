"""What every explanation of single words needs: the words, changed inputs, the target's value, and faithfulness.

A word is taken away by putting blanks of the same length in its place: tokenizers drop them (byte-level ones keep a token of
blanks), and the offsets of everything else stay, so the definition holds for every task, spans included.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from functory.contracts.counted import place
from functory.contracts.explanation import Attribution, Faithfulness, Piece
from functory.contracts.formulation import Target
from functory.contracts.odds import chance
from functory.contracts.texts import texts_of, with_texts
from functory.errors import NotSupported, PluginError
from functory.reading.segmentation import notes, words
from functory.terminal import Progress, progress

if TYPE_CHECKING:
    from functory.function import Function

SHARES = (0.1, 0.2, 0.5)
PART = 16
"""Inputs that run together where time is limited: the clock is looked at after each part."""


@dataclass(frozen=True)
class Word:
    """A word of one text of an input.

    :param field: the path of the text: ``text``, ``candidates.2``.
    """

    field: str
    start: int
    end: int


def words_of(value: Any) -> list[Word]:
    """Return the words of every text of an input, in order, wherever it stands: in a field, in a list, in a part."""
    return [Word(path, start, end) for path, text in texts_of(value).items() for start, end in words(text)]


def without(value: Any, gone: Sequence[Word]) -> Any:
    """Return the input with blanks in the place of some words."""
    texts = texts_of(value)
    letters = {word.field: list(texts[word.field]) for word in gone}
    for word in gone:
        letters[word.field][word.start : word.end] = " " * (word.end - word.start)
    return with_texts(value, {path: "".join(text) for path, text in letters.items()})


def values_of(
    function: Function, inputs: Sequence[Any], target: Target, *, until: float | None = None
) -> list[float]:
    """Return how much speaks for the target in each of many inputs, all of them run together: the log-odds of a
    probability, and a number that is none as it is. A bar shows how far it is.

    :param until: the moment of `time.monotonic` from which no further `PART` of the inputs is begun: values are then those
        of the first inputs, at least of one part.
    """
    found: list[float] = []
    size = max(1, len(inputs)) if until is None else PART
    bar: Progress[Any]
    with progress(len(inputs), f"{function.name}: explaining", quiet=len(inputs) == 1 or None) as bar:
        for start in range(0, len(inputs), size):
            if found and until is not None and time.monotonic() >= until:
                break
            part = inputs[start : start + size]
            found += function.form.evidence(function, part, target, partial(_advance, bar, len(part)))
    return found


def _advance(bar: Progress[Any], count: int, share: float) -> None:
    bar.advance(share * count)


def attribution(
    function: Function,
    value: Any,
    target: Target,
    method: str,
    weigh: Callable[[Sequence[Word]], Sequence[float]],
    said: Sequence[str] = (),
) -> Attribution:
    """Return the explanation that a method's weights make.

    :param weigh: gives a weight to each word, on the scale of `values_of`; above 0 speaks for the target.
    :param said: notes of the method.
    :raises NotSupported: when the input has no words.
    :raises PluginError: when the weights are not one finite number for each word; the place of `weigh` is named.
    """
    found = words_of(value)
    if not found:
        raise NotSupported("the input has no words to weigh.", do="explain a text that has some.")
    weights = _weights(method, weigh, found)
    texts = texts_of(value)
    pieces = tuple(
        Piece(text=texts[w.field][w.start : w.end], start=w.start, end=w.end, weight=weight, field=w.field)
        for w, weight in zip(found, weights, strict=True)
    )
    whole, faithfulness = measured(function, value, target, found, weights)
    remarks = (*said, *dict.fromkeys(note for text in texts.values() for note in notes(text)))
    return Attribution(
        method=method,
        target=target,
        score=chance(whole, target.scale),
        pieces=pieces,
        faithfulness=faithfulness,
        notes=remarks,
    )


def _weights(method: str, weigh: Callable[[Sequence[Word]], Sequence[float]], found: Sequence[Word]) -> list[float]:
    """Return a finite weight for each word, or name who gives something else."""
    weights = list(weigh(found))
    odd = [weight for weight in weights if not _is_finite(weight)]
    if len(weights) == len(found) and not odd:
        return [float(weight) for weight in weights]
    said = f"the weight {odd[0]!r}" if odd else f"{len(weights)} weights for {len(found)} words"
    raise PluginError(
        f"explanation {method!r} gives {said}.",
        where=place(weigh),
        do="give one finite number for each of the words, in their order.",
    )


def _is_finite(weight: Any) -> bool:  # Any: whatever a plugin gave
    try:
        return math.isfinite(weight)
    except TypeError:
        return False


def measured(
    function: Function, value: Any, target: Target, found: Sequence[Word], weights: Sequence[float]
) -> tuple[float, Faithfulness]:
    """Return what `values_of` gives for the input, and how faithful weights are (DeYoung et al. 2020, ERASER, section 4).

    Comprehensiveness is the drop of the target when the weightiest words go, sufficiency the drop when only they stay;
    each is averaged over `SHARES` of the words, in probabilities and in log-odds.
    """
    order = sorted(range(len(found)), key=lambda index: -weights[index])
    changed = [value]
    for share in SHARES:
        top = set(order[: max(1, round(share * len(found)))])
        changed.append(without(value, [word for index, word in enumerate(found) if index in top]))
        changed.append(without(value, [word for index, word in enumerate(found) if index not in top]))
    whole, *rest = values_of(function, changed, target)
    full = chance(whole, target.scale)
    drops = [full - chance(number, target.scale) for number in rest]
    return whole, Faithfulness(
        comprehensiveness=sum(drops[0::2]) / len(SHARES),
        sufficiency=sum(drops[1::2]) / len(SHARES),
        comprehensiveness_log_odds=None if target.scale == "raw" else whole - sum(rest[0::2]) / len(SHARES),
        sufficiency_log_odds=None if target.scale == "raw" else whole - sum(rest[1::2]) / len(SHARES),
        shares=SHARES,
    )
