"""Adaptations that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from functory_sdk import Adaptation, Candidate, Choice, Fit, Options, TrainingOptions
from functory_sdk.testing.toy import ToyAdaptation

counter = itertools.count(1)


# -- what every component owes ----------------------------------------------------------------------------


class Undocumented(ToyAdaptation):
    __doc__ = None


class Renamed(ToyAdaptation):
    """Calls itself something else."""

    examples: ClassVar[tuple[str, ...]] = ("just try it",)


class Vague(ToyAdaptation):
    """Has a source that nobody finds."""

    paper: ClassVar[str] = "some paper"


class BareField(Options):
    """Options."""

    rank: int = 8


class Undescribed(Adaptation[BareField]):
    """Has an option without a word."""


class Demanding(Options):
    """Options."""

    rank: int = Field(description="Must be given.")


class Undefaulted(Adaptation[Demanding]):
    """Cannot be made without options."""


class Lossy(Options):
    """Options."""

    words: Any = Field((1, 2), description="A tuple that JSON makes a list.")


class Forgetful(Adaptation[Lossy]):
    """Has options that JSON changes."""


class Loose(Options):
    """Options."""

    model_config = ConfigDict(extra="allow")


class Tolerant(Adaptation[Loose]):
    """Takes any option."""


# -- what an adaptation owes -----------------------------------------------------------------------------


class Attaching(Adaptation[TrainingOptions]):
    """Trains the norms' biases in place of a list of layers, as the broken ones below vary it."""

    def cut(self, spec: Any) -> int | None:
        return 1

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            inject(layer, torch.nn.Parameter(0.1 * torch.randn(network.spec.width)))

    def fit(self, session: Any) -> Fit:
        return descend(session)


def layers(network: Any) -> Any:
    return network.blocks


def inject(layer: Any, parameter: Any) -> None:
    """Add a vector to a layer's output."""
    layer.register_parameter("added", parameter)
    change(layer, lambda hidden: hidden + layer.added)


def change(layer: Any, how: Any) -> None:
    """Let a layer's hidden states be changed; some layers give more beside them."""

    def changed(module: Any, inputs: Any, output: Any) -> Any:
        return (how(output[0]), *output[1:]) if isinstance(output, tuple) else how(output)

    layer.register_forward_hook(changed)


def descend(session: Any, steps: int = 8, every: int = 1) -> Fit:
    """Steps on the task's losses, of all rows or of some."""
    import numpy as np
    import torch

    from functory_sdk import pad

    model, rows, group = session.model, session.train.rows[::every], session.train.group[::every]
    arrays = {**pad(rows, [*model.inputs, *model.gold]), "group": np.unique(group, return_inverse=True)[1]}
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
    solver = torch.optim.Adam(model.phi().values(), lr=5e-3)
    for _ in range(steps):
        solver.zero_grad()
        losses, _ = model.head.losses(model(batch), batch)
        losses.mean().backward()
        solver.step()
    solver.zero_grad()
    return Fit()


class Secretive(Attaching):
    """Its fit puts a hidden layer on the head, and no option says so."""

    def fit(self, session: Any) -> Fit:
        session.model.head.add_hidden(4)
        return descend(session)


class Buffered(Attaching):
    """Learns something that is no parameter."""

    def attach(self, network: Any) -> None:
        import torch

        super().attach(network)
        last = layers(network)[-1]
        last.register_buffer("shift", torch.zeros(network.spec.width))
        change(last, lambda hidden: hidden + last.shift)

    def fit(self, session: Any) -> Fit:
        fit = descend(session)
        shift = layers(session.model.network)[-1].shift
        shift[: len(shift) // 2] += 1
        return fit


class Incomplete(Attaching):
    """Trains something and freezes it again, so that φ lacks it."""

    def fit(self, session: Any) -> Fit:
        fit = descend(session)
        for layer in layers(session.model.network):
            layer.added.requires_grad_(False)
        return fit


class Enormous(Attaching):
    """Says that φ is small, and is not."""

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            inject(layer, torch.nn.Parameter(torch.zeros(1000, network.spec.width)[:, None]))


class Unseeded(Attaching):
    """Draws from the clock."""

    def fit(self, session: Any) -> Fit:
        import torch

        with torch.no_grad():
            layers(session.model.network)[0].added.add_(0.01 * next(counter))
        return descend(session)


class Borrowing(Attaching):
    """Draws from numpy's generator, which everybody shares."""

    def fit(self, session: Any) -> Fit:
        import numpy as np

        np.random.permutation(8)
        return descend(session)


class Unreached(Attaching):
    """Holds a parameter that no gradient reaches."""

    def attach(self, network: Any) -> None:
        import torch

        super().attach(network)
        network.register_parameter("idle", torch.nn.Parameter(torch.zeros(3)))


class Parting(Attaching):
    """Fits to every other row, whatever group it is of."""

    def fit(self, session: Any) -> Fit:
        return descend(session, every=2)


class Sharing(Attaching):
    """Writes into the tensors that the backbone shares."""

    def fit(self, session: Any) -> Fit:
        import torch

        with torch.no_grad():
            next(session.model.network.parameters()).mul_(1.01)
        return descend(session)


class Owning(Attaching):
    """Trains a tensor that is the backbone's."""

    def attach(self, network: Any) -> None:
        next(iter(layers(network)[0].parameters())).requires_grad_(True)
        super().attach(network)


class Untruthful(Attaching):
    """Says that its crown begins at the head, and touches every layer."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


class Mixing(Attaching):
    """Lets the padding of a batch reach the outputs."""

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            layer.register_parameter("added", torch.nn.Parameter(torch.ones(network.spec.width)))
            change(layer, lambda hidden, layer=layer: hidden + layer.added * hidden.mean(1, keepdim=True))


class Idle(Attaching):
    """Fits nothing."""

    def fit(self, session: Any) -> Fit:
        return Fit()


class Detached(Attaching):
    """Attaches nothing: its method has another name than the one that is called."""

    def attach(self, network: Any) -> None:
        return

    def attached(self, network: Any) -> None:
        super().attach(network)


class Wavering(ToyAdaptation):
    """Chooses among other candidates each time that it is asked."""

    def choice(self, task: Any, spec: Any, examples: Any) -> Choice:
        return Choice((Candidate("head", {"epochs": next(counter)}),))


class Halving(Adaptation[TrainingOptions]):
    """Puts a half of what it has beside the maps into them."""

    def attach(self, network: Any) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        inject_adapter_in_model(LoraConfig(r=2, target_modules=list(network.maps())), network)

    def merge(self, network: Any) -> None:
        from functory_sdk.torch import fold_updates

        for module in network.modules():
            if hasattr(module, "lora_A"):
                module.scaling = {name: scale / 2 for name, scale in module.scaling.items()}
        fold_updates(network)
