"""Searches for the likeliest whole texts: several beginnings are kept at a time, each step the best of all their continuations.

As transformers does it, to the token. The beams of many prompts are the rows of one batch, and what others are in it changes
nothing: where a rounding could decide between a beam that is kept and one that is not, the prompt is searched by itself that far.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from functory_sdk import SURE, Request, Token
from functory_sdk.choosing import changed
from functory_sdk.guides import Walk
from functory_sdk.torch import Network, Writing
from functory_torch.batch import Step, Text
from functory_torch.writing import Line, begun, numbers

CLOSE = 2e-4
"""Where what decides between beams is this close, the rounding of another batch might turn it around: sums of log-probabilities,
each off by some 1e-5 at most, and most of it evened out."""


@dataclass(frozen=True)
class Beam:
    """The beginning of a text, or one that ended.

    :param likely: the log-probability of each token, and of the one that ended it.
    :param score: their sum, in which a penalty on repetition counts; over a power of their number where the text ended.
    :param walk: what holds it to its guide, where it has one.
    """

    tokens: tuple[int, ...] = ()
    likely: tuple[float, ...] = ()
    score: float = 0.0
    finish: Literal["end", "stop", "length"] | None = None
    end: int = 0
    walk: Walk | None = None


@dataclass(frozen=True)
class Course:
    """How far a search is.

    :param running: the beams that go on.
    :param rows: of which beam of the step before each of them is a continuation.
    :param found: the best of those that ended, the best first.
    :param length: the tokens of those that go on.
    :param lead: the least by which a beam that is kept led one that is not.
    :param doubt: the least by which anything was decided in the last step, in log-probability.
    :param is_over: whether nothing better can be found.
    """

    running: list[Beam]
    rows: list[int] = field(default_factory=list)
    found: list[Beam] = field(default_factory=list)
    length: int = 0
    lead: float = SURE
    doubt: float = SURE
    is_over: bool = False


class Search(Text):
    """The search for the texts of a request, as many as it asks for. They are told when all are found, the best first.

    :param place: the request's index.
    :param walk: what holds its texts to their guide.
    """

    def __init__(self, request: Request, place: int, walk: Walk | None = None) -> None:
        self.request, self.place, self.most = request, place, request.decoding.beams
        self._walk = walk
        self._course = Course([Beam(walk=walk)])

    def go_on(self, network: Network, logits: Tensor) -> Step:
        before, course = self._course.running, further(network, self.request, self._course, logits)
        if course.doubt < CLOSE:
            course = self._alone(network, course.length, logits.device)
            rows = {beam.tokens: row for row, beam in enumerate(before)}
            course = replace(course, rows=[rows[beam.tokens[:-1]] for beam in course.running])
        self._course = course
        if not course.is_over:
            return Step([], course.rows, [beam.tokens[-1] for beam in course.running])
        best = enumerate(course.found[: self.request.decoding.samples])
        return Step([token for sample, beam in best for token in _told(beam, self.place, sample, self.request, course.lead)])

    def _alone(self, network: Network, length: int, device: torch.device) -> Course:
        """Return how far it is after so many tokens, searched by itself: the same computation in every batch."""
        ids, course = torch.tensor([self.request.ids], device=device), Course([Beam(walk=self._walk)])
        with torch.inference_mode():
            writing = Writing(network, ids, torch.ones_like(ids), begun([Line(self.request, self.place)], device))
            while True:
                course = further(network, self.request, course, writing.logits)
                if course.is_over or course.length == length:
                    return course
                writing.choose(course.rows)
                writing.advance(torch.tensor([beam.tokens[-1] for beam in course.running], device=device))


def further(network: Network, request: Request, course: Course, logits: Tensor) -> Course:
    """Go on with each beam by each token, and keep the best.

    :param logits: the scores of each beam's next token, (beams, vocabulary).
    """
    how, length = request.decoding, course.length + 1
    made, rows, margin = _made(network, request, course.running, logits)
    on = [place for place, beam in enumerate(made) if beam.finish is None]
    kept = on[: how.beams]
    lead = made[kept[-1]].score - made[on[how.beams]].score if len(on) > how.beams else SURE
    norm = (len(request.start) + length) ** how.length_penalty
    ended = [replace(beam, score=beam.score / norm) for beam in made[: how.beams] if beam.finish is not None]
    ranked = sorted([*course.found, *ended], key=lambda beam: -beam.score)
    running, found = [made[place] for place in kept], ranked[: how.beams]
    hope = running[0].score / norm - found[-1].score if running and len(found) == how.beams else math.inf
    is_over = not running or hope <= 0 or length == how.max_new_tokens
    doubts = [margin, lead, abs(hope) * norm, *_doubts(made, ranked, how.beams, norm, is_new=bool(ended) or is_over)]
    return Course(running, [rows[place] for place in kept], found, length, min(course.lead, lead), min(doubts), is_over)


def _doubts(made: Sequence[Beam], ranked: Sequence[Beam], beams: int, norm: float, *, is_new: bool) -> Iterator[float]:
    """Give by how much it was decided which ends count, and how those that ended are ranked.

    :param made: the best continuations, of which ends among the first so many count.
    :param is_new: whether the ranks are others than before, or count now.
    """
    if len(made) > beams and any(beam.finish is not None for beam in made[beams - 1 : beams + 1]):
        yield made[beams - 1].score - made[beams].score
    if is_new:
        yield from ((one.score - other.score) * norm for one, other in pairwise(ranked[: beams + 1]))


def _made(
    network: Network, request: Request, beams: Sequence[Beam], logits: Tensor
) -> tuple[list[Beam], list[int], float]:
    """Return the best continuations of beams, the best first, which beam each continues, and how far what steers was from
    saying otherwise.
    """
    how = request.decoding
    likely = logits.float().log_softmax(-1)  # (beams, vocabulary)
    seen = [Line(request, 0, tokens=list(beam.tokens)).seen(network) if how.repetition_penalty != 1 else () for beam in beams]
    told = [
        changed(row, request, beam.tokens, own, None if beam.walk is None else beam.walk.allowed())
        for row, beam, own in zip(numbers(likely), beams, seen, strict=True)
    ]
    scores, margin = torch.from_numpy(np.stack([row for row, _ in told])), min(margin for _, margin in told)
    sums = (scores + torch.tensor([beam.score for beam in beams])[:, None]).flatten()
    # One that ends is no beam that goes on: so many that enough are left where every end is among the best.
    best = sums.topk(min(len(sums), max(2, 1 + len(request.stop_ids)) * how.beams))
    made, rows = list[Beam](), list[int]()
    for row, token, score in _in_time(request, beams, best.indices[best.values > -math.inf].tolist(), sums.view_as(likely)):
        made.append(_longer(request, beams[row], token, float(likely[row, token]), score))
        rows.append(row)
    return made, rows, margin


def _in_time(
    request: Request, beams: Sequence[Beam], numbers: Sequence[int], sums: Tensor
) -> list[tuple[int, int, float]]:
    """Return the continuations that are followed, the best first: row, token and score. Of guided texts those that can still
    end in time, and for each beam the next token of its ending besides.

    :param numbers: of the best continuations that may be, as in the flattened `sums`.
    :param sums: (beams, vocabulary) the scores of all continuations.
    """
    pairs = [divmod(number, sums.shape[1]) for number in numbers]
    found = dict.fromkeys((row, token) for row, token in pairs if _admits(request, beams[row], token))
    found |= dict.fromkeys((row, beam.walk.way_out()) for row, beam in enumerate(beams) if beam.walk is not None)
    scored = [(row, token, float(sums[row, token])) for row, token in found]
    return sorted(scored, key=lambda one: -one[2]) if beams[0].walk is not None else scored


def _admits(request: Request, beam: Beam, token: int) -> bool:
    left = request.decoding.max_new_tokens - len(beam.tokens) - 1
    return beam.walk is None or beam.walk.admits(token, left)


def _longer(request: Request, beam: Beam, token: int, likely: float, score: float) -> Beam:
    """Return a beam with a token more, and why it ends there, if it does."""
    known = (*beam.likely, likely)
    finish = request.finish_of(beam.tokens, token)
    if finish == "end":
        return Beam(beam.tokens, known, score, finish, token)
    tokens, walk = (*beam.tokens, token), beam.walk and beam.walk.fork()
    if walk is not None:
        walk.take(token, request.decoding.max_new_tokens - len(tokens))
    return Beam(tokens, known, score, finish, walk=walk)


def _told(beam: Beam, place: int, sample: int, request: Request, lead: float) -> Iterator[Token]:
    """Give the tokens of a text that was found."""
    ids = [*beam.tokens, beam.end] if beam.finish == "end" else list(beam.tokens)
    for at, (token, likely) in enumerate(zip(ids, beam.likely, strict=True)):
        finish = beam.finish if at == len(ids) - 1 else None
        yield Token(place, token, sample, finish, likely if request.decoding.likelihoods else None, lead)
