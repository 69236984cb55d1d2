"""The heads and their losses (torch): a number for each candidate, and what is right among those of a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, softplus

from functory_sdk import BackboneSpec
from functory_sdk.torch import CosineHead, LinearHead, Numbered, Paired, Reading, groups
from functory_sdk.torch.heads import Together

SHARPNESS = 20.0
"""What a cosine is multiplied by before the softmax, as sentence encoders are trained (a temperature of .05)."""
KNOWN = 2
"""The last numbers of what is `worded`, which say something before anything was learned: the cosine, and what the words add."""


class WordedCosineHead(CosineHead):
    """The cosine of a query's vector and a candidate's, and what the words add that both hold; without parameters."""

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        cosine = super().forward(features, batch)["score"]
        return {"score": cosine + batch["words"] if "words" in batch else cosine}


class Against(Paired):
    """A candidate's vector, how it differs from the query's, and their cosine, [v; |u − v|; u · v; cos(u, v)].

    Without the query's own vector u, which is the same for all candidates and cannot part them.
    """

    name = "against"

    def width(self, spec: BackboneSpec) -> int:
        return 3 * self.each.width(spec) + 1

    def join(self, vectors: Tensor) -> Tensor:
        query, candidate = vectors.unbind(1)  # (rows, width) each
        cosine = cosine_similarity(query, candidate, dim=-1)
        return torch.cat([candidate, (query - candidate).abs(), query * candidate, cosine[:, None]], -1)


class ListwiseHead(LinearHead):
    """One number a row; a softmax over a query's candidates is to be each one's share of all grades.

    ListNet's top-one probabilities (Cao et al. 2007, section 4), with the grade itself as the increasing function of it, so
    that what is not relevant has no share.
    """

    together: ClassVar[Together] = "group"

    def __init__(self, spec: BackboneSpec, state: Any, reading: Reading | None = None) -> None:
        super().__init__(spec, state, 1, reading, has_bias=False)

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"score": self.scores(features).squeeze(-1)}  # (rows,)

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of each query's candidates, (queries,), and a weight of 1."""
        scores, grades, query = candidates(outputs, batch)
        share = grades / groups.sums(grades, query).clamp(min=torch.finfo(grades.dtype).tiny)[query]
        losses = groups.sums(-share * groups.log_softmax(scores, query), query)
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        scores, _, query = candidates(outputs, batch)
        return -groups.means(groups.log_softmax(scores, query), query)


class PairwiseHead(ListwiseHead):
    """One number a row; of two candidates of a query the one with the higher grade is to have the larger one.

    RankNet's cross-entropy of the difference (Burges et al. 2005, section 3), the mean over a query's pairs; a query without
    such a pair loses nothing.
    """

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores, grades, query = candidates(outputs, batch)
        better, worse = pairs(grades, query)
        losses = groups.means(softplus(scores[worse] - scores[better]), query[better], groups.number(query))
        return losses, torch.ones_like(losses)

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        scores, grades, query = candidates(outputs, batch)
        better, worse = pairs(grades, query)
        apart = scores[worse] - scores[better]
        both = (softplus(apart) + softplus(-apart)) / 2
        return groups.means(both, query[better], groups.number(query))


class ApartListwiseHead(ListwiseHead):
    """As `ListwiseHead`, where query and candidate were each read by itself; it begins as their cosine and what the words add."""

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, worded())
        begin(self)

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self.losses(_begun(features), batch)


class ApartPairwiseHead(PairwiseHead):
    """As `PairwiseHead`, where query and candidate were each read by itself; it begins as their cosine and what the words add."""

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, worded())
        begin(self)

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self.losses(_begun(features), batch)


def worded() -> Reading:
    """Return what a head on vectors reads: `Against`, and what the words add that query and candidate hold both."""
    return Numbered(Against(), "words")


def _begun(features: Tensor) -> dict[str, Tensor]:
    """Return the numbers that cosine and words give the rows of `worded`: what brings a query near what is relevant for it."""
    return {"score": SHARPNESS * features[:, -KNOWN:].sum(-1)}


def begin(head: ListwiseHead) -> None:
    """Let a head on what is `worded` begin as cosine and words, and go from them no farther than the examples say.

    A handful of queries teach a map of a thousand numbers less than these say already.
    """
    head.prior = torch.zeros_like(head.linear.weight)
    head.prior[:, -KNOWN:] = SHARPNESS
    with torch.no_grad():
        head.linear.weight.copy_(head.prior)


def candidates(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return each candidate's number, that of the best of its windows, its grade, and which query it is for, (candidates,)."""
    most = int(batch["candidate"].max()) + 1
    key, of_row = torch.unique(batch["group"] * most + batch["candidate"], return_inverse=True)  # (candidates,), (rows,)
    scores, grades = (
        torch.full((len(key),), -torch.inf, dtype=values.dtype, device=values.device).scatter_reduce(0, of_row, values, "amax")
        for values in (outputs["score"], batch["grade"])
    )
    return scores, grades, key // most


def pairs(grades: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Return which candidates go before which others of their query, (pairs,) both; no query is held against another.

    :param query: (candidates,) int64, in order: those of a query stand together.
    """
    sizes = torch.bincount(query)
    partners = sizes[query]  # (candidates,)
    one = torch.arange(len(query), device=query.device).repeat_interleave(partners)
    turn = torch.arange(len(one), device=query.device) - (partners.cumsum(0) - partners)[one]
    other = (sizes.cumsum(0) - sizes)[query[one]] + turn
    is_before = grades[one] > grades[other]
    return one[is_before], other[is_before]
