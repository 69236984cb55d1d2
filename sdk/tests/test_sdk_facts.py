"""What the JSON files of a model folder say, and what is told of those that say it wrongly."""

import json
from pathlib import Path

import pytest

from functory_sdk import ArtefactCorrupt, NotSupported, WeightsMissing
from functory_sdk.checkpoints import weight_files
from functory_sdk.facts import Facts
from functory_sdk.families import family_names, family_of


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"model_type": "bert"}', "config.json does not say hidden_size"),
        ("[1, 2]", "config.json holds no object"),
        ('{"model_type": ', "config.json is no JSON"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ArtefactCorrupt, match=message) as caught:
        assert Facts(tmp_path).width
    assert str(tmp_path / "config.json") in str(caught.value)
    assert caught.value.do


def test_a_first_token_without_an_embedding_and_half_a_t5_are_told(tmp_path: Path) -> None:
    config = '{"model_type": "t5", "vocab_size": 32, "decoder_start_token_id": %s, "architectures": ["%s"]}'
    (tmp_path / "config.json").write_text(config % (32, "T5ForConditionalGeneration"))
    with pytest.raises(ArtefactCorrupt, match="decoder_start_token_id = 32, and the model has 32 embeddings"):
        assert Facts(tmp_path).start_id
    (tmp_path / "config.json").write_text(config % (31, "T5EncoderModel"))
    with pytest.raises(NotSupported, match="is a T5EncoderModel, the encoder of a t5 without its decoder"):
        assert Facts(tmp_path).architecture


@pytest.mark.parametrize(
    ("front", "languages"),
    [
        ("language: en", ("en",)),
        ("language:\n- en\n- zh  # and more\n- zh-Hant", ("en", "zh", "zh-Hant")),
        ("language: [de, 'fr']", ("de", "fr")),
        ("language:\nlicense: mit", ()),
        ("languages: en", ()),
        ("", ()),
    ],
)
def test_the_languages_that_a_card_names_are_read(front: str, languages: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "README.md").write_text(f"---\ntags: x\n{front}\nlibrary_name: y\n---\nlanguage: xx\n")
    assert Facts(tmp_path).languages == languages


def test_a_family_is_found_by_its_entry_point_and_imported_when_it_is_asked_for() -> None:
    assert {"bert", "deberta-v2", "gemma2", "gpt2", "qwen3", "t5"} <= set(family_names())
    assert [family_of(name).name for name in ("roberta", "xlm-roberta")] == ["roberta", "xlm-roberta"]
    assert family_of("functory-sdk:bert").base == "bert"
    for name in ("bloom", "./evil.py:Evil", "file:Evil", "", "a" * 10_000, "\x1b[31m"):
        with pytest.raises(NotSupported, match="is of the family .* which is not known here") as caught:
            family_of(name, "hf:x")
        assert "modernbert" in caught.value.do
        assert len(caught.value.what) < 300


def test_a_folder_with_a_gguf_file_alone_is_told_how_to_name_it(tmp_path: Path) -> None:
    for name, remedy in ((None, "save_pretrained."), ("model.gguf", f"gguf:{tmp_path}/model.gguf.")):
        if name:
            (tmp_path / name).touch()
        with pytest.raises(WeightsMissing, match=r"there is no model\.safetensors") as caught:
            weight_files(tmp_path)
        assert caught.value.do.endswith(remedy)


def test_what_an_output_begins_with_and_what_never_stands_in_it_are_read(tmp_path: Path) -> None:
    config = {"model_type": "marian", "vocab_size": 32, "forced_bos_token_id": 7, "bad_words_ids": [[31], [4, 5], [6]]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert (Facts(tmp_path).first_ids, Facts(tmp_path).never_ids) == ((7,), (31, 6))
    (tmp_path / "generation_config.json").write_text('{"forced_bos_token_id": 8}')
    assert Facts(tmp_path).first_ids == (8,)
    (tmp_path / "generation_config.json").write_text('{"forced_bos_token_id": 32, "bad_words_ids": [[40]]}')
    for name, told in (("first_ids", "forced_bos_token_id = 32"), ("never_ids", "bad_words_ids = 40")):
        with pytest.raises(ArtefactCorrupt, match=f"{told}, and the model has 32 embeddings"):
            getattr(Facts(tmp_path), name)
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "llama"}))
    assert Facts(tmp_path).first_ids == (), "a decoder's prompt has a first token already"
