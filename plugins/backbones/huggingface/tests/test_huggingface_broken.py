"""Folders as they are found: damaged, half fetched, of another kind, wrapped. They work, or the true reason is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import ArtefactCorrupt, ArtefactUnsafe, FunctoryError, NotSupported, WeightsMissing
from functory_sdk.testing import TinyEncoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("own_cache")

LABELS = {0: "bad", 1: "fine", 2: "good"}
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
TEXTS = ["the good film was fine", "bad"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small classifier, as save_pretrained leaves it."""
    folder = tmp_path_factory.mktemp("sound")
    torch.manual_seed(2)
    (folder / "tokenizer.json").write_text(TinyEncoder().tokenizer.json)
    names = {label: number for number, label in LABELS.items()}
    config = transformers.BertConfig(
        **SMALL, vocab_size=TinyEncoder().spec.vocabulary, max_position_embeddings=64, id2label=LABELS, label2id=names,
        initializer_range=0.5,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def model(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "model"))


def built(folder: Path) -> Any:
    return functory.build(task="text-classification", backbone=str(folder), adaptation="fine-tuned", name="theirs")


def refused(folder: Path, kind: type[FunctoryError], message: str) -> FunctoryError:
    """Build; see that the error is of the kind, has a place and a remedy, and blames no plugin."""
    with pytest.raises(FunctoryError) as caught:
        built(folder)
    error = caught.value
    assert isinstance(error, kind), error
    assert message in str(error), error
    assert error.where
    assert error.do
    assert "bug" not in str(error)
    return error


def changed(folder: Path, file: str = "config.json", **values: Any) -> Path:
    """Change entries of a JSON file; `...` takes one away."""
    config = {**json.loads((folder / file).read_text()), **values}
    (folder / file).write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))
    return folder


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(folder / "model.safetensors"))


def written(folder: Path, arrays: dict[str, Any]) -> Path:
    from safetensors.numpy import save_file

    save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    return folder


WEIGHTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a pointer": (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n", "is a pointer of Git LFS"),
    "nothing": (lambda _: b"", "model.safetensors is empty"),
    "a page": (lambda _: b"<!DOCTYPE html><html><body>Not Found</body></html>", "is a web page"),
    "a pickle": (lambda _: b"PK\x03\x04" + bytes(99), "is a pickle under another name"),
    "GGUF": (lambda _: b"GGUF\x03\x00\x00\x00" + bytes(99), "is a GGUF file"),
    "JSON": (lambda _: b'{"error": "Repository not found"}', "is JSON, and not the weights"),
    "noise": (lambda _: b"\x07" * 99, "is no safetensors file"),
    "a few bytes": (lambda _: b"\x07", "is no safetensors file"),
    "half": (lambda content: content[: len(content) // 2], "is cut off: its header speaks of "),
    "a header alone": (lambda content: content[:50], "is cut off"),
    "one byte less": (lambda content: content[:-1], "is cut off"),
    "one byte more": (lambda content: content + b"\0", "has something after its end"),
    "another header": (lambda content: content[:9] + b"[" + content[10:], "has a header that cannot be read"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_are_something_else_are_told_as_what_they_are(case: str, model: Path) -> None:
    change, message = WEIGHTS[case]
    file = model / "model.safetensors"
    file.write_bytes(change(file.read_bytes()))
    error = refused(model, ArtefactCorrupt, message)
    assert error.where == str(file)
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "model-1.safetensors"}}))
    file.rename(model / "model-1.safetensors")
    assert refused(model, ArtefactCorrupt, "").where == str(model / "model-1.safetensors")


INDEX: dict[str, tuple[Any, type[FunctoryError], str]] = {
    "a shard that is not there": ({"weight_map": {"x": "model-2.safetensors"}}, ArtefactCorrupt, "model-2.safetensors is miss"),
    "another folder": ({"weight_map": {"x": "../model.safetensors"}}, ArtefactUnsafe, "which is no shard in its folder"),
    "a pickle": ({"weight_map": {"x": "model.bin"}}, ArtefactUnsafe, "which is no shard in its folder"),
    "a number": ({"weight_map": {"x": 3}}, ArtefactCorrupt, "does not say which file holds which tensor"),
    "a list": ({"weight_map": ["x"]}, ArtefactCorrupt, "does not say which file holds which tensor"),
    "nothing": ({}, ArtefactCorrupt, "does not say which file holds which tensor"),
    "a tensor that is not there": ({"weight_map": {"x": "model-1.safetensors"}}, ArtefactCorrupt, "does not hold 'x'"),
}


@pytest.mark.parametrize("case", INDEX)
def test_an_index_is_held_to_the_files(case: str, model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-1.safetensors")
    content, kind, message = INDEX[case]
    (model / "model.safetensors.index.json").write_text(json.dumps(content))
    refused(model, kind, message)


def test_files_that_lack_are_named(model: Path) -> None:
    (model / "tokenizer.json").rename(model / "tokenizer.model")
    refused(model, WeightsMissing, "no tokenizer.json, and no SentencePiece files of a translator")
    (model / "config.json").rename(model / "kept")
    refused(model, WeightsMissing, "there is no config.json")
    (model / "kept").rename(model / "config.json")
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    refused(model, ArtefactUnsafe, "the weights are a pickle, pytorch_model.bin")
    (model / "pytorch_model.bin").unlink()
    refused(model, WeightsMissing, "there is no model.safetensors")


WRAPPED = {
    "data parallel": lambda name: f"module.{name}",
    "data parallel twice": lambda name: f"module.module.{name}",
    "compiled": lambda name: f"_orig_mod.{name}",
    "FSDP": lambda name: f"_fsdp_wrapped_module.{name.replace('layer.1.', 'layer.1._fsdp_wrapped_module.')}",
    "compiled and parallel": lambda name: f"module._orig_mod.{name}",
    "a trainer's": lambda name: f"model.{name}",
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_names_that_a_wrapper_changed_are_read(wrapper: str, sound: Path, model: Path) -> None:
    written(model, {WRAPPED[wrapper](name): array for name, array in tensors(model).items()})
    ours, plain = built(model), built(sound)
    assert [ours(text).scores for text in TEXTS] == [plain(text).scores for text in TEXTS]


@pytest.mark.parametrize("wrapper", ["a trainer's", "compiled"])
def test_a_decoders_own_prefix_is_no_wrappers(wrapper: str, tmp_path: Path) -> None:
    llama(tmp_path / "plain")
    shutil.copytree(tmp_path / "plain", tmp_path / "wrapped")
    arrays = tensors(tmp_path / "wrapped")
    assert any(name.startswith("model.") for name in arrays)
    written(tmp_path / "wrapped", {WRAPPED[wrapper](name): array for name, array in arrays.items()})
    texts = [
        functory.build(task={"name": "text-generation", "max_new_tokens": 3}, backbone=str(tmp_path / name))("the").text
        for name in ("plain", "wrapped")
    ]
    assert texts[0] == texts[1]


def llama(folder: Path, kind: str = "LlamaForCausalLM", **changes: Any) -> None:
    from functory_sdk.testing import TinyDecoder

    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        **SMALL, num_key_value_heads=2, vocab_size=TinyDecoder().spec.vocabulary, max_position_embeddings=64, pad_token_id=0,
        bos_token_id=None, eos_token_id=1, **changes,
    )  # fmt: skip
    getattr(transformers, kind)(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(TinyDecoder().tokenizer.json)


def test_a_decoder_without_a_head_is_a_backbone_and_is_told_to_write_nothing(tmp_path: Path) -> None:
    llama(tmp_path / "bare", "LlamaModel", tie_word_embeddings=False)
    with pytest.raises(NotSupported, match=r"was saved without the head that scores tokens \(lm_head\) and writes no text"):
        functory.build(task="text-generation", backbone=str(tmp_path / "bare"))
    rows = [{"text": text, "label": label} for text, label in (("good", "a"), ("bad", "b")) for _ in range(6)]
    function = functory.build(task="text-classification", train=rows, backbone=str(tmp_path / "bare"), adaptation="head")
    assert function("good").label == "a"


@pytest.mark.parametrize(
    ("family", "window", "message"),
    [("llama", 16, "sets sliding_window = 16, which a llama here does"), ("mistral", 0, "sliding_window = 0, no whole number")],
)
def test_a_window_that_a_family_does_not_have_or_that_is_none_is_told(
    family: str, window: int, message: str, tmp_path: Path
) -> None:
    llama(tmp_path / "model")
    changed(tmp_path / "model", model_type=family, sliding_window=window)
    with pytest.raises(FunctoryError, match=message) as caught:
        functory.build(task="text-generation", backbone=str(tmp_path / "model"))
    assert caught.value.where == str(tmp_path / "model/config.json")


LABELLINGS: dict[str, tuple[dict[str, Any], str]] = {
    "words": ({"id2label": {"bad": "0", "fine": "1", "good": "2"}}, "the entry 'bad': '0' in id2label"),
    "no names": ({"id2label": {"0": None, "1": "fine", "2": "good"}}, "the entry '0': None in id2label"),
    "a gap": ({"id2label": {"0": "bad", "1": "fine", "3": "good"}, "label2id": ...}, "of the outputs 0, 1, 3; the head has 3"),
    "too few": ({"id2label": {"0": "bad", "1": "fine"}, "label2id": ...}, "names 2 labels; the head has 3 outputs"),
    "one twice": ({"id2label": {"0": "bad", "1": "bad", "2": "good"}, "label2id": ...}, "names 2 labels; the head has 3"),
    "two tables": (
        {"label2id": {"good": 0, "fine": 1, "bad": 2}}, "calls output 0 'bad' in id2label and 'good' in label2id"
    ),
    "a number without end": ({"id2label": {"9" * 5000: "bad", "1": "fine", "2": "good"}}, "the entry '999"),
    "a list": ({"id2label": ["bad", "fine", "good"]}, "has an id2label that is no table"),
}  # fmt: skip


@pytest.mark.parametrize("case", LABELLINGS)
def test_labels_that_do_not_fit_the_outputs_are_told(case: str, model: Path) -> None:
    config, message = LABELLINGS[case]
    assert refused(changed(model, **config), ArtefactCorrupt, message).where == str(model / "config.json")


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}},
        {"id2label": ...},
        {"label2id": "nonsense"},
        {"label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}},
    ],
)
def test_labels_that_stand_in_another_form_or_in_one_table_are_read(config: dict[str, Any], model: Path) -> None:
    assert set(built(changed(model, **config))(TEXTS[0]).scores) == {"bad", "fine", "good"}


CONFIGS: dict[str, tuple[dict[str, Any], type[FunctoryError], str]] = {
    "bloom": ({"model_type": "bloom", "hidden_size": ..., "n_embed": 32}, NotSupported, "is of the family 'bloom'"),
    "a family like a path": ({"model_type": "./evil.py:Evil"}, NotSupported, "is of the family './evil.py:Evil'"),
    "a family like a file's": ({"model_type": "file:Evil"}, NotSupported, "is of the family 'file:Evil'"),
    "pegasus": ({"model_type": "pegasus", "is_encoder_decoder": True}, NotSupported, "is of the family 'pegasus'"),
    "deberta": ({"model_type": "deberta", "position_biased_input": False}, NotSupported, "is of the family 'deberta'"),
    "no family": ({"model_type": ...}, ArtefactCorrupt, "config.json does not say model_type"),
    "no width": ({"hidden_size": ...}, ArtefactCorrupt, "config.json does not say hidden_size"),
    "a width in words": ({"hidden_size": "wide"}, ArtefactCorrupt, "config.json says hidden_size = 'wide', no whole number"),
    "no layers": ({"num_hidden_layers": 0}, ArtefactCorrupt, "num_hidden_layers = 0, no whole number above 0"),
    "no end": ({"max_position_embeddings": None}, ArtefactCorrupt, "does not say max_position_embeddings"),
    "more positions": ({"max_position_embeddings": 128}, ArtefactCorrupt, "64×32 where config.json says 128×32"),
    "fewer layers": ({"num_hidden_layers": 1}, NotSupported, "config.json says fewer layers"),
    "more layers": ({"num_hidden_layers": 3}, ArtefactCorrupt, "encoder.layer.2."),
    "layers without end": ({"num_hidden_layers": 10**9}, ArtefactCorrupt, "a model of 1,000,000,000 layers; the weights hold 2"),
    "a giant": ({"intermediate_size": 10**9}, ArtefactCorrupt, "numbers; the weights hold "),
    "padding beyond": ({"pad_token_id": 9999}, ArtefactCorrupt, "pad_token_id = 9,999, and the model has"),
    "padding in words": ({"pad_token_id": "[PAD]"}, ArtefactCorrupt, "pad_token_id = '[PAD]', no id of a token"),
    "a class in a text": ({"architectures": "BertModel"}, NotSupported, "model without a named class"),
    "quantised": ({"quantization_config": {"quant_method": "bitsandbytes"}}, NotSupported, "are quantised"),
    "a decoder's": ({"is_decoder": True}, NotSupported, "config.json sets is_decoder = True"),
    "relative": ({"position_embedding_type": "relative_key"}, NotSupported, "position_embedding_type = 'relative_key'"),
    "an activation": ({"hidden_act": "geluu"}, NotSupported, "'geluu' is not known here.\n"),
    "a dropout": ({"hidden_dropout_prob": "much"}, ArtefactCorrupt, "config.json says hidden_dropout_prob = 'much': "),
    "heads": ({"num_attention_heads": 5}, ArtefactCorrupt, "num_attention_heads = 5, which does not divide hidden_size = 32"),
    "a number's head": ({"problem_type": "regression"}, NotSupported, "gives a number"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_gives_the_true_reason(case: str, model: Path) -> None:
    config, kind, message = CONFIGS[case]
    refused(changed(model, **config), kind, message)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_every_file_that_was_never_fetched_is_told_as_that(name: str, model: Path) -> None:
    for content, told in ((WEIGHTS["a pointer"][0](b""), "pointer of Git LFS"), (WEIGHTS["a page"][0](b""), "web page")):
        (model / name).write_bytes(content)
        assert refused(model, ArtefactCorrupt, f"{name} is a {told}").where == str(model / name)


@pytest.mark.parametrize("config", [{"torch_dtype": "float8_odd"}, {"dtype": "nonsense"}, {"torch_dtype": None, "dtype": ...},
                                    {"chunk_size_feed_forward": 7}])  # fmt: skip
def test_the_type_that_a_configuration_names_and_its_chunks_are_of_no_matter(
    config: dict[str, Any], sound: Path, model: Path
) -> None:
    assert built(changed(model, **config))(TEXTS[0]).scores == built(sound)(TEXTS[0]).scores


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


QUERY = "bert.encoder.layer.1.attention.self.query.weight"
TENSORS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], type[FunctoryError], str]] = {
    "a layer's": (_without(QUERY), ArtefactCorrupt, "a BertForSequenceClassification's, do not fit config.json: 1 are missing"),
    "the classifier": (_without("classifier.weight"), ArtefactCorrupt, "the classifier's 'classifier.weight' is missing"),
    "another classifier": (
        lambda arrays: {**arrays, "classifier.weight": arrays["classifier.weight"][:, :9].copy()}, ArtefactCorrupt,
        "'classifier.weight' has the shape 3×9; 3×32 would fit",
    ),
    "no numbers": (
        lambda arrays: {**arrays, "classifier.bias": np.float32([0, np.nan, 1])}, ArtefactCorrupt,
        "'classifier.bias' holds what is no number",
    ),
    "a body that went astray": (
        lambda arrays: {**arrays, QUERY: arrays[QUERY] * np.float32(np.inf)}, ArtefactCorrupt,
        "'encoder.layer.1.attention.self.query.weight' holds what is no number",
    ),
    "one number": (
        lambda arrays: {**arrays, "classifier.bias": np.full((), 1, np.float32)}, ArtefactCorrupt,
        "has the shape () of one number; 3 would fit",
    ),
    "an adapter within": (
        lambda arrays: {**arrays, QUERY.replace("weight", "lora_A.weight"): np.ones((2, 32), np.float32)}, NotSupported,
        "for which no layer has a place",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TENSORS)
def test_weights_that_do_not_fit_are_named(case: str, model: Path) -> None:
    change, kind, message = TENSORS[case]
    refused(written(model, change(tensors(model))), kind, message)
