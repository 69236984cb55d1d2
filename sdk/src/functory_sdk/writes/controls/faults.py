"""What of a control does not hold of a text: nothing, when the text was written under it."""

from __future__ import annotations

from functory.contracts.controlling import Control, Range, stands
from functory.reading.sentences import sentence_spans
from functory_sdk.writes.controls.pieces import is_ended
from functory_sdk.writes.metrics import word_count


def faults(control: Control, text: str) -> tuple[str, ...]:
    """Return what of a control does not hold of a whole text, in a few words each; of what a classifier says, nothing."""
    lacking = [f"{one!r} is missing" for one in missing(control, text)]
    held = [f"{one!r} stands in it" for one in control.must_not if stands(one, text)]
    lengths = [
        _length(control.words, word_count(text), "words"), _length(control.characters, len(text), "characters"),
        _length(control.sentences, len(sentence_spans(text)), "sentences"),
    ]  # fmt: skip
    ended = ["it does not end with a sentence"] if control.has_length and not is_ended(text) else []
    return (*lacking, *held, *filter(None, lengths), *ended)


def missing(control: Control, text: str) -> list[str]:
    """Return what must stand in a text and does not yet."""
    return [one for one in control.must if not stands(one, text)]


def _length(wanted: Range | None, count: int, what: str) -> str:
    if wanted is None or wanted[0] <= count <= (count if wanted[1] is None else wanted[1]):
        return ""
    return f"{count} {what}"
