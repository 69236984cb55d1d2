"""A model made elsewhere reads texts as its maker's tokenizer did: markers whole, and nothing else where files disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import ArtefactCorrupt, NotSupported, WeightsMissing, load, open_tokenizer
from functory_sdk.testing import TinyEncoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("own_cache")

ROLES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
TEXTS = [
    "the [E1] Ann [/E1] saw [E2]Bob[/E2] , and it was good .",
    "[E1]the[/E1] film<em> was  <em>good",
    "浙商银行[E1]叶老桂[/E1]博士",
    "no marker at all",
]


def taught(tokenizer: Any) -> Any:
    """Return a tokenizer of transformers that was taught markers of every sort."""
    from tokenizers import AddedToken

    tokenizer.add_special_tokens({"additional_special_tokens": ["[E1]", "[/E1]", AddedToken("[/E2]", lstrip=True)]})
    tokenizer.add_tokens(["[E2]", AddedToken("<em>", rstrip=True, normalized=False), AddedToken("ann", single_word=True)])
    return tokenizer


def classifier(folder: Path, tokenizer: Any, **changes: Any) -> Any:
    """Save a small random classifier that was made for a tokenizer; return it."""
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=64, num_labels=3, initializer_range=0.5, **changes,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def tiny() -> Any:
    from tokenizers import Tokenizer as Raw

    return transformers.PreTrainedTokenizerFast(tokenizer_object=Raw.from_str(TinyEncoder().tokenizer.json), **ROLES)


def built(folder: Path, **options: Any) -> Any:
    adaptation = {"name": "fine-tuned", **options}
    return functory.build(task="text-classification", backbone=str(folder), adaptation=adaptation, name="theirs")


def test_markers_in_a_text_give_the_pipelines_own_probabilities_before_and_after_saving(tmp_path: Path) -> None:
    model = classifier(tmp_path / "model", taught(tiny()))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    pipeline = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    function = built(tmp_path / "model")
    function.save(tmp_path / "function")
    again = functory.load(tmp_path / "function")
    for text in TEXTS:
        wanted = {one["label"]: pytest.approx(one["score"], abs=1e-5) for one in pipeline([text])[0]}
        assert function(text).scores == wanted
        assert again(text).scores == wanted
    assert any("[CLS], [MASK]" in note and "no tokens as transformers reads them" in note for note in function.about.notes)
    ids, spelled = function.reader.tokenizer, "good [SEP] film [MASK]"
    assert not {ids.id("[SEP]"), ids.id("[MASK]")} & set(ids.tokens([spelled])[0].ids.tolist())


@pytest.mark.parametrize("backbone", ["minilm", pytest.param("e5", marks=pytest.mark.slow)])
def test_real_tokenizers_that_were_taught_markers_read_as_transformers_reads(backbone: str, tmp_path: Path) -> None:
    opened = load("backbones", backbone).configure()
    try:
        folder = getattr(opened, "folder", None) or opened.locate()
    except WeightsMissing as error:
        pytest.skip(error.what)
    names = ROLES if backbone == "minilm" else {
        "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>",
        "pad_token": "<pad>", "mask_token": "<mask>",
    }  # fmt: skip
    made = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **names)
    taught(made).save_pretrained(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = open_tokenizer(tmp_path)
    for text, tokens in zip(TEXTS, ours.tokens(TEXTS), strict=True):
        wanted = theirs(text, add_special_tokens=False, return_offsets_mapping=True)
        assert tokens.ids.tolist() == wanted["input_ids"]
        assert [tuple(pair) for pair in tokens.offsets.tolist()] == wanted["offset_mapping"]
    assert set(names.values()) <= ours.signs
    assert not ours.signs & {"[E1]", "[/E1]", "[E2]", "[/E2]", "<em>"}


def test_a_backbone_that_was_taught_markers_keeps_them_for_a_head_that_is_trained_here(tmp_path: Path) -> None:
    classifier(tmp_path / "model", taught(tiny()))
    rows = [{"text": f"the [{side}] good [/{side}] film", "label": side} for side in ("E1", "E2") for _ in range(8)]
    function = functory.build(
        task="text-classification", train=rows, backbone=str(tmp_path / "model"), adaptation="head", name="marked"
    )
    [tokens] = function.reader.tokenizer.tokens(["the [E1] good"])
    assert [function.reader.tokenizer.token(one) for one in tokens.ids.tolist()] == ["the", "[E1]", "good"]
    assert {function(row["text"]).label for row in rows[:1] + rows[-1:]} == {"E1", "E2"}


def test_a_tokenizer_whose_files_disagree_is_refused_with_both_readings(tmp_path: Path) -> None:
    model = tmp_path / "model"
    classifier(model, tiny())
    file = model / "tokenizer.json"
    raw = json.loads(file.read_text())
    raw["normalizer"]["lowercase"] = False
    config = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "BertTokenizer"}))
    file.write_text(json.dumps(raw))
    with pytest.raises(NotSupported, match=r"(?s)tokenizer.json reads .* transformers reads it as .*save_pretrained"):
        built(model)
    assert built(model, check_tokenizer=False)("the good film").label


def test_a_tokenizer_that_transformers_cannot_open_is_noted_and_no_reason_to_stop(tmp_path: Path) -> None:
    model = tmp_path / "model"
    classifier(model, tiny())
    (model / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": [3]}))
    assert any("opens no tokenizer here" in note for note in built(model).about.notes)


def test_more_tokens_than_embeddings_stop_the_build_and_not_a_call(tmp_path: Path) -> None:
    classifier(tmp_path / "model", tiny())
    taught(tiny()).save_pretrained(tmp_path / "model")
    size = len(tiny())
    with pytest.raises(ArtefactCorrupt, match=rf"has {size + 6:,} tokens, the model {size:,} embeddings: .*'\[E1\]'"):
        built(tmp_path / "model")
