"""Searches for the likeliest whole texts: several beginnings are kept at a time, each step the best of all their continuations.

As transformers does it, to the token. Each prompt is searched by itself, its beams the rows of one batch: what others are in
the call changes nothing, not even by a rounding at the border between a beam that is kept and one that is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from functory_sdk import SURE, Request, Token
from functory_sdk.guides import Walk
from functory_sdk.torch import Network, Writing
from functory_torch.choosing import barred, guided, penalised, steered
from functory_torch.writing import Line, begun


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
class Step:
    """What one step leaves: the beams that go on, and the row of each; those that ended; how clear the border was."""

    running: list[Beam]
    rows: list[int]
    ended: list[Beam]
    lead: float


def search(
    network: Network, request: Request, place: int, device: torch.device, walk: Walk | None = None
) -> Iterator[Token]:
    """Give the tokens of the best texts of a request, as many as it asks for, the best first; when all are found.

    :param place: the request's index.
    :param walk: what holds its texts to their guide.
    """
    how, ids = request.decoding, torch.tensor([request.ids], device=device)
    with torch.inference_mode():
        writing = Writing(network, ids, torch.ones_like(ids), begun([Line(request, place)], device))
        running, found, lead = [Beam(walk=walk)], list[Beam](), SURE
        for length in range(1, how.max_new_tokens + 1):
            step = _step(network, request, running, writing.logits)
            running, lead = step.running, min(lead, step.lead)
            norm = (len(request.start) + length) ** how.length_penalty
            ended = [replace(beam, score=beam.score / norm) for beam in step.ended]
            found = sorted([*found, *ended], key=lambda beam: -beam.score)[: how.beams]
            is_full = len(found) == how.beams
            if not running or (is_full and running[0].score / norm <= found[-1].score):
                break
            writing.choose(step.rows)
            writing.advance(torch.tensor([beam.tokens[-1] for beam in running], device=device))
    for sample, beam in enumerate(found[: how.samples]):
        yield from _told(beam, place, sample, request, lead)


def _step(network: Network, request: Request, beams: Sequence[Beam], logits: Tensor) -> Step:
    """Go on with each beam by each token, and keep the best."""
    how = request.decoding
    likely = logits.float().log_softmax(-1)  # (beams, vocabulary)
    seen = [Line(request, 0, tokens=list(beam.tokens)).seen(network) if how.repetition_penalty != 1 else () for beam in beams]
    scores = torch.stack([penalised(row, own, how.repetition_penalty) for row, own in zip(likely, seen, strict=True)])
    scores = torch.stack([guided(row, _may(beam, row)) for row, beam in zip(scores, beams, strict=True)])
    scores = barred(scores, request)
    if request.steer is not None:
        scores = torch.stack([steered(row, request, beam.tokens)[0] for row, beam in zip(scores, beams, strict=True)])
    sums = (scores + torch.tensor([beam.score for beam in beams], device=logits.device)[:, None]).flatten()
    # One that ends is no beam that goes on: so many that enough are left where every end is among the best.
    best = sums.topk(min(len(sums), max(2, 1 + len(request.stop_ids)) * how.beams))
    made, rows = list[Beam](), list[int]()
    for row, token, score in _in_time(request, beams, best.indices[best.values > -math.inf].tolist(), sums.view_as(likely)):
        made.append(_longer(request, beams[row], token, float(likely[row, token]), score))
        rows.append(row)
    on = [place for place, beam in enumerate(made) if beam.finish is None]
    kept = on[: how.beams]
    lead = made[kept[-1]].score - made[on[how.beams]].score if len(on) > how.beams else SURE
    ended = [beam for beam in made[: how.beams] if beam.finish is not None]
    return Step([made[place] for place in kept], [rows[place] for place in kept], ended, lead)


def _may(beam: Beam, scores: Tensor) -> Tensor | None:
    """Return which tokens the guide of a beam allows, (vocabulary,)."""
    return None if beam.walk is None else torch.from_numpy(beam.walk.allowed()).to(scores.device)


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
    if token in request.stop_ids:
        return Beam(beam.tokens, known, score, "end", token)
    tokens, walk = (*beam.tokens, token), beam.walk and beam.walk.fork()
    if walk is not None:
        walk.take(token, request.decoding.max_new_tokens - len(tokens))
    if request.ends is not None and request.ends(tokens):
        return Beam(tokens, known, score, "stop")
    return Beam(tokens, known, score, "length" if len(tokens) >= request.decoding.max_new_tokens else None, walk=walk)


def _told(beam: Beam, place: int, sample: int, request: Request, lead: float) -> Iterator[Token]:
    """Give the tokens of a text that was found."""
    ids = [*beam.tokens, beam.end] if beam.finish == "end" else list(beam.tokens)
    for at, (token, likely) in enumerate(zip(ids, beam.likely, strict=True)):
        finish = beam.finish if at == len(ids) - 1 else None
        yield Token(place, token, sample, finish, likely if request.decoding.likelihoods else None, lead)
