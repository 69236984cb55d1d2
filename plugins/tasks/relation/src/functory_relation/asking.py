"""Relations by likelihood: a backbone that writes says how likely each relation's words are after the text and its two spans.

Apart from `relate`, whose head has to be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functory_relation.relate import related, side_of
from functory_relation.types import LabelledPlaces, Related, RelationOptions
from functory_sdk import BackboneSpec, Demonstration, Encoded, Labels, Reader, Row
from functory_sdk.labels.likelihood import LikelyLabels

PROMPT = "{text}\n\nHow {head} (e1) and {tail} (e2) are related:"
"""What is read before a relation's words."""
FIELDS = ("text", "head", "tail")
ROOM = 256
"""Tokens that a backbone has at least where the prompt is to stand in it."""


def may_ask(options: RelationOptions, spec: BackboneSpec) -> bool:
    """Return whether a backbone writes, and has room for the prompt; a caller's own is theirs to fit."""
    return spec.has_logits and spec.architecture != "encoder" and (bool(options.prompt) or spec.context >= ROOM)


class AskRelation(LikelyLabels):
    """A row for each relation, the text and both spans before it.

    :param options: the task's.
    :param labels_of: the right label of an example.
    """

    def __init__(self, options: RelationOptions, labels_of: Callable[[Any], Sequence[str]]) -> None:
        asked = options if options.prompt else options.model_copy(update={"prompt": PROMPT})
        super().__init__(asked, FIELDS, lambda value: [_told(value)], labels_of)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Labels) -> Encoded:
        encoded = super().encode(inputs, reader, state)
        encoded.side = [side_of(value, notes) for value, notes in zip(inputs, encoded.side, strict=True)]
        return encoded

    def decode(self, side: Any, outputs: Sequence[Row], state: Labels) -> Related:
        return related(super().decode(side.notes, outputs, state), side, state)

    def _demonstrated(self, example: Mapping[str, Any]) -> Demonstration:
        read = LabelledPlaces.model_validate(example)
        texts = _told(read)
        return Demonstration(self._frame, tuple(texts[name] for name in self._frame.fields), self._words(read.label))


def _told(value: Any) -> dict[str, str]:
    """Return the texts of an input as the prompt has them."""
    side = side_of(value)
    return {"text": value.text, "head": side.head, "tail": side.tail}
