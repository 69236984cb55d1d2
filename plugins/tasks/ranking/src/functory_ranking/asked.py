"""Ranking by prompt: a backbone that writes says how likely the query is to be asked about each candidate. No training at all.

Apart from `put`, whose ways read a query and a candidate as an encoder does.
"""

from __future__ import annotations

from collections.abc import Sequence

from functory_ranking.put import Scored
from functory_ranking.types import RankingOptions
from functory_sdk import Continuing, Encoded, Frame, Reader, continued, endings, template_frame
from functory_sdk.spans.scripts import going_on, is_unspaced

ASKED = "Passage: {candidate}\nPlease write a question based on this passage.\nQuestion:"
ASKED_UNSPACED = "段落：{candidate}\n请根据这个段落写一个问题。\n问题："
"""For queries in a script without spaces."""


class LikelyQuery(Continuing, Scored):
    """A row for each candidate: the prompt with it, then the query, whose mean log-probability a token is the candidate's score
    (Sachan et al. 2022, Improving Passage Retrieval with Zero-Shot Question Generation).

    That the query comes after the candidate, and not before, makes candidates comparable whatever their length. A long candidate
    is cut at its end.

    :raises OptionError: for a prompt without a place for the candidate.
    """

    def __init__(self, options: RankingOptions) -> None:
        self._frames = {
            is_spaced: template_frame(options.prompt or own, ("candidate",))
            for is_spaced, own in ((True, ASKED), (False, ASKED_UNSPACED))
        }

    def pairs(self, pairs: Sequence[tuple[str, str]], reader: Reader) -> Encoded:
        asked = []
        for query, own in _by_query(pairs):
            frame = self._frame(query)
            [ending], notes = endings([going_on(query)], reader, "query", around=len(reader.prompts([""], frame)[0].ids))
            prompts = reader.prompts(own, frame, spare=len(ending))
            asked += [([(one.ids, [ending])], (*one.notes, *notes)) for one in prompts]
        return continued(asked, reader)

    def _frame(self, query: str) -> Frame:
        """Return what stands around a candidate for a query, in its language as far as its script tells."""
        return self._frames[not any(map(is_unspaced, query))]


def _by_query(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return the candidates of each query, in the pairs' order: those of a query stand together."""
    found: list[tuple[str, list[str]]] = []
    for query, candidate in pairs:
        if not found or found[-1][0] != query:
            found.append((query, []))
        found[-1][1].append(candidate)
    return found
