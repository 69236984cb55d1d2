"""The contract: options, the cut, what is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from functory_sdk import Adaptation, BackboneSpec, TrainingOptions
from pydantic import Field

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class {{ cookiecutter.__class }}Options(TrainingOptions):
    """Options of {{ cookiecutter.__entry }}."""

    learning_rate: float = Field(5e-3, gt=0, le=1, description="The highest learning rate, after warm-up.")


class {{ cookiecutter.__class }}(Adaptation[{{ cookiecutter.__class }}Options]):
    """Trains the norms of the layers alone: a few hundred numbers per layer."""

    paper: ClassVar[str] = "Zhao et al. 2023, Tuning LayerNorm in Attention (arXiv 2312.11420)"

    def cut(self, spec: BackboneSpec) -> int:
        return 1  # every layer is touched, the embeddings are not

    def attach(self, network: Network) -> None:
        from functory_sdk.torch import own

        for block in network.blocks:
            for name, module in block.named_modules():
                if "norm" in name.lower().rpartition(".")[2]:
                    own(module)
