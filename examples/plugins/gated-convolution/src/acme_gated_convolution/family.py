"""What config.json tells of a gated convolution: no torch."""

from collections.abc import Mapping
from typing import Any

from functory_sdk import BackboneSpec, Family


class GatedConvolution(Family):
    """Encoders that mix neighbouring tokens by gated convolutions, without attention."""

    paper = "Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks (arXiv 1612.08083)"
    keys = {**Family.keys, "width": ("channels",), "layers": ("depth",)}

    def network(self, spec: BackboneSpec, model: Any) -> Any:
        from acme_gated_convolution.stack import Steps

        return Steps(spec, model)

    def model(self, config: Mapping[str, Any]) -> Any:
        from acme_gated_convolution.stack import Encoder

        return Encoder(config["vocab_size"], config["channels"], config["depth"], config["kernel"])
