"""The mathematics: captum on a private copy of the model, from the embeddings up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from captum.attr import InputXGradient
from captum.attr import IntegratedGradients as CaptumGradients
from torch import Tensor

from functory_gradients.places import Place, places_of
from functory_sdk import SUREST, Function, Likened, Target, Word, pad
from functory_sdk.torch import structural_copy

EMBEDDED = 1
"""The cut point after the embeddings."""

TOKENS = 1024
"""Tokens of the steps that run together."""

Reading = Callable[[Mapping[str, Tensor]], Tensor]
"""The program's outputs for several steps → the target's number in each, (steps,)."""

Rows = list[tuple[list[Place | None], list[float]]]
"""For each row: where in the input each token stands, and its weight."""


@dataclass(frozen=True)
class Weighed:
    """The tokens of the rows that a target is read from, with their weights.

    :param value: the target's number for the input, on the scale of the weights, as the rows that it is read from tell it.
    :param gain: what it gained from the baseline to the input.
    :param gap: what the weights' sum lacks of it.
    """

    rows: Rows
    value: float
    gain: float
    gap: float


def token_weights(
    function: Function, value: Any, target: Target, steps: int, baseline: str, told: Callable[[float], None]
) -> Weighed:
    """Return the weight of every token of the rows that the target is read from.

    :param steps: 0 for gradient × input.
    :param told: told how many steps more are done.
    """
    form: Any = function.form  # Any: a TorchForm, as `explain` has seen
    model = structural_copy(form.program.model).eval()
    encoded = form.formulation.encode([value], function.reader, function.state)
    places = places_of(function, value)
    read = readings(function, value, target, len(encoded.rows))
    rows: Rows = []
    value_here = gain = gap = 0.0
    for index, (number, share) in read.items():
        row = encoded.rows[index]
        arrays = pad([row], [port for port in model.inputs if port.name in row])
        batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
        own = torch.tensor([place is not None for place in places[index]])  # (tokens,) of all its texts
        weights, found, gained = _weigh(model, batch, own, number, steps, baseline, lambda done: told(done / len(read)))
        value_here += found / len(read)
        rows.append((places[index], [weight * share for weight in weights]))
        gain += gained * share
        gap += abs(sum(weights) - gained) * share
    return Weighed(rows, value_here, gain, gap)


def readings(function: Function, value: Any, target: Target, count: int) -> dict[int, tuple[Reading, float]]:
    """Return for each row that a target is read from, of so many, its number as the program's outputs give it, and the share of
    the row: the mean over rows, but of a cosine each row's whole part.
    """
    form: Any = function.form  # Any: as above
    [(side, outputs)] = function.trace([value])
    if likened := form.formulation.likened(target, side, outputs):
        return {one.row: (partial(cosine, target=target, one=one), 1.0) for one in likened}
    chosen = range(count) if target.row is None else [target.row]
    return {row: (lambda found: evidence(found[target.port], target), 1 / len(chosen)) for row in chosen}


def cosine(found: Mapping[str, Tensor], target: Target, one: Likened) -> Tensor:
    """Return the cosine that a row has a part in, in each of several outputs. (steps,)"""
    vectors = found[target.port][:, : len(one.rest)]  # (steps, width)
    rest, other = (torch.from_numpy(each).to(vectors.dtype) for each in (one.rest, one.other))
    return F.cosine_similarity(rest + one.share * vectors, other[None], dim=-1)


def _weigh(
    model: Any,
    batch: dict[str, Tensor],
    own: Tensor,
    read: Reading,
    steps: int,
    baseline: str,
    told: Callable[[float], None],
) -> tuple[list[float], float, float]:
    """Return the weight of each token of one row, (tokens,), the target's number, and what it gained over the baseline.

    :param own: (tokens,) which tokens are the input's own; the others frame it and stay as they are.
    :param read: gives the target's number in each of several outputs.
    """
    with torch.no_grad():
        [(name, embeddings)] = model.trunk(batch, EMBEDDED).items()  # (texts, tokens, width)
    start = embeddings.flatten(0, 1)[None]  # (1, tokens of all texts, width)
    origin = _baseline(model, batch, own, name, baseline)

    def value_at(embedded: Tensor) -> Tensor:
        """(steps, tokens of all texts, width) → (steps,)"""
        repeated = {key: array.expand(len(embedded), *array.shape[1:]) for key, array in batch.items()}
        state = {name: embedded.reshape(-1, *embeddings.shape[1:])}
        found = read(model.crown(state, repeated, start=EMBEDDED))
        if steps and torch.is_grad_enabled():
            told(len(embedded))
        return found

    inputs = start.detach().clone().requires_grad_(True)
    with torch.no_grad():
        value, before = float(value_at(inputs)), float(value_at(origin))
    if not steps:
        return InputXGradient(value_at).attribute(inputs).sum(-1)[0].tolist(), value, value - before
    size = max(1, TOKENS // start.shape[1])
    found = CaptumGradients(value_at).attribute(inputs, baselines=origin, n_steps=steps, internal_batch_size=size)
    return found.sum(-1)[0].tolist(), value, value - before


def evidence(scores: Tensor, target: Target) -> Tensor:
    """Return a target's number in each of several outputs where what speaks for it adds up, as `Formulation.evidence` does.

    (steps, …) → (steps,)
    """
    first, *others = (_number(scores, index, target) for index in (target.index, *target.also))
    if target.scale != "log":
        return sum(others, first)
    return joint(first, others) if others else first


def joint(first: Tensor, others: Sequence[Tensor]) -> Tensor:
    """Return the log-odds of several things together, from those of each, as `joint_odds` does. (steps,)"""
    together, not_all = F.logsigmoid(first), F.logsigmoid(-first)  # log-probabilities
    for odds in others:
        not_all = torch.logaddexp(not_all, together + F.logsigmoid(-odds))
        together = together + F.logsigmoid(odds)
    return together - not_all


def _number(scores: Tensor, index: tuple[int, ...], target: Target) -> Tensor:
    """Return what stands at a place; of log-probabilities the log-odds, as `log_odds` does. (steps, …) → (steps,)"""
    place: Any = (slice(None), *index)
    number: Tensor = scores[place]
    if target.scale != "log":
        return number
    if index:
        row = scores[place[:-1]]  # (steps, the one and those beside it)
        others = row[:, torch.arange(row.shape[-1]) != index[-1]].logsumexp(-1)
        if torch.all(torch.logaddexp(number, others).abs() < 1e-3):
            return number - others
    return number - torch.log(-torch.expm1(number.clamp(max=SUREST)))


def _baseline(model: Any, batch: dict[str, Tensor], own: Tensor, name: str, kind: str) -> Tensor:
    """Return the embeddings of an input that says nothing, (1, tokens of all texts, width); what frames it, special tokens or a
    prompt, stays.
    """
    with torch.no_grad():
        embedded: Tensor = model.trunk(batch, EMBEDDED)[name].flatten(0, 1)[None]
        if kind == "zero":
            return torch.where(own[None, :, None], torch.zeros_like(embedded), embedded)
        given = batch["input_ids"]
        ids = torch.where(own.view(given.shape[1:]), model.network.spec.pad_id, given)
        silent: Tensor = model.trunk({**batch, "input_ids": ids}, EMBEDDED)[name].flatten(0, 1)[None]
        return silent


def word_weights(words: Sequence[Word], rows: Rows) -> list[float]:
    """Sum tokens to words. A token that crosses a word's border is shared by the characters on each side.

    Special tokens, and those of a prompt around the text, belong to no word.
    """
    totals = [0.0] * len(words)
    for places, weights in rows:
        for place, weight in zip(places, weights, strict=True):
            if place is None:
                continue
            for index, word in enumerate(words):
                common = min(place.end, word.end) - max(place.start, word.start)
                if word.field == place.field and common > 0:
                    totals[index] += weight * common / (place.end - place.start)
    return totals
