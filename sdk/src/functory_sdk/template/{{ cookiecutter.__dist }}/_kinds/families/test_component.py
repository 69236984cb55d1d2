"""What every component of its kind owes, and what only this one does."""

from functory_sdk.testing import FamilySuite


class Test{{ cookiecutter.__class }}(FamilySuite):
    component = "{{ cookiecutter.__entry }}"
    config = {
        "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
        "max_position_embeddings": 32, "pad_token_id": 0,
    }  # fmt: skip
