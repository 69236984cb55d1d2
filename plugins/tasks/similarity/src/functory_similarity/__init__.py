"""The similarity task."""

from functory_similarity.task import Similarity
from functory_similarity.types import Likeness, Pair, Scale, ScoredPair

__all__ = ["Likeness", "Pair", "Scale", "ScoredPair", "Similarity"]
