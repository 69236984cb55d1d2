"""The mathematics: captum on a private copy of the model, from the embeddings up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from captum.attr import InputXGradient
from captum.attr import IntegratedGradients as CaptumGradients
from torch import Tensor

from functory_gradients.places import Place, places_of
from functory_sdk import Function, Target, Word, pad
from functory_sdk.torch import structural_copy

EMBEDDED = 1
"""The cut point after the embeddings."""

Rows = list[tuple[list[Place | None], list[float]]]
"""For each row: where in the input each token stands, and its weight."""


def token_weights(function: Function, value: Any, target: Target, steps: int, baseline: str) -> tuple[Rows, float]:
    """Return the weight of every token of the rows that the target is read from, and what the sum lacks.

    :param steps: 0 for gradient × input.
    """
    form: Any = function.form  # Any: a TorchForm, as `explain` has seen
    model = structural_copy(form.program.model).eval()
    encoded = form.formulation.encode([value], function.reader, function.state)
    places = places_of(function, value)
    chosen = range(len(encoded.rows)) if target.row is None else [target.row]
    rows: Rows = []
    gap = 0.0
    for index in chosen:
        row = encoded.rows[index]
        arrays = pad([row], [port for port in model.inputs if port.name in row])
        batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
        weights, delta = _weigh(model, batch, target, steps, baseline)
        rows.append((places[index], [weight / len(chosen) for weight in weights]))
        gap += abs(delta) / len(chosen)
    return rows, gap


def _weigh(
    model: Any, batch: dict[str, Tensor], target: Target, steps: int, baseline: str
) -> tuple[list[float], float]:
    """Return the weight of each token of one row, (tokens,)."""
    with torch.no_grad():
        [(name, start)] = model.trunk(batch, EMBEDDED).items()
    origin = _baseline(model, batch, name, baseline)

    def value_at(embedded: Tensor) -> Tensor:
        """(steps, tokens, width) → (steps,)"""
        repeated = {key: array.expand(len(embedded), *array.shape[1:]) for key, array in batch.items()}
        outputs = model.crown({name: embedded}, repeated, start=EMBEDDED)
        return outputs[target.port][(slice(None), *target.index)]

    inputs = start.detach().clone().requires_grad_(True)
    if steps:
        found, delta = CaptumGradients(value_at).attribute(
            inputs, baselines=origin, n_steps=steps, internal_batch_size=16, return_convergence_delta=True
        )
        return found.sum(-1)[0].tolist(), float(delta.abs().sum())
    return InputXGradient(value_at).attribute(inputs).sum(-1)[0].tolist(), 0.0


def _baseline(model: Any, batch: dict[str, Tensor], name: str, kind: str) -> Tensor:
    """Return the embeddings of an input that says nothing; the first and last token, which frame it, stay."""
    with torch.no_grad():
        if kind == "zero":
            return torch.zeros_like(model.trunk(batch, EMBEDDED)[name])
        ids = torch.full_like(batch["input_ids"], model.network.spec.pad_id)
        ids[:, 0], ids[:, -1] = batch["input_ids"][:, 0], batch["input_ids"][:, -1]
        return model.trunk({**batch, "input_ids": ids}, EMBEDDED)[name]


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
