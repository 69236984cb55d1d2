"""Holds free texts to words of the text that they are taken from: what it does not hold cannot be written.

Apart from `schemas`, which knows no text. Small models invent names that are nowhere in what they read; a field that can only
be words of it is right, or wrong, or null, and always has its place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from functory_extract.evidence import occurrences

Schema = dict[str, Any]  # Any: JSON
MOST = 16
"""The most words of a value, each sign and each character of a script without spaces being one."""
WORDS = re.compile(r"[^\W぀-ヿ㐀-鿿가-힯]+|\S")
NAME = "words_of_the_text"
HELD: Schema = {"$ref": f"#/$defs/{NAME}"}


def marked(given: Any) -> Any:  # Any: a schema, or a part of one
    """Return a schema in which every free text refers to the words that `held_to` adds."""
    if not isinstance(given, Mapping):
        return given
    if _is_free(given) and not given.keys() & {"maxLength", "minLength"}:
        return {**{key: given[key] for key in ("title", "description") if key in given}, **HELD}
    return _within(given, marked)


def held_to(schema: Mapping[str, Any], text: str) -> Schema:
    """Return a schema that was marked, whose free texts are words of a text as they stand there."""
    pattern = _pattern(text)
    held: Schema = {"type": "string", "pattern": pattern} if pattern else {"enum": [""]}

    def within(given: Any) -> Any:  # Any: as above
        if not isinstance(given, Mapping):
            return given
        return {**given, **held} if _is_free(given) else _within(given, within)

    made: Schema = within(schema)
    return {**made, "$defs": {**made.get("$defs", {}), NAME: held}}


def without_repeats(value: Any, text: str) -> Any:  # Any: JSON
    """Return plain data whose lists hold no text more often than the text they are taken from."""
    if isinstance(value, Mapping):
        return {name: without_repeats(one, text) for name, one in value.items()}
    if not isinstance(value, list):
        return value
    seen: Counter[str] = Counter()
    kept = []
    for one in value:
        if isinstance(one, str):
            seen[one.casefold()] += 1
            if seen[one.casefold()] > max(1, occurrences(one, text)):
                continue
        kept.append(without_repeats(one, text))
    return kept


def _is_free(given: Mapping[str, Any]) -> bool:
    return given.get("type") == "string" and not given.keys() & {"enum", "const", "format", "pattern"}


def _within(given: Mapping[str, Any], change: Any) -> Schema:  # Any: a function of a part
    """Return a schema whose parts are changed."""
    made = dict(given)
    for name in ("properties", "patternProperties", "$defs", "definitions"):
        if isinstance(made.get(name), Mapping):
            made[name] = {key: change(one) for key, one in made[name].items()}
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(made.get(name), list):
            made[name] = [change(one) for one in made[name]]
    for name in ("items", "additionalProperties"):
        if isinstance(made.get(name), Mapping):
            made[name] = change(made[name])
    return made


def _pattern(text: str) -> str:
    """Return a regular expression of all runs of a text's words, with what stands between them; empty where it has none."""
    words = list(WORDS.finditer(text))
    runs = []
    for first in range(len(words)):
        run = ""
        for place in range(min(first + MOST, len(words)) - 1, first - 1, -1):
            word = re.escape(words[place].group())
            if place > first:
                run = f"(?:{re.escape(text[words[place - 1].end() : words[place].start()])}{word}{run})?"
            else:
                run = word + run
        runs.append(run)
    return f"^(?:{'|'.join(dict.fromkeys(runs))})$" if runs else ""
