"""One text, token by token: the same whatever else is in its batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from functory_sdk import SURE, Array, Request, Token
from functory_sdk.choosing import Choice, choose, log_probability
from functory_sdk.guides import Walk
from functory_sdk.torch import Network, Writing
from functory_torch.batch import Step, Text


@dataclass(eq=False)
class Line(Text):
    """One text: a sample of a request.

    :param place: the index of its request.
    :param walk: what holds it to its guide, where it has one.
    """

    request: Request
    place: int
    sample: int = 0
    tokens: list[int] = field(default_factory=list)
    walk: Walk | None = None

    @property
    def left(self) -> int:
        """How many tokens may come after the next one, that which ends the text included."""
        return self.request.decoding.max_new_tokens - len(self.tokens) - 1

    def seen(self, network: Network) -> list[int]:
        """Return the tokens that a penalty on repetition is for: those that stand where the next one will."""
        first = [network.spec.start_id or 0] if network.spec.architecture == "encoder-decoder" else self.request.ids
        return [*first, *self.request.start, *self.tokens]

    def go_on(self, network: Network, logits: torch.Tensor) -> Step:
        scores, request = numbers(logits[0]), self.request
        choice = chosen(network, scores, self, logits.device)
        likely = log_probability(scores, choice.token) if request.decoding.likelihoods else None
        finish = request.finish_of(self.tokens, choice.token)
        if finish != "end":
            self.tokens.append(choice.token)
        token = Token(self.place, choice.token, self.sample, finish, likely, choice.lead)
        return Step([token]) if finish is not None else Step([token], [0], [token.id])


def numbers(scores: torch.Tensor) -> Array:
    """Return scores as they are chosen by: float32, in the processor's memory."""
    found: Array = scores.float().cpu().numpy()
    return found


def chosen(network: Network, scores: Array, line: Line, device: torch.device) -> Choice:
    """Return the next token of a text.

    A margin alone would not do: whatever it is, some score lies on its border. So a close call is decided by reading that
    text again by itself, which is the same computation in every batch.

    :param scores: (vocabulary,).
    """
    seen = line.seen(network) if line.request.decoding.repetition_penalty != 1 else ()
    may = None if line.walk is None else line.walk.allowed()
    choice = choose(scores, line.request, line.sample, line.tokens, seen, may)
    if choice.is_close:
        alone = numbers(_read_alone(network, line, device))
        choice = Choice(choose(alone, line.request, line.sample, line.tokens, seen, may).token, choice.lead)
    return _in_time(choice, line)


def _in_time(choice: Choice, line: Line) -> Choice:
    """Return a choice after which the text can still end in time: where it could not, the next token of its ending."""
    if line.walk is None:
        return choice
    token = line.walk.take(choice.token, line.left)
    return choice if token == choice.token else Choice(token, SURE)


def _read_alone(network: Network, line: Line, device: torch.device) -> torch.Tensor:
    """Return the scores of a text's next token, (vocabulary,), read by itself in one pass."""
    ids = torch.tensor([line.request.ids], device=device)
    with torch.inference_mode():
        return Writing(network, ids, torch.ones_like(ids), begun([line], device)).logits[0]


def begun(lines: Sequence[Line], device: torch.device) -> torch.Tensor | None:
    """Return what stands after the prompts of texts, (lines, tokens), as many tokens for each; None where nothing does."""
    rows = [[*line.request.start, *line.tokens] for line in lines]
    return torch.tensor(rows, dtype=torch.long, device=device) if rows[0] else None
