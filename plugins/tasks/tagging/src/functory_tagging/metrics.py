"""How well: words that are right, by place and tag, as SIGHAN's scorer counts them (Sproat and Emerson 2003); and those among
them that training never showed.

Counted once per example, so that a thousand resamples cost milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functory_sdk import Array, Scorer, Tally
from functory_tagging.known import is_known
from functory_tagging.types import Tagged, TagLabels

Word = tuple[int, int, str]
"""First character, the one after the last, tag."""
Words = Sequence[Word]


def scorer(outputs: Sequence[Tagged], right: Sequence[Words], texts: Sequence[str], state: TagLabels) -> Scorer:
    """Return the metrics as a function of which examples count.

    :param right: the right words of each example.
    """
    given = [_words(output) for output in outputs]
    tallies = _tallies(given, right, texts, state)

    def score(indices: Array) -> Mapping[str, float]:
        return {name: rate(tally, indices) for name, (tally, rate) in tallies.items()}

    return score


Rate = Callable[[Tally, Array], float]


def _f1(tally: Tally, indices: Array) -> float:
    return float(tally.together(indices).f1)


def _precision(tally: Tally, indices: Array) -> float:
    return float(tally.together(indices).precision)


def _recall(tally: Tally, indices: Array) -> float:
    return float(tally.together(indices).recall)


def _tallies(
    given: Sequence[Words], right: Sequence[Words], texts: Sequence[str], state: TagLabels
) -> dict[str, tuple[Tally, Rate]]:
    """Return each metric's counts, and which rate of them it is."""
    found: dict[str, tuple[Tally, Rate]] = {}
    by_label = labelled(given, right, state)
    if state.mode == "words":
        places = tally(_placed(given), _placed(right), lambda word: 0, 1)
        found |= {"f1": (places, _f1), "precision": (places, _precision), "recall": (places, _recall)}
        found |= {"tagged_f1": (by_label, _f1)} if len(state.labels) > 1 else {}
    elif state.mode == "tags":
        found |= {"f1": (by_label, _f1), "accuracy": (by_label, _recall)}
    else:
        found |= {"f1": (by_label, _f1), "precision": (by_label, _precision), "recall": (by_label, _recall)}
    if len(state.labels) > 1:
        found["macro_f1"] = (by_label, Tally.macro_f1)
    return found | _unknown(given, right, texts, state)


def _unknown(
    given: Sequence[Words], right: Sequence[Words], texts: Sequence[str], state: TagLabels
) -> dict[str, tuple[Tally, Rate]]:
    """Return the metrics of words that training never showed; none where there are none of them."""
    if state.mode == "punctuation" or not state.known:
        return {}
    new, wanted = (_new(some, texts, state.known) for some in (given, right))
    if not any(wanted):
        return {}
    if state.mode == "tags":
        return {"unknown_accuracy": (tally(new, wanted, lambda word: 0, 1), _recall)}
    places = tally(_placed(new), _placed(wanted), lambda word: 0, 1)
    return {"unknown_f1": (places, _f1), "unknown_recall": (places, _recall)}


def _new(some: Sequence[Words], texts: Sequence[str], known: str) -> list[Words]:
    return [
        [word for word in words if not is_known(text[word[0] : word[1]], known)]
        for words, text in zip(some, texts, strict=True)
    ]


def labelled(given: Sequence[Words], right: Sequence[Words], state: TagLabels) -> Tally:
    """Return the tags that were given, that are right, and that are both where the word is right too; no mark is no tag."""
    place = {label: number for number, label in enumerate(state.labels)}
    said, true = ([[word for word in words if word[2] in place] for words in some] for some in (given, right))
    return tally(said, true, lambda word: place[word[2]], len(place))


def tally(given: Sequence[Words], right: Sequence[Words], number: Callable[[Word], int], count: int) -> Tally:
    """Return counts of words that are right, that were given and that there are.

    :param number: which of so many kinds a word is.
    """
    both = [[*{*one} & {*other}] for one, other in zip(given, right, strict=True)]
    hit, said, true = ([[number(word) for word in words] for words in some] for some in (both, given, right))
    return Tally(hit, said, true, count)


def _placed(some: Sequence[Words]) -> list[Words]:
    """Return words without their tags."""
    return [[(start, end, "") for start, end, _ in words] for words in some]


def breakdown(outputs: Sequence[Tagged], right: Sequence[Words], state: TagLabels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each tag, and what tags words were given for which."""
    given = [_words(output) for output in outputs]
    rows = labelled(given, right, state).rows(state.labels)
    if state.mode == "words" and len(state.labels) == 1:
        return {"per_class": rows}
    names = ["", *state.labels] if state.mode == "punctuation" else list(state.labels)
    place = {label: number for number, label in enumerate(names)}
    pairs: Counter[tuple[int, int]] = Counter()
    for one, other in zip(given, right, strict=True):
        said = {(start, end): tag for start, end, tag in one}
        pairs.update((place[tag], place[said[start, end]]) for start, end, tag in other if (start, end) in said)
    counts = [[true, told, count] for (true, told), count in sorted(pairs.items())]
    shown = [name or "none" for name in names]
    return {"per_class": rows, "confusion": {"labels": shown, "counts": counts}}


def _words(output: Tagged) -> list[Word]:
    return [(token.start, token.end, token.tag) for token in output.tokens]


