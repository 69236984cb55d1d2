"""Examples as a mode wants them: words and their tags as spans of the text, whatever way the data say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from functory_sdk import DataError, Span, split_tags, tag_runs
from functory_sdk.spans.placing import join
from functory_sdk.spans.scripts import is_clinging, is_unspaced
from functory_tagging.types import WORD, TaggedLine

_BARE = frozenset("BMIES")


def are_characters(examples: Iterable[TaggedLine]) -> bool:
    """Return whether examples say by the tags of characters where words begin and end: B, M, I, E and S, or B-NN and its like.

    Their tokens are characters, some of them of a script without spaces; letters and digits of others may stand together.
    """
    is_unwritten = False
    for example in examples:
        if example.tags and not (_in_scheme(example.tags) and all(map(_is_character, example.tokens))):
            return False
        is_unwritten |= bool(example.tags) and any(is_unspaced(token[0]) for token in example.tokens)
    return is_unwritten


def as_words(example: TaggedLine, *, by_character: bool) -> TaggedLine:
    """Return an example whose words are spans of its text, which does not show them.

    Words come as spans, as characters with tags, as words with a tag each or none, or as a text with spaces between them.

    :param by_character: whether tokens are characters, whose tags say where words begin and end.
    :raises DataError: where there are none of these.
    """
    if example.spans or not example.text.strip():
        return TaggedLine(text=example.text, spans=example.spans)
    if example.tags and by_character:
        return _of(example.text, _runs(example))
    if example.tokens:
        labels = example.tags or [WORD] * len(example.tokens)
        return _of(example.text, [(*place, label) for place, label in zip(example.offsets, labels, strict=True)])
    if example.tags:
        raise DataError("there are tags and no words.", do="give the words as a list: words = ['…'].")
    text, offsets = join(example.text.split())
    return _of(text, [(start, end, WORD) for start, end in offsets])


def _of(text: str, places: Sequence[tuple[int, int, str]]) -> TaggedLine:
    return TaggedLine(text=text, spans=tuple(Span(start=start, end=end, label=label) for start, end, label in places))


def _runs(example: TaggedLine) -> list[tuple[int, int, str]]:
    """Return the words that the tags of characters name."""
    tags = [f"{tag}-{WORD}" if tag in _BARE else tag for tag in example.tags]
    offsets = example.offsets
    return [(offsets[start][0], offsets[stop - 1][1], label) for start, stop, label in tag_runs(tags)]


def _in_scheme(tags: Sequence[str]) -> bool:
    """Return whether tags say of each character where it stands in a word."""
    if all(tag in _BARE for tag in tags):
        return True
    try:
        found = split_tags(tags)
    except DataError:
        return False
    return all(tag[:1] in _BARE and tag[1:2] == "-" and label for tag, (_, label) in zip(tags, found, strict=True))


def _is_character(token: str) -> bool:
    """Return whether a token is one character, with the marks on it, or a run of letters or digits of a script with spaces."""
    return all(map(is_clinging, token[1:])) or (token.isalnum() and not any(map(is_unspaced, token)))
