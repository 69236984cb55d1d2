"""An adapted model: a network's copy with φ inside, and a head on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from functory.contracts.rows import Port
from functory.errors import NotSupported, PluginError
from functory_sdk.torch.copies import structural_copy
from functory_sdk.torch.heads import Head
from functory_sdk.torch.network import Network, State


class Model(nn.Module):
    """A_φ(M_θ(I)): trunk, crown and head as one module.

    :param network: a structural copy of the backbone's, with φ injected.
    :param head: the task's.
    :param inputs: the ports of a row.
    :param outputs: the ports of the outputs.
    :param gold: the ports of the gold arrays that the head's loss reads.
    :param cut: where the crown begins; None when the stored trunk is not for this adaptation.
    :param merge: puts what φ has beside the maps of a network's copy into them (`Adaptation.merge`); None where nothing can be.
    :raises PluginError: when rows hold more texts, or fewer, than the head reads.

    ``texts`` is how many texts a row holds, each read by itself: the network reads (batch · texts, tokens).
    """

    def __init__(
        self,
        network: Network,
        head: Head | None,
        inputs: Sequence[Port],
        outputs: Sequence[Port],
        cut: int | None,
        gold: Sequence[Port] = (),
        merge: Callable[[Network], None] | None = None,
    ) -> None:
        super().__init__()
        self.merge = merge
        self.network = network
        self.head = head
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.gold = tuple(gold)
        self.cut = cut
        self.texts = next((int(port.axes[0]) for port in self.inputs if port.name == "input_ids" and len(port.axes) > 1), 1)
        if head is not None and head.reading.texts != self.texts:
            raise PluginError(
                f"rows hold {self.texts} texts, and {type(head).__name__} reads {head.reading.texts}.",
                do="let the formulation's `texts` and the head's reading say the same number.",
            )

    def merged(self) -> Model:
        """Return what computes the same in fewer steps, for inference: a copy with φ in its maps, which shares all other numbers
        with this model; or this model, where φ is not beside maps.
        """
        if self.merge is None:
            return self
        made = structural_copy(self).eval()
        self.merge(made.network)
        return made

    def unstacked(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a batch whose stacked texts are rows of their own to the network; its other arrays stay as they are."""
        if self.texts == 1:
            return dict(batch)
        own = {port.name for port in self.network.spec.ports()}
        return {
            name: array.flatten(0, 1) if name in own and array.ndim > 2 else array for name, array in batch.items()
        }

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the head's outputs for a batch of rows."""
        return self.crown({}, batch, start=0)

    def trunk(self, batch: Mapping[str, Tensor], stop: int) -> State:
        """Return the state at a cut point."""
        return self.network.run(0, stop, {}, self.network.prepare(self.unstacked(batch)))

    def crown(self, state: State, batch: Mapping[str, Tensor], start: int) -> dict[str, Tensor]:
        """Return the head's outputs from the state at a cut point."""
        return self.apply_head(self.features(state, batch, start), batch)

    def features(self, state: State, batch: Mapping[str, Tensor], start: int = 0) -> Tensor:
        """Return what the head reads, from the state at a cut point."""
        rows = self.unstacked(batch)
        hidden = self.network.run(start, self.network.points, state, self.network.prepare(rows))["hidden"]
        return self.read(hidden, rows)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the head reads of the last hidden states.

        :param batch: stacked texts as rows of their own.
        """
        if self.head is None:
            return hidden
        read: Tensor = self.head.reading(self.network, hidden, batch)
        return read

    def apply_head(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs from what the head reads.

        :raises NotSupported: in a model that generates, which has none.
        """
        if self.head is None:
            raise NotSupported("a model that generates has no head.", do="write with it, `session.generate(requests)`.")
        outputs: dict[str, Tensor] = self.head(features, batch)
        return outputs

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn: those that require a gradient."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}

    def phi(self) -> dict[str, Tensor]:
        """Return what is the function's own: the parameters that learn, and the buffers that a module names in its `kept`.

        A buffer is for what is counted and not learned by gradients: a running mean, remembered examples::

            class Centred(Pooled):
                kept = ("mean",)
        """
        kept = {
            f"{path}.{name}": buffer
            for path, module in self.named_modules()
            for name, buffer in module.named_buffers(recurse=False)
            if name in getattr(module, "kept", ())
        }
        return {**self.learned(), **kept}


class Graph(nn.Module):
    """A model with positional inputs and outputs, in the ports' order, as exporters want it."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.names = tuple(port.name for port in model.inputs)

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs in the ports' order."""
        outputs = self.model(dict(zip(self.names, arrays, strict=True)))
        return tuple(outputs[port.name] for port in self.model.outputs)
