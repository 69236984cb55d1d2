"""How a text that goes on can be ended so that all of its control holds: what is missing, what fills it up, a sentence's mark.

Apart from what holds a text, which takes such an ending only where its tokens, words or characters would run out else.
"""

from __future__ import annotations

from collections.abc import Iterator

from functory.contracts.controlling import LETTER, Control
from functory.reading.sentences import sentence_spans
from functory_sdk.writes.controls.faults import faults, missing
from functory_sdk.writes.controls.pieces import folded, is_ended
from functory_sdk.writes.metrics import word_count

FILLERS = (("so on", "So it is"), ("more", "That is all"), ("yes", "Yes"), ("等等", "就是这样"), ("啊", "是的"), ("1", "1"))
"""Words that fill a text up, and sentences; others where some of them must not stand in it."""
TRIED = 5000
"""The most times that filler is put in."""


def closing(control: Control, text: str) -> str | None:
    """Return what makes a text whole that goes on; None where nothing was found that does."""
    if not faults(control, text):
        return ""
    for filler, sentence in _fillers(text):
        for mark in ("。", ".", "!") if _is_spaceless(text) else (".", "!", "。"):
            found = _closing(control, text, filler, sentence, mark)
            if found is not None and not faults(control, text + found):
                return found
    return None


def _fillers(text: str) -> Iterator[tuple[str, str]]:
    yield from sorted(FILLERS, key=lambda one: _is_spaceless(one[0]) != _is_spaceless(text))


def _is_spaceless(text: str) -> bool:
    """Return whether a text is in a script without spaces, as its last letter says."""
    letters = [one for one in text if one.isalpha()]
    return bool(letters) and not LETTER.match(letters[-1])


def _closing(control: Control, text: str, filler: str, sentence: str, mark: str) -> str | None:
    """Return an ending with this filler and this mark; None where there would be no end of it."""
    made = text
    for phrase in missing(control, text):
        made += _rest(made, phrase)
    least = [(wanted or (0, None))[0] for wanted in (control.sentences, control.words, control.characters)]
    for _ in range(TRIED):
        if len(sentence_spans(made)) < least[0] and (is_ended(made) or not made.strip()):
            made = _joined(made, sentence) + mark
        elif len(sentence_spans(made)) < least[0]:
            made += mark
        elif word_count(made) < least[1] or len(made) < least[2]:
            made = _joined(made, filler)
        else:
            break
    else:
        return None
    if (control.has_length or len(made) > len(text)) and not is_ended(made):
        made += mark
    return made[len(text) :]


def _joined(text: str, more: str) -> str:
    """Return a text with more after it: after a space, but for a script without."""
    is_apart = text and not text[-1].isspace() and not (_is_spaceless(text[-1:]) or text[-1] in "。！？｡，、")
    return f"{text}{' ' if is_apart else ''}{more}"


def _rest(text: str, phrase: str) -> str:
    """Return what puts a phrase at the end of a text, which may end with a part of it."""
    own, end = folded(phrase), folded(text)
    for size in range(len(own) - 1, 0, -1):
        before = text[: len(text) - size][-1:]
        if end.endswith(own[:size]) and not (LETTER.match(before) and LETTER.match(phrase[0])):
            return phrase[size:]
    return _joined(text, phrase)[len(text) :]


