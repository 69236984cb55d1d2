"""Small random models, written as llama.cpp's converter writes them: an own writer, so that no reader checks itself."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CODES = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}
NAMES = {
    r"^model\.embed_tokens\.": "token_embd.", r"^model\.norm\.": "output_norm.", r"^lm_head\.": "output.",
    r"^model\.layers\.(\d+)\.": r"blk.\1.", r"input_layernorm": "attn_norm", r"self_attn\.([qkv])_proj": r"attn_\1",
    r"self_attn\.([qk])_norm": r"attn_\1_norm", r"self_attn\.o_proj": "attn_output", r"mlp\.(gate|up|down)_proj": r"ffn_\1",
}  # fmt: skip
INNER = {"post_attention_layernorm": "ffn_norm"}
OUTER = {
    "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}  # fmt: skip
Tensors = Mapping[str, tuple[int, tuple[int, ...], bytes]]
"""Name → type, shape as numpy has it, bytes."""


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        head = struct.pack("<IIQ", 9, 8 if isinstance(value[0], str) else CODES[type(value[0])][0], len(value))
        return head + b"".join(_text(one) if isinstance(one, str) else _value(one)[4:] for one in value)
    code, letter = CODES[type(value)]
    return struct.pack("<I" + letter, code, value)


def packed(fields: Mapping[str, Any], tensors: Tensors, version: int = 3) -> bytes:
    """Return the bytes of a GGUF file."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(fields))
    head += b"".join(_text(name) + _value(value) for name, value in fields.items())
    data = b""
    for name, (kind, shape, raw) in tensors.items():
        data += bytes(-len(data) % 32)
        head += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        head += struct.pack("<IQ", kind, len(data))
        data += raw
    return head + bytes(-len(head) % 32) + data


def named(name: str, has_outer_norms: bool) -> str:
    """Return llama.cpp's name of a tensor."""
    for pattern, other in NAMES.items():
        name = re.sub(pattern, other, name)
    for theirs, other in (OUTER if has_outer_norms else INNER).items():
        name = name.replace(theirs, other)
    return name


def tensors_of(model: Any, architecture: str) -> dict[str, tuple[int, tuple[int, ...], bytes]]:
    """Return a model's weights as llama.cpp's converter writes them, in F32."""
    config, found = model.config, {}
    is_gemma = architecture.startswith("gemma")
    for name, tensor in model.state_dict().items():
        array = tensor.numpy()
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if architecture == "llama" and re.search(r"\.[qk]_proj\.", name):
            heads = config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads
            halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
            array = halves.swapaxes(1, 2).reshape(array.shape)
        if is_gemma and name.endswith("norm.weight"):
            array = array + np.float32(1)
        found[named(name, architecture in ("gemma2", "gemma3"))] = (0, array.shape, array.astype("<f4").tobytes())
    return found


def fields_of(model: Any, architecture: str) -> dict[str, Any]:
    """Return the fields of a model, without its tokenizer's."""
    config = model.config
    about = {
        "embedding_length": config.hidden_size, "block_count": config.num_hidden_layers,
        "attention.head_count": config.num_attention_heads, "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": config.head_dim, "attention.value_length": config.head_dim,
        "feed_forward_length": config.intermediate_size, "context_length": config.max_position_embeddings,
        "attention.layer_norm_rms_epsilon": float(config.rms_norm_eps), "rope.freq_base": 10_000.0,
    }  # fmt: skip
    if architecture in ("gemma2", "gemma3"):
        about["attention.sliding_window"] = config.sliding_window
    if architecture == "gemma2":
        about |= {name: float(getattr(config, name)) for name in ("attn_logit_softcapping", "final_logit_softcapping")}
    whole = {f"{architecture}.{name}": value for name, value in about.items()}
    return {"general.architecture": architecture, "general.license": "mit", "general.languages": ["en", "zh"], **whole}


def bytewise(pre: str = "gpt-2") -> dict[str, Any]:
    """Return the fields of a byte-level BPE with a few merges: a beginning, an end, every byte."""
    from tokenizers import pre_tokenizers

    tokens = ["<s>", "</s>", "<|im_end|>", "<note>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "th", "the", "Ġthe", "12"]
    return {
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3, 3, 3, 4, *[1] * (len(tokens) - 4)],
        "tokenizer.ggml.merges": ["t h", "th e", "Ġ the", "1 2"], "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 1, "tokenizer.chat_template": "{{ bos_token }}{{ messages[0].content }}<|im_end|>",
    }  # fmt: skip


def pieces(*, begins: bool = True) -> dict[str, Any]:
    """Return the fields of a SentencePiece BPE: signs, every byte, letters, and words that score higher the shorter they are."""
    words = ["▁t", "he", "▁the", "in", "▁s", "ea", "▁sea"]
    letters = sorted(set("▁ abcdefghijklmnopqrstuvwxyz.,好") - {" "})
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{one:02X}>" for one in range(256)), *words, *letters]
    types = [2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)]
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(words))] + [-100.0] * len(letters)
    return {
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": scores, "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.add_space_prefix": begins, "tokenizer.ggml.add_bos_token": True,
    }  # fmt: skip


SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
    "head_dim": 8, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
}  # fmt: skip


def model_of(family: str, size: int, **settings: Any) -> Any:
    """Return a small random model of a family, as transformers makes it."""
    import torch
    import transformers

    torch.manual_seed(3)
    config = transformers.AutoConfig.for_model(family, **{**SMALL, **settings}, vocab_size=size)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.fixture(scope="session")
def tools() -> Any:
    """The functions of this file: test files cannot import it."""
    from types import SimpleNamespace

    return SimpleNamespace(
        packed=packed, tensors_of=tensors_of, fields_of=fields_of, bytewise=bytewise, pieces=pieces, model_of=model_of
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a model file of a small Llama, some of whose fields or tensors are others."""

    def made(fields: Mapping[str, Any] | None = None, tensors: Mapping[str, Any] | None = None) -> Path:
        about = bytewise()
        model = model_of("llama", len(about["tokenizer.ggml.tokens"]), tie_word_embeddings=False)
        parts = {**fields_of(model, "llama"), **about, **(fields or {})}, {**tensors_of(model, "llama"), **(tensors or {})}
        path = tmp_path / "model.gguf"
        kept = ({name: value for name, value in one.items() if value is not ...} for one in parts)
        path.write_bytes(packed(*kept))
        return path

    return made
