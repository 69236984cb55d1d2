"""The head: a map of the states at the marks (torch)."""

from __future__ import annotations

from functory_relation.relate import MARKS
from functory_sdk import BackboneSpec, Labels
from functory_sdk.torch import ClassifierHead, Places


class RelationHead(ClassifierHead):
    """Log-probabilities of the relations, (batch, labels), from the states at the marks before and after both spans."""

    def __init__(self, spec: BackboneSpec, state: Labels) -> None:
        super().__init__(spec, state, Places(2 * len(MARKS)))
