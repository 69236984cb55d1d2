"""Word- and character-aligned tags in IOB2, read into spans of characters.

Ramshaw and Marcus 1995, as Sang and Veenstra 1999 fixed it: ``B-x`` begins an entity of type x, ``I-x`` goes on
with it, ``O`` is outside. Tags of other schemes are refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functory_ner.scripts import is_unspaced
from functory_sdk import DataError

Offsets = list[tuple[int, int]]
"""For each token its first character and the one after its last."""


def split_tag(tag: str, place: int) -> tuple[str, str]:
    """Return a tag's letter and its label: ``("B", "person")``, ``("O", "")``.

    :param place: which token has it, counted from 1, for the error.
    :raises DataError: when it is no tag of IOB2.
    """
    letter, dash, label = tag.partition("-")
    if (letter == "O" and not dash) or (letter in ("B", "I") and label):
        return letter, label
    raise DataError(
        f"tag {place} is {tag!r}, which is not IOB2.",
        do="IOB2 knows 'O', 'B-label' and 'I-label'; convert the tags, or give entities with their offsets.",
    )


def runs(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Give each entity of a row of tags: its first token, the one after its last, its label.

    An ``I-x`` that continues no x begins one, as conlleval reads it; `fault` tells where that happens.
    """
    start, current = 0, ""
    for place, tag in enumerate(tags):
        letter, label = split_tag(tag, place + 1)
        if current and not (letter == "I" and label == current):
            yield start, place, current
            current = ""
        if not current and letter != "O":
            start, current = place, label
    if current:
        yield start, len(tags), current


def fault(tags: Sequence[str]) -> int | None:
    """Return the place of the first ``I-x`` that continues no x, from 0; None where the tags are sound IOB2."""
    before = ""
    for place, tag in enumerate(tags):
        letter, label = split_tag(tag, place + 1)
        if letter == "I" and label != before:
            return place
        before = label
    return None


def join(tokens: Sequence[str]) -> tuple[str, Offsets]:
    """Return the text that tokens make, and where each lies in it.

    A space goes between two tokens, unless either border is of a script written without spaces, or the tokens are
    the characters of such a text: then what stands between its Latin letters is nothing, too.
    """
    are_characters = all(len(token) == 1 for token in tokens) and any(map(is_unspaced, tokens))
    text = ""
    offsets: Offsets = []
    for token in tokens:
        if text and not (are_characters or is_unspaced(text[-1]) or is_unspaced(token[0])):
            text += " "
        offsets.append((len(text), len(text) + len(token)))
        text += token
    return text, offsets


def align(tokens: Sequence[str], text: str) -> Offsets:
    """Return where tokens lie in their text: in order, with nothing but white space between them.

    :raises DataError: naming the first token that is not there.
    """
    offsets: Offsets = []
    end = 0
    for place, token in enumerate(tokens):
        start = end if text.startswith(token, end) else end + len(text[end:]) - len(text[end:].lstrip())
        if not text.startswith(token, start):
            raise DataError(
                f"token {place + 1}, {token!r}, is not at character {start} of the text: {text[start : start + 20]!r} is.",
                do="give tokens that make up the text, or leave the text out.",
            )
        end = start + len(token)
        offsets.append((start, end))
    return offsets
