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

from functory.contracts.decoding import SURE, Request, Token
from functory.contracts.rows import Array
from functory_sdk.choosing import changed
from functory_sdk.guides.walks import Walk
from functory_sdk.lines.text import Alone, Step, Text

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
    """The search for the texts of a request, as many as it asks for. They are told when all are found, the best first."""

    def __init__(self, request: Request, place: int, walk: Walk | None = None, before: Sequence[int] | None = None) -> None:
        super().__init__(request, place, walk, before)
        self.most = request.decoding.beams
        self._course = Course([Beam(walk=walk)])

    def go_on(self, scores: Array, alone: Alone | None = None) -> Step:
        before, course = self._course.running, self.further(self._course, scores)
        if course.doubt < CLOSE and alone is not None:
            course = self._by_itself(alone, course.length)
            rows = {beam.tokens: row for row, beam in enumerate(before)}
            course = replace(course, rows=[rows[beam.tokens[:-1]] for beam in course.running])
        self._course = course
        if not course.is_over:
            return Step([], course.rows, [beam.tokens[-1] for beam in course.running])
        best = enumerate(course.found[: self.request.decoding.samples])
        return Step([token for sample, beam in best for token in _told(beam, self.place, sample, self.request, course.lead)])

    def _by_itself(self, alone: Alone, length: int) -> Course:
        """Return how far it is after so many tokens, searched by itself: the same computation in every batch."""
        course, apart = Course([Beam(walk=self.walk)]), alone(self.request, ())
        while True:
            course = self.further(course, apart.scores)
            if course.is_over or course.length == length:
                return course
            apart.go_on(course.rows, [beam.tokens[-1] for beam in course.running])

    def further(self, course: Course, scores: Array) -> Course:
        """Go on with each beam by each token, and keep the best.

        :param scores: of each beam's next token, (beams, vocabulary).
        """
        request, how, length = self.request, self.request.decoding, course.length + 1
        made, rows, margin = self._made(course.running, scores)
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

    def _made(self, beams: Sequence[Beam], scores: Array) -> tuple[list[Beam], list[int], float]:
        """Return the best continuations of beams, the best first, which beam each continues, and how far what steers was from
        saying otherwise.
        """
        request, likely = self.request, _log_softmax(scores)
        told = [
            changed(row, request, beam.tokens, self.seen(beam.tokens), None if beam.walk is None else beam.walk.allowed())
            for row, beam in zip(likely, beams, strict=True)
        ]
        margin = min(margin for _, margin in told)
        sums = np.stack([row for row, _ in told]) + np.asarray([beam.score for beam in beams], np.float32)[:, None]
        # One that ends is no beam that goes on: so many that enough are left where every end is among the best.
        best = _best(sums.ravel(), max(2, 1 + len(request.stop_ids)) * request.decoding.beams)
        made, rows = list[Beam](), list[int]()
        for row, token, score in _in_time(request, beams, best, sums):
            made.append(_longer(request, beams[row], token, float(likely[row, token]), score))
            rows.append(row)
        return made, rows, margin


def _log_softmax(scores: Array) -> Array:
    """Return the log-probabilities of tokens, of their scores, float32 (rows, vocabulary) both."""
    shifted = scores - scores.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def _best(sums: Array, size: int) -> list[int]:
    """Return the places of the best sums that may be, the best first: so many at most."""
    size = min(size, len(sums))
    places = np.argpartition(sums, len(sums) - size)[len(sums) - size :]
    order = places[np.argsort(-sums[places], kind="stable")]
    found: list[int] = order[sums[order] > -math.inf].tolist()
    return found


def _doubts(made: Sequence[Beam], ranked: Sequence[Beam], beams: int, norm: float, *, is_new: bool) -> Iterator[float]:
    """Give by how much it was decided which ends count, and how those that ended are ranked.

    :param made: the best continuations, of which ends among the first so many count.
    :param is_new: whether the ranks are others than before, or count now.
    """
    if len(made) > beams and any(beam.finish is not None for beam in made[beams - 1 : beams + 1]):
        yield made[beams - 1].score - made[beams].score
    if is_new:
        yield from ((one.score - other.score) * norm for one, other in pairwise(ranked[: beams + 1]))


def _in_time(
    request: Request, beams: Sequence[Beam], numbers: Sequence[int], sums: Array
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
