"""One text, token by token: the same whatever else is in its batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from functory_sdk import SURE, Request, Token
from functory_sdk.guides import Walk
from functory_sdk.torch import Network, Writing
from functory_torch.batch import Step, Text
from functory_torch.choosing import Choice, choose, choose_again, guided


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

    def append(self, choice: Choice, log_probability: float | None) -> Token:
        """Take a token, and return it with the reason why the text ends with it, if it does."""
        token, request = choice.token, self.request
        if token in request.stop_ids:
            return Token(self.place, token, self.sample, "end", log_probability, choice.lead)
        self.tokens.append(token)
        is_stopped = request.ends is not None and request.ends(self.tokens)
        is_full = len(self.tokens) >= request.decoding.max_new_tokens
        finish: Literal["stop", "length"] | None = "stop" if is_stopped else "length" if is_full else None
        return Token(self.place, token, self.sample, finish, log_probability, choice.lead)

    def go_on(self, network: Network, logits: torch.Tensor) -> Step:
        choice = chosen(network, logits[0], self)
        token = self.append(choice, _log_probability(logits[0], choice, self.request))
        return Step([token]) if token.finish is not None else Step([token], [0], [token.id])


def chosen(network: Network, scores: torch.Tensor, line: Line) -> Choice:
    """Return the next token of a text.

    A margin alone would not do: whatever it is, some score lies on its border. So a close call is decided by reading that
    text again by itself, which is the same computation in every batch.

    :param scores: (vocabulary,).
    """
    seen = line.seen(network) if line.request.decoding.repetition_penalty != 1 else ()
    may = None if line.walk is None else torch.from_numpy(line.walk.allowed()).to(scores.device)
    choice = choose(guided(scores, may), line.request, line.sample, line.tokens, seen)
    if choice.is_close:
        alone = guided(_read_alone(network, line, scores.device), may)
        choice = Choice(choose_again(alone, line.request, line.sample, line.tokens, seen), choice.lead)
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


def _log_probability(scores: torch.Tensor, choice: Choice, request: Request) -> float | None:
    if not request.decoding.likelihoods:
        return None
    return float(scores[choice.token] - scores.logsumexp(-1))
