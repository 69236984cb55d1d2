"""The tags of a tagger that was made elsewhere: whatever scheme and writing they have, as the scores are read here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from functory_ner.odd import odd_tag
from functory_sdk import DataError, NotSupported, split_tags

OUTSIDE = frozenset(("O", "o", "X", "PAD", "[PAD]", "<PAD>", "<pad>", "[CLS]", "[SEP]", "[UNK]", "<s>", "</s>", "<unk>"))
"""Outputs that say there is no entity; old taggers have one for later pieces (X) and for the tokens around a text."""
REMEDY = (
    "say what its outputs stand for in id2label of the model's config.json: 'O', and 'B-type', 'I-type' of each type (or the "
    "tags of BIOES, BILOU or IO), in the order of its outputs."
)
_FIRST = re.compile(r"([BIESLUMW])[-_:/. ](\S.*)", re.IGNORECASE)
_LAST = re.compile(r"(\S.*)[-_:/. ]([BIESLUMW])", re.IGNORECASE)


def given_tags(outputs: Sequence[str]) -> tuple[str, ...]:
    """Return a tagger's tags as the schemes write them, in the order of its outputs.

    :raises NotSupported: where they are no tags, or none says that there is no entity.
    """
    tags = tuple("O" if name in OUTSIDE else name for name in _written([name.strip() for name in outputs]))
    if "O" not in tags:
        raise NotSupported(f"no output of the head says that there is no entity; they are {_some(outputs)}.", do=REMEDY)
    try:
        found = split_tags(tags)
    except DataError as error:
        raise NotSupported(f"the head's outputs, {_some(outputs)}, are no tags: {error.what}", do=REMEDY) from None
    if not any(label for _, label in found):
        raise NotSupported(f"the head's outputs name no type of entity; they are {_some(outputs)}.", do=REMEDY)
    return tags


def types_of(tags: Sequence[str]) -> tuple[str, ...]:
    """Return the types in the order in which tags name them first."""
    return tuple(dict.fromkeys(label for _, label in split_tags(tags) if label))


def scheme_of(tags: Sequence[str]) -> str:
    """Return the scheme that a tagger's tags belong to, as a set."""
    letters = {tag[0] for tag in tags if tag != "O" and tag[1:2] == "-"}
    begun, inside = ({tag[2:] for tag in tags if tag.startswith(f"{letter}-")} for letter in "BI")
    if letters & set("ESLUMW"):
        return "BILOU" if letters & set("LU") else "BIOES"
    return "IO" if not begun else "IOB1" if inside - begun else "IOB2"


def in_order(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tags in the order of those of a head that is trained here, where they are the same; else as they are."""
    own = ("O", *(f"{letter}-{label}" for label in types_of(tags) for letter in "BI"))
    return own if sorted(own) == sorted(tags) else tags


def _written(names: Sequence[str]) -> list[str]:
    """Return tags as the schemes write them: ``B_PER``, ``PER-B`` and ``b-per`` are ``B-PER``, where all are written so."""
    if odd := odd_tag(set(names)):
        form = _LAST if _LAST.fullmatch(odd[0]) and odd[0][-1] == "B" else _FIRST
        letter, label = (2, 1) if form is _LAST else (1, 2)
        return [f"{found[letter]}-{found[label]}" if (found := form.fullmatch(name)) else name for name in names]
    return [f"{name[0].upper()}{name[1:]}" if re.fullmatch(r"[biesluw]-.+", name) else name for name in names]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" … ({len(names)})" if len(names) > 6 else "")
