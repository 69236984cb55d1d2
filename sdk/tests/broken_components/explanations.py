"""Explanations that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import contextlib
import itertools
import socket
from typing import Any

from functory_sdk import Explanation, NoOptions, attribution, values_of, without

counter = itertools.count(1)


class Explaining(Explanation[NoOptions]):
    """Gives every word the same weight."""

    def weights(self, count: int) -> list[float]:
        return [1.0] * count

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        return attribution(function, value, target, self.name, lambda words: self.weights(len(words)))


class Truncating(Explaining):
    """Leaves the last word out."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        return found.model_copy(update={"pieces": found.pieces[:-1]})


class Guessing(Explaining):
    """Draws its weights."""

    def weights(self, count: int) -> list[float]:
        return [float(next(counter)) for _ in range(count)]


class Meddling(Explaining):
    """Changes the function that it explains."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        import torch

        found = super().explain(function, value, target)
        with torch.no_grad():
            function.form.program.model.head.linear.bias.add_(torch.tensor([0.01, -0.01]))
        return found


class Phoning(Explaining):
    """Asks another machine first, and does without where it does not answer."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.connect(("203.0.113.1", 9))  # an address of documentation, where nobody is
        return super().explain(function, value, target)


class Nameless(Explaining):
    """Does not say which method it is."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        return super().explain(function, value, target).model_copy(update={"method": ""})


class Boasting(Explaining):
    """Invents its faithfulness."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        sure = found.faithfulness.model_copy(update={"comprehensiveness": 1.0, "sufficiency": 0.0})
        return found.model_copy(update={"faithfulness": sure})


class Scripted(Explaining):
    """Shows itself with a script from elsewhere."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        page = type("Page", (type(found),), {"html": lambda self: "<script src='http://example.org'></script>"})
        return page.model_validate(found.model_dump())


class LeavingOut(Explanation[NoOptions]):
    """What the target loses when a word is left out: right, and what the ones below spoil."""

    def spoilt(self, weights: list[float]) -> list[float]:
        return weights

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        def weigh(words: Any) -> list[float]:
            whole, *rest = values_of(function, [value, *(without(value, [word]) for word in words)], target)
            return self.spoilt([whole - number for number in rest])

        return attribution(function, value, target, self.name, weigh)


class Flipped(LeavingOut):
    """Calls what speaks for the target what speaks against it."""

    def spoilt(self, weights: list[float]) -> list[float]:
        return [-weight for weight in weights]


class Backwards(LeavingOut):
    """Gives the first word the weight of the last."""

    def spoilt(self, weights: list[float]) -> list[float]:
        return weights[::-1]


class Silent(LeavingOut):
    """Says nothing of any word."""

    def spoilt(self, weights: list[float]) -> list[float]:
        return [0.0 for _ in weights]


class Pathless(LeavingOut):
    """Says of a word in a list which list it is, and not which text of it."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        pieces = tuple(piece.model_copy(update={"field": piece.field.partition(".")[0]}) for piece in found.pieces)
        return found.model_copy(update={"pieces": pieces})


class Exchanged(LeavingOut):
    """Is right of one text, and of several gives each the weights of another."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        if len({piece.field for piece in found.pieces}) == 1:
            return found
        weights = [piece.weight for piece in found.pieces][::-1]
        pieces = tuple(one.model_copy(update={"weight": weight}) for one, weight in zip(found.pieces, weights, strict=True))
        return found.model_copy(update={"pieces": pieces})
