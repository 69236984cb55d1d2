"""Make the tokenizer's files: SmolLM2's byte-level BPE, from the tokens and merges of the GGUF file."""

from __future__ import annotations

from typing import Any

from functory_smollm2.gguf import Gguf

CONTROL = 3
"""GGUF's type of a token that is a sign, not text."""


def tokenizer_json(gguf: Gguf) -> dict[str, Any]:  # Any: JSON
    """Return the content of tokenizer.json.

    :raises DataError: where the file's tokenizer is of another kind, named.
    """
    for name, expected in (("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "smollm")):
        if gguf.field(name) != expected:
            raise gguf.fault(f"{name} is {gguf.field(name)!r}; expected was {expected!r}.")
    tokens: list[str] = gguf.field("tokenizer.ggml.tokens")
    types: list[int] = gguf.field("tokenizer.ggml.token_type")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": id,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for id, (token, type) in enumerate(zip(tokens, types, strict=True))
            if type == CONTROL
        ],
        "normalizer": None,
        # GGUF calls this pair "smollm": every digit alone, then GPT-2's words.
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTES],
        },
        "post_processor": _BYTES,  # adds no token; it takes the space before a word out of its offsets
        "decoder": _BYTES,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: id for id, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in gguf.field("tokenizer.ggml.merges")],
        },
    }


_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def tokenizer_config(gguf: Gguf) -> dict[str, Any]:
    """Return the content of tokenizer_config.json: the named tokens, the context, the chat template."""
    tokens: list[str] = gguf.field("tokenizer.ggml.tokens")
    named = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{
            f"{name}_token": tokens[gguf.field(f"tokenizer.ggml.{ours}_token_id")]
            for name, ours in named.items()
        },
        "model_max_length": gguf.field("llama.context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": gguf.fields.get("tokenizer.chat_template", ""),
    }
