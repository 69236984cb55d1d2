"""Convert a GGUF file into a folder that transformers loads, every key matched.

The weights become float32: processors without bfloat16 compute in it anyway, so the file is mapped and used
as it is, shared by all processes; half the size would be unpacked into private memory at every start. On
disk that is 538 MB for 135 M parameters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functory_sdk.gguf.file import Gguf
from functory_sdk.gguf.models import config_of, tensors_of
from functory_sdk.gguf.tokenizers import token_ids, tokenizer_config, tokenizer_json
from functory_sdk.weightfiles import Progress, write_safetensors

VERSION = 2
"""Of what is written; it stands in the name of a cache's entry."""


def convert(source: Path, folder: Path, progress: Progress) -> None:
    """Write model.safetensors, the JSON files of configuration, generation and tokenizer, and a card into a folder.

    :param source: the GGUF file.
    :param progress: told the bytes of weights written, and all.
    :raises DataError: where the file is damaged, before anything is written.
    :raises NotSupported: where it holds a model, a tokenizer or a type of weights that is not read here, named.
    """
    gguf = Gguf(source)
    config, ids = config_of(gguf), token_ids(gguf)
    tensors = tensors_of(gguf, config)
    content = {
        "config.json": config | ids,
        "generation_config.json": ids,
        "tokenizer.json": tokenizer_json(gguf),
        "tokenizer_config.json": tokenizer_config(gguf),
    }
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    (folder / "README.md").write_text(_card(gguf), "utf-8")
    write_safetensors(folder / "model.safetensors", tensors, progress)


def _card(gguf: Gguf) -> str:
    """Return a model card with what the file says of itself."""
    front: dict[str, Any] = {"license": gguf.text("general.license", "")}
    languages = gguf.fields.get("general.languages")
    if isinstance(languages, list):
        front["language"] = [one for one in languages if isinstance(one, str)]
    lines = [f"{name}: {json.dumps(value)}" for name, value in front.items() if value]
    return "\n".join(["---", *lines, "---", "", f"# {gguf.text('general.name', 'A model')}", "", "Converted from GGUF.", ""])
