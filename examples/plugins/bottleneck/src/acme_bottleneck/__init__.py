"""An additive bottleneck beside each layer's output, without PEFT: thirty lines."""

from typing import Any

from pydantic import Field

from functory_sdk import Adaptation, BackboneSpec, TrainingOptions


class BottleneckOptions(TrainingOptions):
    """Those of the training loop, and the bottleneck's width."""

    size: int = Field(16, ge=1, le=1024, description="Numbers to which each layer's output is squeezed.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="The highest learning rate, after warm-up.")


class Bottleneck(Adaptation[BottleneckOptions]):
    """Adds to each layer's output what a small two-layer network makes of it: h + up(relu(down(h)))."""

    paper = "Houlsby et al. 2019, Parameter-efficient transfer learning for NLP (arXiv 1902.00751), section 2.1"
    examples = ("functory build --task text-classification --train reviews.csv --adaptation bottleneck",)

    def cut(self, spec: BackboneSpec) -> int:
        return 1  # every layer is touched, the embeddings are not

    def attach(self, network: Any) -> None:
        from acme_bottleneck.layers import Squeeze

        for block in network.blocks:
            block.bottleneck = Squeeze(network.spec.width, self.options.size)
            block.register_forward_hook(_add)


def _add(block: Any, inputs: Any, output: Any) -> Any:
    """Add the bottleneck's part to a layer's output; some layers return a tuple that begins with it."""
    if isinstance(output, tuple):
        return (output[0] + block.bottleneck(output[0]), *output[1:])
    return output + block.bottleneck(output)
