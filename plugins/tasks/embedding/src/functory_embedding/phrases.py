"""Which phrases of a text may be its keyphrases, and which are taken: those that are like it, and not like each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from functory_embedding.function_words import FUNCTION_WORDS
from functory_sdk import Array, words

MOST = 500
"""Candidates of a text that are read at most: the commonest, then the first."""
_LETTER = re.compile(r"[^\W\d_]")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

Ends = tuple[int, int]


def candidates(text: str, longest: int, *, is_segmented: bool) -> dict[str, list[Ends]]:
    """Return the different phrases of a text, in small letters, with the places where each stands: up to so many words that
    stand side by side, of which neither the first nor the last is a function word.

    :param is_segmented: let a segmenter find the words of Chinese; else a phrase has up to twice as many characters.
    """
    found: dict[str, list[Ends]] = {}
    for run in _runs(text, is_segmented):
        for first in range(len(run)):
            for last in range(first, len(run)):
                start, end = run[first][0], run[last][1]
                is_of_characters = all(b - a == 1 for a, b in run[first : last + 1])
                if last - first >= longest * (2 if is_of_characters else 1):
                    break
                if _may_be_key(text, run[first], run[last]):
                    found.setdefault(" ".join(text[start:end].casefold().split()), []).append((start, end))
    kept = sorted(found, key=lambda phrase: (-len(found[phrase]), found[phrase][0]))[:MOST]
    return {phrase: found[phrase] for phrase in sorted(kept, key=lambda phrase: found[phrase][0])}


def _runs(text: str, is_segmented: bool) -> Iterator[list[Ends]]:
    """Give the stretches of words that no sign and no line break parts."""
    run: list[Ends] = []
    for start, end in words(text, is_segmented=is_segmented):
        is_sign = not any(letter.isalnum() for letter in text[start:end])
        if run and (is_sign or "\n" in text[run[-1][1] : start]):
            yield run
            run = []
        if not is_sign:
            run.append((start, end))
    if run:
        yield run


def _may_be_key(text: str, first: Ends, last: Ends) -> bool:
    """Whether a phrase is long enough, begins with letters, and has function words at neither end."""
    phrase = text[first[0] : last[1]]
    ends = {text[start:end].casefold().replace("’", "'") for start, end in (first, last)}
    least = 2 if _UNSPACED.search(phrase) else 3
    return len(phrase) >= least and bool(_LETTER.search(text[slice(*first)])) and not ends & FUNCTION_WORDS


def chosen(text: Array, phrases: Array, count: int, diversity: float) -> tuple[list[int], float]:
    """Return which phrases are taken, in their order, and the least by which one went before the next best.

    Each is the one with the most of (1 − diversity) · cosine with the text − diversity · the largest cosine with one that is
    taken already (Carbonell and Goldstein 1998, maximal marginal relevance).

    :param text: (width,) at length 1.
    :param phrases: (phrases, width) at length 1 each.
    """
    alike, taken, lead = phrases @ text, list[int](), 1.0
    nearest = np.full(len(phrases), 0.0)
    for _ in range(min(count, len(phrases))):
        worth = (1 - diversity) * alike - diversity * nearest
        worth[taken] = -np.inf
        order = np.argsort(-worth, kind="stable")
        if len(taken) + 1 < len(phrases):
            lead = min(lead, float(worth[order[0]] - worth[order[1]]))
        taken.append(int(order[0]))
        beside = phrases @ phrases[taken[-1]]
        nearest = beside if len(taken) == 1 else np.maximum(nearest, beside)
    return taken, lead


def overlap(given: Sequence[str], wanted: Sequence[str]) -> Mapping[str, int]:
    """Return how many phrases are in both, and in each, whatever their letters' case."""
    one, other = ({" ".join(phrase.casefold().split()) for phrase in some} for some in (given, wanted))
    return {"both": len(one & other), "given": len(one), "wanted": len(other)}
