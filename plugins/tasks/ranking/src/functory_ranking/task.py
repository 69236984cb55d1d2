"""The contract: which ways of ranking there are, and which suits. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_ranking.asked import LikelyQuery
from functory_ranking.ordering import Ranks
from functory_ranking.put import Apart, Cosine, Together
from functory_ranking.types import RankingOptions
from functory_sdk import BackboneSpec, Formulation, Suited


class Ranking(Ranks[RankingOptions]):
    """Puts candidates in the order of how well they answer a query: any number of them, with a score each."""

    Options: ClassVar = RankingOptions
    paper: ClassVar[str] = "Cao et al. 2007, Learning to Rank: From Pairwise Approach to Listwise Approach"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task ranking --backbone e5 --output search",
        "functory build --task ranking --backbone smollm2 --adaptation zero-shot --output search",
        "functory build --task ranking --train clicks.jsonl",
        "functory build --task ranking --train clicks.jsonl --adaptation lora --set task.loss=pairwise",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Query and candidate in one row; each by itself, with a head on both vectors; their vectors as they are; and how likely
        the query is after the candidate, on a backbone that writes.
        """
        found: dict[str, Formulation] = {
            "features": Together(self.options), "vectors": Apart(self.options), "plain": Cosine(self.options),
        }  # fmt: skip
        if spec.has_logits and spec.architecture != "encoder":
            found["prompt"] = LikelyQuery(self.options)
        return found

    def suits(self, *, has_examples: bool) -> Suited:
        if has_examples:
            why = "a sentence encoder's vectors say much of relevance; a head on both learns what your data add in seconds"
            return Suited("minilm", "head", why, "e5")
        why = "a sentence encoder was trained to give a query and its answer like vectors, and words tell names"
        return Suited("minilm", "zero-shot", why, "e5")
