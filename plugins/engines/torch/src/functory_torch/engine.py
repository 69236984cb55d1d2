"""The engine's contract: assemble a model, open it, train it, give φ away and take it back.

torch is imported when an engine is first put to work, so that listing and describing stay light.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from functory_sdk import (
    Adaptation,
    Array,
    ArtefactCorrupt,
    Engine,
    NoOptions,
    NotSupported,
    PluginError,
    Program,
    Run,
    Session,
    SessionOptions,
    Taught,
    TrainingSession,
)

if TYPE_CHECKING:
    from functory_sdk.torch import Model


FRESH = "get a fresh copy: copy the folder again, or build the function again."


class TorchEngine(Engine[NoOptions]):
    """PyTorch: trains, explains, generates and infers, on a processor or a graphics processor."""

    abilities: ClassVar = frozenset({"forward", "generate", "gradients", "training"})
    precisions: ClassVar = ()
    session_precisions: ClassVar = ("auto", "bf16")

    def open(self, program: Program, options: SessionOptions) -> Session:
        from functory_torch.session import TorchSession

        if program.model is None:
            raise NotSupported(
                "the torch engine runs models in memory, and this program has none.",
                do="open the program with the engine that wrote it.",
            )
        return TorchSession(program, options)

    def adapt(self, backbone: Any, formulation: Any, state: Any, adaptation: Any, seed: int = 0) -> Model:
        from functory_sdk.torch import Model, structural_copy
        from functory_torch.defaults import own_defaults

        spec = backbone.spec
        with own_defaults(0):  # its first use may load it, and layers draw values before they get theirs
            shared = backbone.network
        network = structural_copy(shared)
        with own_defaults(seed):
            adaptation.attach(network)
            head = _crowned(adaptation, _head(formulation.head)(spec, state)) if formulation.head else None
        _spare_scores(network, head)
        inputs = (*spec.ports(formulation.texts), *formulation.inputs(spec, state), *adaptation.beside)
        outputs, gold = formulation.outputs(spec, state), formulation.gold_ports(spec, state)
        merge = None if type(adaptation).merge is Adaptation.merge else adaptation.merge
        return Model(network, head, inputs, outputs, adaptation.cut(spec), gold, merge).eval()

    def takes(self, model: Any) -> bool:
        from functory_sdk.torch import Model

        return issubclass(type(model), Model)

    def session(self, model: Any, train: Taught, dev: Taught | None, run: Run) -> TrainingSession:
        from functory_torch.training import TorchTraining

        return TorchTraining(model, train, dev, run)

    def phi(self, model: Any) -> dict[str, Array]:
        return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in model.phi().items()}

    def load_phi(self, model: Any, phi: Mapping[str, Array]) -> None:
        import torch

        own = model.phi()
        if own.keys() != phi.keys():
            lacking, foreign = sorted(own.keys() - phi.keys()), sorted(phi.keys() - own.keys())
            raise ArtefactCorrupt(
                f"the stored φ is another adaptation's: lacking {lacking[:3]}, not known {foreign[:3]}.",
                do="build the function again with this adaptation, or load it with the version that made it.",
            )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(_fitting(name, phi[name], parameter))


def _fitting(name: str, stored: Array, parameter: Any) -> Any:  # Any: tensors
    """Return a stored part of φ as a tensor, where it is what the model wants in its place.

    :raises ArtefactCorrupt: when its type or shape is another, or it holds what is no number.
    """
    import torch

    wanted = str(parameter.dtype).removeprefix("torch.")
    if str(stored.dtype) != wanted:
        raise ArtefactCorrupt(f"φ {name!r} holds {stored.dtype}; this model wants {wanted}.", do=FRESH)
    if tuple(parameter.shape) != stored.shape:
        raise ArtefactCorrupt(
            f"φ {name!r} has shape {stored.shape}; this model wants {tuple(parameter.shape)}.",
            do="use the backbone and the options that the manifest names.",
        )
    found = torch.from_numpy(stored.copy())
    if found.isnan().any():
        raise ArtefactCorrupt(f"φ {name!r} holds NaN, which is no number.", do=FRESH)
    return found


def _spare_scores(network: Any, head: Any) -> None:
    """Freeze token scores that the head does not read: they would be φ and do nothing. Tied ones are embeddings too."""
    scores = getattr(network, "scores", None)
    if scores is None or head is None or head.reading.reads_scores:
        return
    own = {id(parameter) for parameter in scores.parameters()}
    others = {
        id(parameter)
        for name, parameter in network.named_parameters(remove_duplicate=False)
        if not name.startswith("scores.") and id(parameter) in own
    }
    for parameter in scores.parameters():
        if id(parameter) not in others:
            parameter.requires_grad_(False)


def _crowned(adaptation: Any, head: Any) -> Any:
    """Return the head that an adaptation makes of the task's.

    :raises PluginError: when it gives none.
    """
    from functory_sdk.torch import Head

    crowned = adaptation.crown(head)
    if not isinstance(crowned, Head):
        raise PluginError(
            f"{type(adaptation).__name__}.crown gives {type(crowned).__name__} in place of a head.",
            do="let it return the head, changed or not.",
        )
    return crowned


def _head(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
