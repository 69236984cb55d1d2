"""The contract: where the weights lie, the facts, the tokenizer; the network is made by the kit's tiny encoder.

Replace `locate`, `read_spec`, `read_tokenizer` and `load_network` by your model's; each says what it must do.
"""

from __future__ import annotations

from functory_sdk.testing import TinyEncoder


class {{ cookiecutter.__class }}(TinyEncoder):
    """A tiny encoder with random weights: everything runs, nothing is understood yet."""
