"""The head: a map of the states at the marks, of both spans and of the text (torch)."""

from __future__ import annotations

from functory_relation.relate import MARKS
from functory_sdk import BackboneSpec, Labels
from functory_sdk.torch import Beside, ClassifierHead, Places, Pooled, Spans


class RelationHead(ClassifierHead):
    """Log-probabilities of the relations, (batch, labels), from the states at the marks before and after both spans, the mean of
    each span and the text's own vector.
    """

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, Beside(Places(2 * len(MARKS)), Spans(len(MARKS)), Pooled()))
