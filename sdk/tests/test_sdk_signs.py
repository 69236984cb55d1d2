"""Which added tokens of a model folder are signs and which are markers: by their roles, never by "special" alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import ArtefactCorrupt, WeightsMissing, open_tokenizer
from functory_sdk.testing.tiny import TinyEncoder

ADDED = ("[E1]", "[/E1]", "<|end|>", "[INST]", "<call>", "<img>", "<role>", "\n\n")
"""All special, but the last."""


def folder(place: Path, template: str = "", **files: Any) -> Path:
    """Write a model folder's JSON: a tokenizer with `ADDED`, and files by their names without the ending."""
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Raw

    raw = Raw.from_str(TinyEncoder().tokenizer.json)
    raw.add_special_tokens(list(ADDED[:-1]))
    raw.add_tokens([AddedToken(ADDED[-1], normalized=False)])
    raw.save(str(place / "tokenizer.json"))
    for name, content in files.items():
        (place / f"{name}.json").write_text(json.dumps(content))
    if template:
        (place / "chat_template.jinja").write_text(template)
    return place


def markers(place: Path) -> set[str]:
    tokenizer = open_tokenizer(place)
    return set(tokenizer.added) - tokenizer.signs


def test_without_a_role_a_token_is_a_marker_unless_it_is_written_as_control_tokens_are(tmp_path: Path) -> None:
    assert markers(folder(tmp_path)) == {"[E1]", "[/E1]", "<call>", "<img>", "<role>", "\n\n"}


@pytest.mark.parametrize("key", ["additional_special_tokens", "extra_special_tokens"])
@pytest.mark.parametrize("file", ["tokenizer_config", "special_tokens_map"])
def test_a_name_is_a_role_and_a_list_is_none(file: str, key: str, tmp_path: Path) -> None:
    content = {"role_token": {"content": "<role>"}, "other_token": None, key: ["[E1]", {"content": "[/E1]"}]}
    assert markers(folder(tmp_path, **{file: content})) == {"[E1]", "[/E1]", "<call>", "<img>", "\n\n"}
    (tmp_path / f"{file}.json").write_text(json.dumps({key: {"image_token": "<img>"}}))
    assert "<img>" not in markers(tmp_path)


@pytest.mark.parametrize("file", ["config", "generation_config"])
def test_an_id_that_the_configuration_names_is_a_role(file: str, tmp_path: Path) -> None:
    tokenizer = open_tokenizer(folder(tmp_path))
    ids = [tokenizer.id("<role>"), tokenizer.id("[E1]")]
    (tmp_path / f"{file}.json").write_text(json.dumps({"eos_token_id": ids, "pad_token_id": -1, "bos_token_id": None}))
    assert markers(tmp_path) == {"[/E1]", "<call>", "<img>", "\n\n"}


def test_a_chat_models_special_tokens_are_signs_but_for_those_that_a_list_has(tmp_path: Path) -> None:
    config = {"extra_special_tokens": ["[E1]", "<call>"]}
    assert markers(folder(tmp_path, "<call>{{ x }}\n\n", tokenizer_config=config)) == {"[E1]", "\n\n"}
    (tmp_path / "chat_template.jinja").unlink()
    several = [{"name": "default", "template": "<call>"}, {"name": "other", "template": "[E1]"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": several}))
    assert markers(tmp_path) == {"\n\n"}  # every template counts: the one for tools, too
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert {"[E1]", "<call>"} <= markers(tmp_path)
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates/tools.jinja").write_text("<call>")
    assert markers(tmp_path) == {"[E1]", "\n\n"}


def test_special_tokens_stay_split_where_their_makers_split_them(tmp_path: Path) -> None:
    assert markers(folder(tmp_path, tokenizer_config={"split_special_tokens": True})) == {"\n\n"}


@pytest.mark.parametrize("config", [{"additional_special_tokens": 3, "a_token": [1]}, {"extra_special_tokens": [None, 4]}])
def test_configurations_of_odd_types_name_nothing(config: Any, tmp_path: Path) -> None:
    assert "[E1]" in markers(folder(tmp_path, tokenizer_config=config, config={"eos_token_id": "x", "a_token_id": [True]}))


def test_more_tokens_than_embeddings_are_told_with_both_numbers(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(folder(tmp_path))
    first = tokenizer.id("[E1]") or 0
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": first}))
    expected = rf"(?s)the tokenizer has {first + 8:,} tokens, the model {first:,} embeddings: there is none of '\[E1\]'.*resize"
    with pytest.raises(ArtefactCorrupt, match=expected) as caught:
        open_tokenizer(tmp_path)
    assert caught.value.where == str(tmp_path / "tokenizer.json")
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": first + 8}))
    open_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(WeightsMissing, match=r"(?s)no tokenizer.json.*AutoTokenizer"):
        open_tokenizer(tmp_path)
