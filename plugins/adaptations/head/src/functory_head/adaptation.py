"""The contract: options, the cut, how the head is fitted."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from functory_sdk import Adaptation, BackboneSpec, Fit, NotSupported, OptionError, TrainingOptions, TrainingSession


class HeadOptions(TrainingOptions):
    """Options of the head adaptation; those of the training loop count for the solver 'epochs' only."""

    solver: Literal["lbfgs", "epochs", "neighbours", "prototypes"] = Field(
        "lbfgs",
        description="lbfgs finds the optimum of the penalised loss on stored features; epochs runs the loop; neighbours learns "
        "nothing: the nearest training rows vote; prototypes are the means of each label's rows, of which the nearest counts.",
    )
    neighbours: int = Field(8, ge=1, le=1024, description="How many of the nearest rows vote, for the solver 'neighbours'.")
    remembered: int = Field(
        0, ge=0, le=10_000_000, description="Rows that φ holds, for the solver 'neighbours': the fit says how many."
    )
    penalty: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="L2 penalty beside the mean loss, on features of a mean spread of 1; chosen on folds if not given.",
    )
    standardise: bool | None = Field(
        None,
        description="Give each feature the same spread; if false all are divided by one number, and mean what the backbone means "
        "by them. If neither this nor the penalty is given, the folds decide.",
    )
    hidden: int | None = Field(
        None,
        ge=0,
        le=16384,
        description="Units of a hidden layer before the task's map; 0 for none. If neither this nor the penalty is given, "
        "lbfgs takes one as wide as the features where that is clearly better on the folds, and epochs takes none.",
    )
    pooling: Literal["backbone", "attention"] = Field(
        "backbone",
        description="How a row's states become one vector: as the backbone does, or by weights that are learned (attention), "
        "for which the loop runs over stored states as solver 'epochs' does.",
    )
    folds: int = Field(5, ge=2, le=20, description="Folds on which the penalty and the hidden layer are chosen.")
    iterations: int = Field(200, ge=1, le=10000, description="L-BFGS iterations at most.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="The highest learning rate of the solver 'epochs'.")
    head_first: bool = Field(False, description="Begin the solver 'epochs' where one map is fitted already.")
    epochs: int = Field(10, ge=1, le=1000, description="Passes over the stored features, for the solver 'epochs'.")


class HeadOnly(Adaptation[HeadOptions]):
    """Fits only the task's head; the backbone stays as it is.

    The fastest adaptation, and the one for small data: features are computed once and stored, then the
    task's own loss is minimised by full-batch L-BFGS. Whether features are standardised (folded into the weights
    afterwards) and the penalty are chosen on folds, since those of some backbones are anisotropic and few
    examples overfit them. Where a hidden layer predicts the folds clearly better, φ has one.
    """

    puts: tuple[str, ...] = ("vectors", "features")
    paper: ClassVar[str] = "Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation head",
    )

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def crown(self, head: Any) -> Any:
        from functory_head.layers import attend, is_linear

        if self.options.solver == "neighbours":
            from functory_head.neighbours import remember

            remember(head, self.options.remembered, self.options.neighbours)
            return head
        if self.options.solver == "prototypes":
            from functory_sdk.torch import ask_prototypes

            ask_prototypes(head)
            return head
        if self.options.pooling == "attention":
            attend(head)
        if self.options.hidden:
            if not is_linear(head):
                raise NotSupported(f"{type(head).__name__} takes no hidden layer.", do="leave out the option hidden.")
            head.add_hidden(self.options.hidden)
        return head

    def fit(self, session: TrainingSession) -> Fit:
        from functory_head.layers import fit_stored, is_of_units

        if self.options.solver == "neighbours":
            from functory_head.neighbours import fit_neighbours

            fit = fit_neighbours(session, self.options.neighbours)
            fit.adaptation = type(self)(self.options.model_copy(update={"remembered": len(session.train.rows)}))
            return fit
        if self.options.solver == "prototypes":
            from functory_head.neighbours import fit_prototypes

            return fit_prototypes(session)
        if self.options.solver == "epochs" or not is_of_units(session.model):
            return session.loop(self.options)
        check_convex(self.options)
        fit, units = fit_stored(session, self.options)
        if units != (self.options.hidden or 0):
            fit.adaptation = type(self)(self.options.model_copy(update={"hidden": units}))
        return fit


def check_convex(options: TrainingOptions) -> None:
    """Refuse what is no loss with one optimum.

    :raises OptionError: naming the option.
    """
    for name in ("focal", "mixup"):
        if getattr(options, name):
            raise OptionError(
                f"{name} = {getattr(options, name)} is nothing for lbfgs, which looks for the one optimum of a loss.",
                do=f"set solver = 'epochs', or leave {name} at 0.",
                field=name,
            )
