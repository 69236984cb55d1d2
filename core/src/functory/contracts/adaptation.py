"""The contract of adaptations: how φ is attached to a backbone and fitted.

In two modules: ``adaptation.py`` (options, the cut, what is trained) and ``layers.py`` (the mathematics, torch).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.component import Component, O, Options
from functory.contracts.rows import Array, Port
from functory.contracts.shown import Shown
from functory.contracts.task import Task
from functory.errors import NotSupported

if TYPE_CHECKING:
    from functory.contracts.engine import Fit, TrainingSession


class TrainingOptions(Options):
    """How the engine's training loop fits φ; the defaults of each adaptation suit it.

    AdamW (Loshchilov and Hutter 2019) with linear warm-up and decay.
    """

    epochs: int = Field(default=3, ge=1, le=1000, description="Passes over the training examples.")
    least_steps: int = Field(
        default=0, ge=0, le=1_000_000, description="Optimiser steps at least: few rows are passed over more often; 0 for none."
    )
    most_steps: int = Field(
        default=0, ge=0, le=100_000_000, description="Optimiser steps at most, whatever the epochs say; 0 for no such end."
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="The highest learning rate, after warm-up.")
    batch_rows: int = Field(default=32, ge=1, le=4096, description="Rows that one optimiser step sees.")
    warmup: float = Field(default=0.06, ge=0, lt=1, description="The part of all steps in which the learning rate rises.")
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="Decay of weights; biases and norms are spared.")
    clip: float = Field(default=1.0, gt=0, le=1000, description="The largest norm of the gradient.")
    head_first: bool = Field(
        default=True,
        description="Fit the head to the features as they are before the first step, where it is one affine map "
        "(Kumar et al. 2022).",
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout before the head and in φ.")
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="Probability given to the other labels in training.")
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0, le=1e6)]] | None = Field(
        default=None,
        description="How much each class counts in training: 'balanced' lets all count as much however many examples they "
        "have, and a table gives the weight of each label, 1 for those that it leaves out.",
    )
    focal: float = Field(
        default=0.0, ge=0, le=10, description="The focusing γ of the focal loss (Lin et al. 2017): what is sure counts less."
    )
    mixup: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="The α of mixup (Zhang et al. 2018): features of two examples are mixed, and their losses; 0 for none.",
    )
    patience: int = Field(default=3, ge=1, le=1000, description="Evaluations on dev without a gain before stopping early.")
    evaluations: int = Field(default=2, ge=1, le=100, description="Evaluations on dev in each epoch; the best is kept.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto",
        description="In what the crown's passes multiply: bf16 takes less time where the processor has AMX and the layers' own "
        "maps learn, and auto takes it there for encoders. Weights, the head and what is measured stay in fp32.",
    )
    checkpoint_steps: int = Field(default=50, ge=1, description="Optimiser steps between checkpoints.")


@dataclass(frozen=True)
class Brought:
    """A φ that was fitted elsewhere, and what puts it to work.

    :param adaptation: the adaptation with the options that build φ's structure again. They stand in the manifest,
        so that a saved function loads where the source is not.
    :param phi: φ's tensors, by their names in the model that `adaptation` makes.
    :param state: the task's State that belongs to φ's head; None for what the task learns without examples.
    :param notes: what the function's user should know.
    """

    adaptation: Adaptation[Any]
    phi: Mapping[str, Array]
    state: Any = None  # Any: the State of whatever task it is
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One of the adaptations among which a build chooses, as a recipe would name it.

    :param name: the adaptation's name.
    :param options: its options; defaults where none are given.
    :param put: how the task is put to the backbone; the adaptation's best when empty.
    :param is_needed: whether it is an error where its distribution is not installed; it is passed over when not.
    :param unless: the name of a candidate before it, where which was fitted this one is not tried.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    put: str = ""
    is_needed: bool = True
    unless: str = ""


@dataclass(frozen=True)
class Choice:
    """What a build fits and holds against each other on rows that no fit has seen; it goes on with the best.

    :param candidates: those that cost least, or say least, first: one goes before a better one that is better by chance.
    :param certainty: how sure it must be that a later one is better, from 0.5 to 1: the share of resamples on which it is.
    :param folds: where rows are few, hold each out once, in so many parts, and let all train the function in the end, those too
        that were split off as dev; where 0, dev decides. A dev that the user gave decides in any case.
    :param repeats: how often all rows are parted anew, and held out.
    :param repeats_of_layers: the same for candidates that train layers, which cost more; as often when 0.
    :param most_steps: optimiser steps that all fits of one candidate may take together, whatever its own options allow, unless
        the candidate's options say so themselves; 0 for no such end.
    :param is_refitted: where dev was split off, and decides, fit the chosen one once more in the end, to the rows of dev too, in
        as many passes over them as dev found best.
    """

    candidates: Sequence[Candidate]
    certainty: float = 0.75
    folds: int = 0
    repeats: int = 1
    repeats_of_layers: int = 0
    most_steps: int = 0
    is_refitted: bool = False


class Adaptation(Component[O]):
    """How φ is attached to a backbone and fitted, or brought from where it was fitted."""

    kind: ClassVar[str] = "adaptations"
    puts: tuple[str, ...] = ("features", "vectors")
    """The formulations of a task that it can be fitted to, best first: the first that the task offers is taken. An instance
    may say otherwise, where its options decide it."""
    beside: tuple[Port, ...] = ()
    """What rows hold for the head that `crown` gives, beside what the formulation lays into them: `NGRAMS`, which any reader
    counts."""
    learns: Literal["phi", "state", "nothing"] = "phi"
    """What a build learns from examples: φ, with `fit`; the task's state alone; or nothing at all."""
    source: Literal["examples", "descriptions"] = "examples"
    """What φ is fitted to: the training examples; or what `Task.described` makes of the descriptions of the task's answers.
    Then train holds inputs alone, of which nobody said what they are (`Taught.unlabelled`), and may be left out."""
    is_brought: ClassVar[bool] = False
    """φ was fitted elsewhere and `bring` reads it: no training data are needed, and none are taken."""
    is_small: ClassVar[bool] = True
    """φ is much smaller than θ; the conformance suite holds the adaptation to it."""

    def choice(self, task: Task[Any], spec: BackboneSpec, examples: Sequence[Any]) -> Choice | None:
        """Return among which other adaptations a build chooses on its data; None, by default, for an adaptation that is
        fitted itself. One that chooses is never attached or fitted: the function is made with what was chosen.

        The answer hangs on the arguments and the options alone, so that recipe and data give the same function again.

        :param examples: those to train on.
        """
        return None

    def cut(self, spec: BackboneSpec) -> int | None:
        """Return the cut point where the crown begins: everything below is left as it is.

        0 where the embeddings are touched; 1 where every layer is; `spec.points` for a head alone.
        None says that the stored trunk is not for this adaptation (noise on embeddings, a changed vocabulary).
        """
        return 0

    def attach(self, network: Any) -> None:  # Any: a functory_sdk.torch.Network, a structural copy
        """Inject φ into the copy and make it trainable; by default nothing is injected.

        Only parameters that require a gradient afterwards are φ. The head is always part of φ. First values are drawn as
        torch draws them (`nn.Linear`, `nn.init`): the engine sees to it that they come from the recipe's seed.
        """

    def merge(self, network: Any) -> None:  # Any: a functory_sdk.torch.Network, a structural copy
        """Put what `attach` added into the maps themselves, where a pass then takes fewer steps and computes the same: W + BA in
        place of W beside BA. By default nothing is.

        Asked once for each copy that is opened for inference or converted, and never for what trains, explains or is saved. The
        copy's parameters are the backbone's own numbers: replace them, and change none in place.
        """

    def crown(self, head: Any) -> Any:  # Any: a functory_sdk.torch.Head
        """Return the head that stands on the crown: the task's own by default; with what φ has before its map, reading
        otherwise (`LinearHead.read_as`), or another that gives the same outputs.

        :raises NotSupported: where the task's head allows no such thing.
        """
        return head

    def bring(self, backbone: Backbone[Any], task: Task[Any]) -> Brought:
        """Return φ from where the options say it lies; asked once in a build, where `is_brought`. Never while loading.

        :raises NotSupported: when it was made for another backbone or task.
        :raises ArtefactError: when it cannot be read, or only by running code.
        :raises OptionError: when the options do not say where it lies.
        """
        raise NotSupported(f"the adaptation {self.name!r} brings no φ.", do="give train = '…'.")

    def show(self, task: Task[Any], examples: Sequence[Any], seed: int) -> Shown | None:
        """Return the training examples that stand in every prompt, or from which each prompt takes the nearest; None for none.

        Asked once a build, where the adaptation learns the state alone.

        :param examples: the task's Examples to train on.
        :param seed: draws what is drawn.
        """
        return None

    def fit(self, session: TrainingSession) -> Fit:
        """Fit φ; by default the engine's training loop with this adaptation's options.

        What it settles about φ's structure it says in the fit's `adaptation`. What torch draws meanwhile, such as dropout's
        masks, comes from the seed. numpy and `random` know no such way: draw with a generator of your own, made from
        ``session.run.seed``, and never from those that the whole process shares.
        """
        options = self.options if isinstance(self.options, TrainingOptions) else TrainingOptions()
        return session.loop(options)
