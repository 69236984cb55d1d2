"""Backbones that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from functory_sdk import WeightsMissing
from functory_sdk.testing import TinyDecoder, TinyEncoder

counter = itertools.count(1)


class Lost(TinyEncoder):
    """Has no weights and does not say how to get them."""

    def locate(self) -> Path:
        raise WeightsMissing("no weights.")


class HeavyFacts(TinyEncoder):
    """Asks torch for its facts."""

    def read_spec(self) -> Any:
        import torch

        return super().read_spec().model_copy(update={"revision": torch.__version__})


class Changing(TinyEncoder):
    """Gives other facts each time."""

    def read_spec(self) -> Any:
        return super().read_spec().model_copy(update={"revision": str(next(counter))})


class Overstated(TinyEncoder):
    """Says it is wider than it is."""

    def read_spec(self) -> Any:
        return super().read_spec().model_copy(update={"vocabulary": 20})

    def load_network(self) -> Any:
        network = TinyEncoder(self.options).network
        network.spec = self.spec
        return network


class Tokens(TinyEncoder):
    """A backbone whose tokenizer is wrapped."""

    wrong: ClassVar[Any] = None

    def read_tokenizer(self) -> Any:
        from functory_sdk import Tokenizer

        wrapped = type("Wrapped", (Tokenizer,), {"tokens": type(self).wrong})
        return wrapped(super().read_tokenizer().json)


def shifted(self: Any, texts: Sequence[str], **how: Any) -> Any:
    return [replace(one, offsets=one.offsets + 1) for one in self.__class__.__base__.tokens(self, texts, **how)]


def drifting(self: Any, texts: Sequence[str], **how: Any) -> Any:
    moved = next(counter) % 2
    return [replace(one, ids=one.ids + moved) for one in self.__class__.__base__.tokens(self, texts, **how)]


def special(self: Any, texts: Sequence[str], **how: Any) -> Any:
    return self.__class__.__base__.tokens(self, texts, reads_special=True)


class Shifted(Tokens):
    """Gives offsets that are off by one."""

    wrong: ClassVar = shifted


class Drifting(Tokens):
    """Gives other tokens each time."""

    wrong: ClassVar = drifting


class Spelled(Tokens):
    """Reads special tokens out of a user's text."""

    wrong: ClassVar = special


class Unfrozen(TinyEncoder):
    """Leaves its network trainable."""

    @property
    def network(self) -> Any:
        return self.load_network()


class Network(TinyEncoder):
    """A backbone whose network does one thing wrong."""

    def load_network(self) -> Any:
        network = super().load_network()
        network.__class__ = type("Wrong", (type(network),), self.wrong())
        return network

    def wrong(self) -> dict[str, Any]:
        return {}


class Uncuttable(Network):
    """Needs something from an earlier step that is not in the state."""

    def wrong(self) -> dict[str, Any]:
        def step(self: Any, index: int, state: Any, context: Any) -> Any:
            out = type(self).__base__.step(self, index, state, context)
            return {**out, "first": out["hidden"]} if index == 0 else {
                "hidden": out["hidden"] + state.get("first", 0), **{name: state[name] for name in state if name == "first"}
            }  # fmt: skip

        return {"step": step}


class Unmasked(Network):
    """Attends to padding."""

    def wrong(self) -> dict[str, Any]:
        def prepare(self: Any, batch: Any) -> Any:
            return {**type(self).__base__.prepare(self, batch), "mask": None, "unpadded": None}

        return {"prepare": prepare}


class Stateful(Network):
    """Keeps a pass's ids on the network."""

    def wrong(self) -> dict[str, Any]:
        def prepare(self: Any, batch: Any) -> Any:
            self.__dict__["ids"] = batch["input_ids"]
            time.sleep(0.003)
            return {**type(self).__base__.prepare(self, batch), "ids": self.__dict__["ids"]}

        return {"prepare": prepare}


class Misplaced(TinyDecoder):
    """Writes as if prompts were not padded."""

    def load_network(self) -> Any:
        import torch

        network = super().load_network()

        def resume(self: Any, batch: Any, kept: Any) -> Any:
            mask = torch.ones_like(batch[self.output_mask])
            return type(self).__base__.resume(self, {**batch, self.output_mask: mask}, kept)

        network.__class__ = type("Wrong", (type(network),), {"resume": resume})
        return network


class Unplaced(TinyDecoder):
    """Places what comes after other tokens one after the other, though it branches."""

    def load_network(self) -> Any:
        network = super().load_network()

        def resume(self: Any, batch: Any, kept: Any) -> Any:
            own = {**batch, "positions": (batch["attention_mask"].cumsum(1) - 1)[:, -batch["input_ids"].shape[1] :]}
            return type(self).__base__.resume(self, own if "ends" in batch else batch, kept)

        network.__class__ = type("Wrong", (type(network),), {"resume": resume})
        return network


class Forgetful(TinyDecoder):
    """Leaves states out in training, and says nothing of it."""

    def load_network(self) -> Any:
        import torch

        network = super().load_network()

        def step(self: Any, index: int, state: Any, context: Any) -> Any:
            out = type(self).__base__.step(self, index, state, context)
            return {**out, "hidden": torch.nn.functional.dropout(out["hidden"], 0.1, self.training)}

        network.__class__ = type("Wrong", (type(network),), {"step": step})
        return network
