"""Tags of tokens, in every scheme in which they are found, read as stretches of tokens with a label.

    New    York   is  in   Ohio
    B-LOC  I-LOC  O   O    B-LOC    IOB2 (Sang and Veenstra 1999)
    I-LOC  I-LOC  O   O    I-LOC    IOB1 (Ramshaw and Marcus 1995): B- only between two neighbours of one label
    B-LOC  E-LOC  O   O    S-LOC    BIOES; BILOU says L- and U-, BMES M- for I-, BMEWO W- for S-
    LOC    LOC    O   O    LOC      IO: neighbours of one label are one stretch

One reading fits them all, so nobody has to say which it is: a stretch begins at B and S, at another label, and after E, S and O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from functory.errors import DataError

_LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_INSIDE, _OPEN = ("I", "E"), ("B", "I")
_START = ("O", "")


def split_tag(tag: str, place: int) -> tuple[str, str]:
    """Return a tag's letter, one of B, I, O, E and S, and its label: ``("B", "person")``, ``("O", "")``.

    A label alone, as IO has it, is an I. White space around tag and label goes.

    :param place: which token has it, counted from 1, for the error.
    :raises DataError: when it is no tag of any scheme.
    """
    letter, dash, label = (part.strip() for part in tag.partition("-"))
    if letter == "O" and not dash:
        return _START
    if letter in _LETTERS and label:
        return _LETTERS[letter], label
    if len(letter) > 1:
        return "I", tag.strip()
    raise DataError(
        f"tag {place} is {tag!r}, which no scheme knows.",
        do="write 'O', and 'B-label', 'I-label' (IOB), with 'E-label', 'S-label' (BIOES) or 'L-label', 'U-label' (BILOU), or "
        "the labels alone (IO); or give entities with their offsets.",
    )


def split_tags(tags: Sequence[str]) -> list[tuple[str, str]]:
    """Return letter and label of each tag of a row.

    :raises DataError: when one is no tag, or some have a letter before their label and some have none.
    """
    found = [split_tag(tag, place) for place, tag in enumerate(tags, 1)]
    has_letter = {tag: _has_letter(tag) for tag, (letter, _) in zip(tags, found, strict=True) if letter != "O"}
    if len(set(has_letter.values())) > 1:
        bare = next(tag for tag, has in has_letter.items() if not has)
        other = next(tag for tag, has in has_letter.items() if has)
        raise DataError(
            f"tag {list(tags).index(bare) + 1} is {bare!r}, without the letter that {other!r} has.",
            do="give each tag its letter, 'B-' or 'I-', or none of them.",
        )
    return found


def tag_runs(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Give each stretch of a row of tags: its first token, the one after its last, its label.

    What continues nothing begins a stretch, as conlleval reads it; `tag_fault` tells where that happens.
    """
    start, before = 0, _START
    for place, (letter, label) in enumerate([*split_tags(tags), _START]):
        goes_on = letter in _INSIDE and before[0] in _OPEN and before[1] == label
        if before[1] and not goes_on:
            yield start, place, before[1]
        if not goes_on:
            start = place
        before = (letter, label)


def iob2(tags: Sequence[str]) -> tuple[str, ...]:
    """Return a row of tags of any scheme in IOB2."""
    found = ["O"] * len(tags)
    for start, stop, label in tag_runs(tags):
        found[start:stop] = [f"B-{label}", *[f"I-{label}"] * (stop - start - 1)]
    return tuple(found)


def tag_scheme(rows: Iterable[Sequence[str]]) -> str:
    """Return the scheme of rows of tags: IOB2, IOB1, BIOES, BILOU or IO; IOB2 where several fit."""
    begun = follows = 0  # B after its own label, B anywhere
    loose = False  # an I that continues nothing
    letters: set[str] = set()
    for tags in rows:
        before = _START
        letters.update(tag.strip()[:1] for tag in tags if _has_letter(tag))
        for letter, label in split_tags(tags):
            begun += letter == "B"
            follows += letter == "B" and before[1] == label
            loose |= letter == "I" and before[1] != label
            before = (letter, label)
    if letters & set("ESLUMW"):
        return "BILOU" if letters & set("LU") else "BIOES"
    if not loose:
        return "IOB2"
    return "IOB2" if begun > follows else "IOB1" if begun else "IO"


def tag_fault(tags: Sequence[str]) -> int | None:
    """Return the place, from 0, of the first tag of a row that does not fit the one before; None for sound IOB2 or BIOES.

    IOB2 asks that each I follows its own B or I; BIOES, told by its letters, that each entity is closed, too.
    """
    found = split_tags(tags)
    is_closed = any(letter in "ES" for letter, _ in found)
    before = _START
    for place, here in enumerate([*found, _START] if is_closed else found):
        if not _fits(before, here, is_closed):
            return min(place, len(tags) - 1)
        before = here
    return None


def _fits(before: tuple[str, str], here: tuple[str, str], is_closed: bool) -> bool:
    """Return whether a tag may follow another."""
    is_open = before[0] in _OPEN
    if here[0] in _INSIDE:
        return is_open and before[1] == here[1]
    return not (is_closed and is_open)


def _has_letter(tag: str) -> bool:
    """Return whether a tag has a scheme's letter before its label."""
    letter, dash, label = tag.partition("-")
    return letter.strip() in _LETTERS and bool(dash and label.strip())
