"""The contract: options, the cut, and the two stages of a fit."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import BackboneSpec, Fit, LowRank, TrainingOptions, TrainingSession


class ContrastiveOptions(TrainingOptions):
    """Options of the contrastive adaptation; class weights and smoothed labels are the head's."""

    rank: int = Field(8, ge=1, le=1024, description="Rank of the updates beside the backbone's maps.")
    alpha: float = Field(16.0, gt=0, le=4096, description="An update counts alpha / rank.")
    layers: int | None = Field(
        None, ge=0, le=1000, description="Only the top so many layers get updates, all when 0; the upper half if not given."
    )
    epochs: int = Field(8, ge=1, le=1000, description="Passes over the rows, in pairs drawn anew in each.")
    most_steps: int = Field(
        600, ge=1, le=100_000_000, description="Steps at most, however many rows there are: those of many need few passes."
    )
    batch_rows: int = Field(32, ge=2, le=4096, description="Rows of a step, each of which is held beside all the others.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="The highest learning rate, after warm-up.")
    warmup: float = Field(0.1, ge=0, lt=1, description="The part of all steps in which the learning rate rises.")
    penalty: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="L2 penalty beside the head's mean loss, on features whose length is 1 in the mean; 0.3 / rows if not given.",
    )

    def top(self, spec: BackboneSpec) -> int:
        """Return how many of the top layers get updates, all when 0: what lies below them is run once a text."""
        if self.layers is not None:
            return self.layers
        return 0 if spec.architecture == "encoder-decoder" else (spec.layers + 1) // 2


class Contrastive(LowRank[ContrastiveOptions]):
    """Brings texts that belong together near each other, and then fits the head: for some eight examples a label and more.

    The pairs of so few examples are many: each says that two texts are alike or not. A step sees some rows, two or more of a
    label where there are as many, and all of their pairs at once; low-rank updates beside the backbone's maps learn from them.
    """

    puts: tuple[str, ...] = ("vectors", "features")
    paper: ClassVar[str] = "Tunstall et al. 2022, Efficient Few-Shot Learning Without Prompts (SetFit, arXiv 2209.11055)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train twenty.csv --backbone minilm --adaptation contrastive",
    )

    def cut(self, spec: BackboneSpec) -> int:
        layers = self.options.top(spec)
        if spec.architecture == "encoder-decoder" or not 0 < layers <= spec.layers:
            return 0
        return spec.layers - layers + 1

    def attach(self, network: Any) -> None:
        from functory_contrastive.layers import inject

        inject(network, self.options)

    def crown(self, head: Any) -> Any:
        from functory_contrastive.layers import check

        check(head)
        return head

    def fit(self, session: TrainingSession) -> Fit:
        from functory_contrastive.layers import bring_together, fit_head

        fit = bring_together(session, self.options)
        fit.metrics.update(fit_head(session, self.options))
        return fit
