"""The contract of the fine-tuned adaptation: the classifier that a model was saved with is φ."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from functory_huggingface.labels import labels_of
from functory_huggingface.made import check_reading
from functory_sdk import (
    Adaptation,
    Array,
    ArtefactCorrupt,
    Backbone,
    BackboneSpec,
    Brought,
    FunctoryError,
    NotSupported,
    Options,
    Readout,
    Task,
    Unit,
    read_json,
    readout_of,
)
from functory_sdk.checkpoints import Tensors
from functory_sdk.families import family_of

UNITS: dict[str, Unit] = {
    "ForSequenceClassification": "text",
    "ForTokenClassification": "token",
    "ForQuestionAnswering": "span",
}
"""The end of a model's class → what its head gives something for."""
ENDS = ("start", "end")
"""What the two outputs of a head of spans stand for, in transformers' order."""


class FineTunedOptions(Options):
    """Options of fine-tuned; all is read from the model folder."""

    check_tokenizer: bool = Field(
        True, description="Refuse a checkpoint whose tokenizer.json reads texts otherwise than transformers does."
    )
    readout: Readout = Field(
        Readout(), description="What comes before the classifier's last map. Read from the checkpoint, and kept."
    )


class FineTuned(Adaptation[FineTunedOptions]):
    """The classifier that a fine-tuned Hugging Face model was saved with, as a function without training data.

    The backbone is the model folder; its pooler and classifier, of texts or of tokens, become φ, its ``id2label`` the labels. So
    does the head that scores where an answer begins and ends.
    """

    puts: tuple[str, ...] = ("features",)
    is_brought: ClassVar[bool] = True
    is_small: ClassVar[bool] = True
    paper: ClassVar[str] = "Wolf et al. 2020, Transformers: State-of-the-Art Natural Language Processing (EMNLP demos)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --backbone ./my-classifier --adaptation fine-tuned",
        "functory build --task ner --backbone ./my-tagger --adaptation fine-tuned",
        "functory build --task question-answering --backbone ./my-reader --adaptation fine-tuned",
    )

    def cut(self, spec: BackboneSpec) -> int:
        # Not `points`: what is stored there may be pooled already, as the backbone does it.
        return spec.points - 1

    def bring(self, backbone: Backbone[Any], task: Task[Any]) -> Brought:
        spec, folder = backbone.spec, backbone.locate()  # the facts first: a model of a hub is fetched for them
        config = read_json(folder, "config.json")
        unit = _unit(config, folder)
        found = Tensors(folder, family_of(spec.family, spec.reference).base)
        try:
            readout, places = readout_of(spec.family, unit, config, found)
        except FunctoryError as error:
            raise error.located(str(folder)) from error.__cause__
        phi = {ours: found[theirs] for ours, theirs in places.items()}
        _check_shapes(phi, places, spec.width, folder, len(ENDS) if unit == "span" else 0)
        labels = ENDS if unit == "span" else labels_of(config, len(phi["head.linear.weight"]), folder)
        phi.setdefault("head.linear.bias", phi["head.linear.weight"][:, 0] * 0)
        is_multi = config.get("problem_type") == "multi_label_classification"
        state, order = task.adopt(labels, unit=unit, is_multi=is_multi)
        phi |= {name: phi[name][list(order)] for name in ("head.linear.weight", "head.linear.bias")}
        note = f"brought from the checkpoint's own classifier: {_named(config)}"
        notes = check_reading(folder, backbone.tokenizer) if self.options.check_tokenizer else ()
        kept = type(self)(self.options.model_copy(update={"readout": readout}))
        return Brought(kept, phi, state, (note, *task.remarks(state), *notes))

    def attach(self, network: Any) -> None:
        network.read_as(self.options.readout)


def _unit(config: dict[str, Any], folder: Path) -> Unit:
    """Return what the checkpoint labels.

    :raises NotSupported: for a model without a classifier, or one that gives numbers.
    """
    named = _named(config)
    unit = next((unit for end, unit in UNITS.items() if named.endswith(end)), None)
    if unit is None:
        raise NotSupported(
            f"the checkpoint is a {named}, which has no classifier of texts or tokens.",
            where=str(folder / "config.json"),
            do="take one saved as …ForSequenceClassification, …ForTokenClassification or …ForQuestionAnswering; or fit a "
            "head: adaptation = 'head', train = '…'.",
        )
    if config.get("problem_type") == "regression":
        raise NotSupported(
            "the checkpoint's head gives a number (problem_type = 'regression'), not labels.",
            where=str(folder / "config.json"),
            do="take a checkpoint that classifies.",
        )
    return unit


def _named(config: dict[str, Any]) -> str:
    """Return the model's class."""
    given = config.get("architectures")
    return str(given[0]) if isinstance(given, list) and given else "model without a named class"


def _check_shapes(phi: dict[str, Array], places: dict[str, str], width: int, folder: Path, outputs: int) -> None:
    """Refuse a classifier whose parts do not fit the hidden states, or hold what is no number.

    :param outputs: how many it has; as many as its weights have rows when 0.
    :raises ArtefactCorrupt: naming the tensor as the checkpoint does.
    """
    import numpy as np

    outputs = outputs or len(phi["head.linear.weight"])
    for ours, array in phi.items():
        rows = outputs if ours.startswith("head.") else width
        wanted = (rows, width) if ours.endswith(("linear.weight", "map.weight")) else (rows,)
        fault = "holds what is no number (NaN or infinity)"
        if array.shape != wanted:
            found, fits = ("×".join(map(str, shape)) for shape in (array.shape, wanted))
            fault = f"has the shape {found or '() of one number'}; {fits} would fit"
        elif np.isfinite(array).all():
            continue
        raise ArtefactCorrupt(
            f"the classifier's {places[ours]!r} {fault}.",
            where=str(folder),
            do="take config.json and the weights from the same revision of the model.",
        )
