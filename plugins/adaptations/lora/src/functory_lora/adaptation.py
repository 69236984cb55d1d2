"""The contract: options and the cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from functory_sdk import BackboneSpec, Fit, LowRank, TrainingOptions, TrainingSession

WRITING = 3e-4
"""The learning rate of what writes, and knows how: nine steps at that of heads took a translator's chrF from .83 to .48."""


class LoRAOptions(TrainingOptions):
    """Options of LoRA, and of its training."""

    rank: int = Field(8, ge=1, le=1024, description="Rank of each update.")
    alpha: float = Field(16.0, gt=0, le=4096, description="An update counts alpha / rank.")
    lora_dropout: float = Field(0.05, ge=0, lt=1, description="Dropout before each update.")
    targets: str | tuple[str, ...] = Field(
        "all-linear", description="Which maps get updates: attention, all-linear, or the ends of their names."
    )
    layers: int = Field(0, ge=0, le=1000, description="Only the top so many layers; all when 0.")
    epochs: int = Field(3, ge=1, le=1000, description="Passes over the training examples.")
    least_steps: int = Field(
        100,
        ge=0,
        le=1_000_000,
        description="Optimiser steps at least: few rows are passed over more often; 0 for none, and where epochs are given.",
    )
    learning_rate: float = Field(
        2e-3, gt=0, le=1, description=f"The highest learning rate, after warm-up; if not given, {WRITING:g} for what writes."
    )
    batch_rows: int = Field(16, ge=1, le=4096, description="Rows that one optimiser step sees.")

    @model_validator(mode="before")
    @classmethod
    def _as_given(cls, given: Any) -> Any:
        """Whoever says how many epochs gets as many."""
        return {"least_steps": 0, **given} if isinstance(given, dict) and "epochs" in given else given

    @field_validator("targets")
    @classmethod
    def _known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not value:
            raise ValueError("name at least one: attention, all-linear, or the ends of names")
        return value


class LoRA(LowRank[LoRAOptions]):
    """Low-rank updates beside frozen weights: φ is a percent of θ, and close to full fine-tuning in quality.

    With ``layers = k`` only the top k layers are touched: what lies below is run once per example and stored.
    """

    puts: tuple[str, ...] = ("features", "vectors", "prompt")
    paper: ClassVar[str] = "Hu et al. 2021, LoRA: Low-Rank Adaptation of Large Language Models (arXiv 2106.09685)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation lora",
    )

    def cut(self, spec: BackboneSpec) -> int:
        if spec.architecture == "encoder-decoder" or not 0 < self.options.layers <= spec.layers:
            return 0  # every layer, and the embeddings' dropout before them, as PEFT trains
        return spec.layers - self.options.layers + 1

    def fit(self, session: TrainingSession) -> Fit:
        from functory_sdk.torch import LikelihoodHead

        if not isinstance(session.model.head, LikelihoodHead) or "learning_rate" in self.options.model_fields_set:
            return super().fit(session)
        settled = type(self)(self.options.model_copy(update={"learning_rate": WRITING}))
        return replace(session.loop(settled.options), adaptation=settled)

    def attach(self, network: Any) -> None:
        from functory_lora.layers import inject

        inject(network, self.options)

    def alpha_of(self, module: str) -> float:
        """Return how much the update of a map counts, over its rank."""
        return self.options.alpha
