"""The architectures that are read from GGUF: what their fields say in transformers' words, and under what names tensors lie.

Apart from `convert`, which writes files: here is what differs between Llama, Qwen and Gemma, as llama.cpp writes it. Llama's
queries and keys are in another order; Gemma's norms have one added, which transformers adds itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from functory_sdk.gguf.file import Gguf
from functory_sdk.weightfiles import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTORS = "rope_freqs.weight"
"""By how much each rotary frequency is slower, as Llama 3.1 wants it."""
LOCAL_THETA = 10_000.0
"""The base of Gemma 3's rotary positions in layers that see a window; no field says it."""


@dataclass(frozen=True)
class Kind:
    """What is particular to one architecture.

    :param family: transformers' ``model_type``.
    :param model: the class of the model with its token scores.
    :param is_paired: queries and keys are written in the order of neighbours that are rotated together.
    :param is_shifted: one was added to the weights of norms.
    :param has_biases: of queries, keys and values.
    :param has_head_norms: of queries and keys.
    :param has_outer_norms: after attention and after the inner maps, too.
    :param activation: of the inner maps.
    """

    family: str
    model: str
    is_paired: bool = False
    is_shifted: bool = False
    has_biases: bool = False
    has_head_norms: bool = False
    has_outer_norms: bool = False
    activation: str = "silu"


GEMMA = "gelu_pytorch_tanh"
KINDS = {
    "llama": Kind("llama", "LlamaForCausalLM", is_paired=True),
    "qwen2": Kind("qwen2", "Qwen2ForCausalLM", has_biases=True),
    "qwen3": Kind("qwen3", "Qwen3ForCausalLM", has_head_norms=True),
    "gemma": Kind("gemma", "GemmaForCausalLM", is_shifted=True, activation=GEMMA),
    "gemma2": Kind("gemma2", "Gemma2ForCausalLM", is_shifted=True, has_outer_norms=True, activation=GEMMA),
    "gemma3": Kind(
        "gemma3_text", "Gemma3ForCausalLM", is_shifted=True, has_head_norms=True, has_outer_norms=True, activation=GEMMA
    ),
}
"""GGUF's name of an architecture → what is particular to it."""


def kind_of(gguf: Gguf) -> tuple[str, Kind]:
    """Return a file's architecture by GGUF's name, and what is particular to it.

    :raises DataError: where the file does not say it.
    :raises NotSupported: for one that is not read here, or a mixture of experts.
    """
    name = gguf.text("general.architecture")
    if name not in KINDS:
        raise gguf.unknown(
            f"its architecture is {name!r}, which is not read from GGUF here.",
            f"those that are read: {', '.join(KINDS)}; take the model's folder of safetensors where there is one.",
        )
    if gguf.whole(f"{name}.expert_count", 0, least=0):
        raise gguf.unknown(f"it is a mixture of {gguf.fields[f'{name}.expert_count']} experts, which is not read here.",
                           "take a model without experts.")  # fmt: skip
    return name, KINDS[name]


def config_of(gguf: Gguf) -> dict[str, Any]:  # Any: JSON
    """Return the model's config.json, without the ids of tokens.

    :raises DataError: where a field is missing, or no such number.
    :raises NotSupported: for what transformers' configuration cannot say.
    """
    name, kind = kind_of(gguf)
    whole, number = _fields(gguf, name)
    hidden, heads = whole("embedding_length"), whole("attention.head_count")
    shape = gguf.entries["token_embd.weight"].shape if "token_embd.weight" in gguf.entries else ()
    head = whole("attention.key_length", max(hidden // heads, 1))
    if whole("attention.value_length", head) != head:
        raise gguf.unknown("its keys and values are of different sizes, which is not read here.", "take another model.")
    config = {
        "architectures": [kind.model],
        "model_type": kind.family,
        "hidden_size": hidden,
        "num_hidden_layers": whole("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": whole("attention.head_count_kv", heads),
        "head_dim": head,
        "intermediate_size": whole("feed_forward_length"),
        "vocab_size": shape[0] if shape else len(gguf.items("tokenizer.ggml.tokens", str)),
        "max_position_embeddings": whole("context_length"),
        "rms_norm_eps": round(number("attention.layer_norm_rms_epsilon"), 12),  # stored as float32
        "hidden_act": kind.activation,
        "hidden_activation": kind.activation,
        "attention_bias": not kind.has_biases and "blk.0.attn_q.bias" in gguf.entries,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.041666666666666664,
        "tie_word_embeddings": "output.weight" not in gguf.entries,
        "dtype": "float32",
    }
    return config | _rotary(gguf, name, config) | _windows(gguf, name, config)


def _fields(gguf: Gguf, name: str) -> tuple[Callable[..., int], Callable[..., float]]:
    """Return how whole numbers and numbers of an architecture are read."""
    return (
        lambda field, *default: gguf.whole(f"{name}.{field}", *default),
        lambda field, *default: gguf.number(f"{name}.{field}", *default),
    )


def _rotary(gguf: Gguf, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how positions are rotated.

    :raises NotSupported: for a way that the fields say and transformers' configuration cannot, or that rotates a part alone.
    """
    theta = gguf.number(f"{name}.rope.freq_base", 10_000.0)
    way, factor = gguf.text(f"{name}.rope.scaling.type", "none"), gguf.number(f"{name}.rope.scaling.factor", 1.0)
    if gguf.whole(f"{name}.rope.dimension_count", config["head_dim"]) != config["head_dim"]:
        raise gguf.unknown("it rotates a part of each head, which is not read here.", "take another model.")
    if way not in ("none", "linear"):
        raise gguf.unknown(
            f"its positions are scaled by {way!r}, of which GGUF does not say all that transformers needs.",
            "take the model's folder of safetensors.",
        )
    whole: dict[str, Any] = {"rope_type": "default", "rope_theta": theta}
    if way == "linear" and factor != 1:
        whole = {"rope_type": "linear", "rope_theta": theta, "factor": factor}
    if FACTORS in gguf.entries:
        slower = gguf.tensor(FACTORS, config["head_dim"] // 2).tolist()
        whole = {
            "rope_type": "longrope", "rope_theta": theta, "short_factor": slower, "long_factor": slower,
            "attention_factor": 1.0, "factor": 1.0, "original_max_position_embeddings": config["max_position_embeddings"],
        }  # fmt: skip
    if name == "gemma3":
        local = {"rope_type": "default", "rope_theta": LOCAL_THETA}
        return {"rope_parameters": {"full_attention": whole, "sliding_attention": local}}
    return {"rope_parameters": whole} | ({"rope_theta": theta} if whole["rope_type"] == "default" else {})


def _windows(gguf: Gguf, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return which layers see a window, and below what scores are bent."""
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    if name == "qwen2":
        return {"use_sliding_window": False}
    if name not in ("gemma2", "gemma3"):
        window = gguf.fields.get(f"{name}.attention.sliding_window")
        if window and gguf.whole(f"{name}.attention.sliding_window") < config["max_position_embeddings"]:
            raise gguf.unknown(f"its layers see a window of {window} tokens, which is not read here.",
                               "take the model's folder of safetensors.")  # fmt: skip
        return {}
    # llama.cpp tells the largest of each by its layers: its attention is scaled by the width of a head that it does not have.
    is_largest = layers == {"gemma2": 46, "gemma3": 62}[name]
    every = {"gemma2": 2, "gemma3": 6}[name]
    kinds = ["full_attention" if (layer + 1) % every == 0 else "sliding_attention" for layer in range(min(layers, 10_000))]
    caps = {
        key: gguf.number(f"gemma2.{key}", default)
        for key, default in (("attn_logit_softcapping", 50.0), ("final_logit_softcapping", 30.0))
    } if name == "gemma2" else {"attn_logit_softcapping": None, "final_logit_softcapping": None}  # fmt: skip
    return {
        "layer_types": kinds,
        "sliding_window": gguf.whole(f"{name}.attention.sliding_window", {"gemma2": 4096, "gemma3": 1024}[name]),
        "query_pre_attn_scalar": config["hidden_size"] // heads if is_largest else config["head_dim"],
        **caps,
    }


def tensors_of(gguf: Gguf, config: Mapping[str, Any]) -> list[Tensor]:
    """Return every tensor by transformers' name for it, where it lies and how it is put right.

    :raises DataError: where one is missing, or has another shape.
    :raises NotSupported: where the file holds one for which no layer has a place.
    """
    _, kind = kind_of(gguf)
    taken = {FACTORS}
    made = []
    for name, packed, shape, mend in _places(kind, config):
        if packed.endswith("attn_output.bias") and packed not in gguf.entries:  # transformers has it where the others have one
            made.append(Tensor(name, shape, partial(_nothing, shape)))
            continue
        gguf.check(packed, *shape)
        taken.add(packed)
        made.append(Tensor(name, shape, partial(_numbers, gguf, packed, shape, mend)))
    beyond = sorted(set(gguf.entries) - taken)
    if beyond:
        raise gguf.unknown(
            f"it holds {beyond[0]!r}{f' and {len(beyond) - 1} more' if beyond[1:] else ''}, for which no layer has a place.",
            "what they compute is not known here: take another model.",
        )
    return made


Mend = Callable[["NDArray[Any]"], "NDArray[Any]"]
Place = tuple[str, str, tuple[int, ...], Mend | None]
"""Transformers' name, GGUF's name, the shape, and what is put right."""


def _nothing(shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    return np.zeros(shape, np.float32)


def _numbers(gguf: Gguf, packed: str, shape: tuple[int, ...], mend: Mend | None) -> NDArray[Any]:
    found = gguf.tensor(packed, *shape)
    return found if mend is None else mend(found)


def _places(kind: Kind, config: Mapping[str, Any]) -> Iterator[Place]:
    """Give where each tensor lies; a matrix is (out, in)."""
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    norm = _lowered if kind.is_shifted else None
    yield "model.embed_tokens.weight", "token_embd.weight", (vocabulary, hidden), None
    for layer in range(config["num_hidden_layers"]):
        for name, packed, shape, mend in _layer(kind, config):
            yield f"model.layers.{layer}.{name}", f"blk.{layer}.{packed}", shape, mend
    yield "model.norm.weight", "output_norm.weight", (hidden,), norm
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", "output.weight", (vocabulary, hidden), None


def _layer(kind: Kind, config: Mapping[str, Any]) -> Iterator[Place]:
    """Give where the tensors of one layer lie."""
    hidden, inner, width = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    norm = _lowered if kind.is_shifted else None
    yield "input_layernorm.weight", "attn_norm.weight", (hidden,), norm
    for short, count in (("q", heads), ("k", groups), ("v", groups)):
        mend = partial(unpaired, heads=count) if kind.is_paired and short != "v" else None
        yield f"self_attn.{short}_proj.weight", f"attn_{short}.weight", (count * width, hidden), mend
        if kind.has_biases or config["attention_bias"]:
            yield f"self_attn.{short}_proj.bias", f"attn_{short}.bias", (count * width,), mend
    if kind.has_head_norms:
        yield from ((f"self_attn.{short}_norm.weight", f"attn_{short}_norm.weight", (width,), norm) for short in "qk")
    yield "self_attn.o_proj.weight", "attn_output.weight", (hidden, heads * width), None
    if config["attention_bias"]:
        yield "self_attn.o_proj.bias", "attn_output.bias", (hidden,), None
    if kind.has_outer_norms:
        yield "post_attention_layernorm.weight", "post_attention_norm.weight", (hidden,), norm
        yield "pre_feedforward_layernorm.weight", "ffn_norm.weight", (hidden,), norm
        yield "post_feedforward_layernorm.weight", "post_ffw_norm.weight", (hidden,), norm
    else:
        yield "post_attention_layernorm.weight", "ffn_norm.weight", (hidden,), norm
    yield "mlp.gate_proj.weight", "ffn_gate.weight", (inner, hidden), None
    yield "mlp.up_proj.weight", "ffn_up.weight", (inner, hidden), None
    yield "mlp.down_proj.weight", "ffn_down.weight", (hidden, inner), None


def _lowered(weight: NDArray[Any]) -> NDArray[Any]:
    """Take off the one that was added to a norm."""
    lower: NDArray[Any] = weight - weight.dtype.type(1)
    return lower


def unpaired(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """Undo GGUF's order of a query or key matrix, or of its bias.

    GGUF rotates neighbours (0, 1), (2, 3), …; Hugging Face rotates each number with the one half a head
    further. The same rows, in another order within each head.

    :param weight: (heads × width, …).
    """
    rows, *rest = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, *rest).swapaxes(1, 2).reshape(weight.shape)
