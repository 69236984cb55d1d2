"""The contract: options, the cut, what is trained."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import Adaptation, BackboneSpec, TrainingOptions


class FullOptions(TrainingOptions):
    """Options of full fine-tuning."""

    layers: int = Field(0, ge=0, le=1000, description="Only the top so many layers; everything when 0.")
    epochs: int = Field(3, ge=1, le=1000, description="Passes over the training examples.")
    learning_rate: float = Field(1e-4, gt=0, le=1, description="The highest learning rate, after warm-up.")
    batch_rows: int = Field(32, ge=1, le=4096, description="Rows that one optimiser step sees.")


class Full(Adaptation[FullOptions]):
    """Trains every weight of the backbone, embeddings too; φ is as large as θ.

    With ``layers = k`` only the top k layers are trained: what lies below is run once per example and stored.
    """

    puts: tuple[str, ...] = ("features", "vectors", "prompt")
    is_small: ClassVar[bool] = False
    paper: ClassVar[str] = "Devlin et al. 2019, BERT (arXiv 1810.04805)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation full",
    )

    def cut(self, spec: BackboneSpec) -> int:
        if not self.options.layers:
            return 0
        if spec.architecture == "encoder-decoder" or self.options.layers > spec.layers:
            return 1
        return spec.layers - self.options.layers + 1

    def attach(self, network: Any) -> None:
        from functory_full.layers import train_all, train_top

        if self.options.layers:
            train_top(network, self.options.layers)
        else:
            train_all(network)
