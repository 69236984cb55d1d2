"""A fine-tuned classifier becomes a function: its probabilities, its labels, without training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_huggingface.fine_tuned import FineTuned
from functory_sdk import ArtefactCorrupt, NotSupported, OptionError, SessionOptions, load
from functory_sdk.families import family_of
from functory_sdk.testing import AdaptationSuite, BackboneSuite

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("own_cache")

TEXTS = [
    "We saw the good film, and it was fine.",
    "One thing after another went wrong.",
    "价格合理，质量也不错。",
    "ok",
]
BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": BERT,
    "electra": {**BERT, "embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
    "modernbert": {**BERT, "local_attention": 8, "global_attn_every_n_layers": 2, "norm_bias": True},
    "deberta-v2": {**BERT, "relative_attention": True, "position_buckets": 4, "pos_att_type": "p2c|c2p", "pooler_hidden_size": 32,
                   "share_att_key": True, "norm_rel_ebd": "layer_norm", "position_biased_input": False, "type_vocab_size": 0},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "gemma2": {**LLAMA, "sliding_window": 4, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 0.5},
    "llama": LLAMA,
    "qwen3": LLAMA,
}  # fmt: skip
LABELS = {0: "bad", 1: "fine", 2: "good"}


class TestCheckpoint(AdaptationSuite):
    component = "fine-tuned"
    options = {"readout": {"has_map": True, "activation": "tanh", "epsilon": 1e-5, "has_norm_bias": True}}


class TestDecoderWithoutTokenScores(BackboneSuite):
    """What a decoder's classifier leaves of it is a backbone like any other."""

    component = "hf"

    @pytest.fixture(autouse=True)
    def put(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.getbasetemp() / "decoder"
        if not folder.exists():
            classifier(folder, "llama")
        type(self).place = str(folder)


def write_tokenizer(folder: Path) -> None:
    """Save a tokenizer of characters in RoBERTa's frame: <s> 0, <pad> 1, </s> 2, <unk> 3."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(set("".join(TEXTS)) - {" "})]
    raw = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(pieces)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")]
    )
    raw.add_special_tokens(["<s>", "<pad>", "</s>"])
    frame = {"single": "<s> $A </s>", "pair": "<s> $A </s> $B </s>"}
    raw.post_processor = processors.TemplateProcessing(**frame, special_tokens=[("<s>", 0), ("</s>", 2)])
    raw.save(str(folder / "tokenizer.json"))


def classifier(
    folder: Path, family: str = "bert", labels: dict[int, str] | None = None, *, unit: str = "Sequence", **changes: Any
) -> Any:
    """Save a small random classifier, far from where it would begin; return it as transformers made it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder)
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "vocab_size": 99, "max_position_embeddings": 70}
    labels = LABELS if labels is None else labels
    torch.manual_seed(3)
    config = transformers.AutoConfig.for_model(
        family, **{**special, **FAMILIES[family], **changes}, id2label=labels, num_labels=len(labels)
    )
    auto = getattr(transformers, f"AutoModelFor{unit}Classification")
    model = auto.from_config(config, attn_implementation=family_of(family).attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.3 if parameter.ndim == 1 else 0.15))
    model.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n")
    return model


def theirs(model: Any, function: Any, text: str) -> Any:
    """Return the model's own logits of a text, (labels,), or of its tokens, (tokens, tags)."""
    [row] = function.form.formulation.encode([function.read(text)], function.reader, function.state).rows
    with torch.no_grad():
        return model(**{name: torch.from_numpy(array)[None] for name, array in row.items()}).logits[0]


def built(folder: Path, **task: Any) -> Any:
    return functory.build(
        task={"name": "text-classification", **task}, backbone=str(folder), adaptation="fine-tuned", name="theirs"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_probabilities_are_the_models_own_and_stay_so(family: str, tmp_path: Path) -> None:
    model = classifier(tmp_path / "model", family)
    function = built(tmp_path / "model")
    function.save(tmp_path / "function")
    again = functory.load(tmp_path / "function")
    seen = []
    for text in TEXTS:
        wanted = dict(zip(LABELS.values(), theirs(model, function, text).softmax(-1).tolist(), strict=True))
        assert function(text).scores == pytest.approx(wanted, abs=1e-5)
        assert again(text).scores == pytest.approx(wanted, abs=1e-5)
        assert again(text).label == max(wanted, key=lambda label: wanted[label])
        seen.append(tuple(wanted.values()))
    assert max(abs(a - b) for one in seen for other in seen for a, b in zip(one, other, strict=True)) > 0.02
    for text, output in zip(TEXTS, function.map(TEXTS), strict=True):
        assert output.scores == pytest.approx(function(text).scores, abs=1e-5)


def test_several_labels_and_the_mean_are_read_as_the_configuration_says(tmp_path: Path) -> None:
    changes = {"problem_type": "multi_label_classification", "classifier_pooling": "mean", "classifier_bias": True}
    model = classifier(tmp_path / "model", "modernbert", classifier_activation="silu", **changes)
    function = built(tmp_path / "model")
    assert function.state.mode == "multi"
    for text in TEXTS:
        wanted = dict(zip(LABELS.values(), theirs(model, function, text).sigmoid().tolist(), strict=True))
        assert function(text).scores == pytest.approx(wanted, abs=1e-5)
        assert set(function(text).labels) == {label for label, score in wanted.items() if score >= 0.5}


def test_shards_and_half_precision_are_read(tmp_path: Path) -> None:
    model = classifier(tmp_path / "model", "roberta")
    model.to(torch.bfloat16).save_pretrained(tmp_path / "model", max_shard_size="20KB")
    (tmp_path / "model/model.safetensors").unlink()
    function = built(tmp_path / "model")
    wanted = theirs(model.float(), function, TEXTS[0]).softmax(-1).tolist()
    assert list(function(TEXTS[0]).scores.values()) == pytest.approx(wanted, abs=1e-5)


TAGS = {0: "I-LOC", 1: "B-PER", 2: "O", 3: "B-LOC", 4: "I-PER"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_taggers_tokens_have_the_models_own_probabilities_in_the_tasks_order(family: str, tmp_path: Path) -> None:
    model = classifier(tmp_path / "model", family, TAGS, unit="Token")
    function = functory.build(task="ner", backbone=str(tmp_path / "model"), adaptation="fine-tuned", name="theirs")
    function.save(tmp_path / "function")
    again = functory.load(tmp_path / "function")
    assert function.state.tags == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    order = [list(TAGS.values()).index(tag) for tag in function.state.tags]
    for text in TEXTS:
        wanted = theirs(model, function, text).log_softmax(-1)[:, order].numpy()
        for one in (function, again):
            [(_, [row])] = one.trace([one.read(text)])
            assert row["scores"] == pytest.approx(wanted, abs=1e-5)
    assert again(TEXTS[0]) == function(TEXTS[0])


def test_a_tagger_is_no_classifier_of_texts_nor_the_other_way_round(tmp_path: Path) -> None:
    classifier(tmp_path / "tagger", labels=TAGS, unit="Token")
    with pytest.raises(NotSupported, match=r"(?s)labels tokens, and .* is made of labels of whole texts.*task = 'ner'"):
        built(tmp_path / "tagger")
    classifier(tmp_path / "texts")
    with pytest.raises(NotSupported, match=r"(?s)labels whole texts.*text-classification"):
        functory.build(task="ner", backbone=str(tmp_path / "texts"), adaptation="fine-tuned")


def test_the_verb_builds_one_and_labels_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier(tmp_path / "model", labels={0: "LABEL_0", 1: "LABEL_1"})
    monkeypatch.chdir(tmp_path)
    line = "build --task text-classification --backbone hf:./model --adaptation fine-tuned --set task.labels=bad,good"
    assert main([*line.split(), "--output", str(tmp_path / "function")]) == 0
    assert "BertForSequenceClassification" in capsys.readouterr().err
    assert set(functory.load(tmp_path / "function")(TEXTS[0]).scores) == {"bad", "good"}
    with pytest.raises(OptionError, match=r"head has 2 outputs; the labels are a, b, c"):
        built(tmp_path / "model", labels=("a", "b", "c"))


def test_an_engine_without_torch_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("functory_onnxruntime")
    classifier(tmp_path / "model")
    function = built(tmp_path / "model")
    engine, program = load("engines", "onnxruntime").configure(), function.form.program
    values = [function.read(text) for text in TEXTS]
    rows = function.form.formulation.encode(values, function.reader, function.state).rows
    (tmp_path / "graph").mkdir()
    session = engine.open(engine.convert(program, tmp_path / "graph", precision="fp32", samples=rows), SessionOptions())
    given = session.run(rows)
    for row, (_, [ours]) in zip(given, function.trace(values), strict=True):
        assert row["scores"] == pytest.approx(ours["scores"], abs=1e-4)


def test_a_model_without_a_classifier_is_answered_with_what_to_do(tmp_path: Path) -> None:
    classifier(tmp_path / "model").bert.save_pretrained(tmp_path / "model")
    with pytest.raises(NotSupported, match=r"(?s)is a BertModel, which has no classifier.*adaptation = 'head'"):
        built(tmp_path / "model")


def test_a_head_that_gives_a_number_is_refused(tmp_path: Path) -> None:
    classifier(tmp_path / "model", labels={0: "score"})
    with pytest.raises(NotSupported, match="one output, a number"):
        built(tmp_path / "model")
    classifier(tmp_path / "two", problem_type="regression")
    with pytest.raises(NotSupported, match="problem_type = 'regression'"):
        built(tmp_path / "two")


def test_labels_that_are_not_the_heads_are_refused(tmp_path: Path) -> None:
    classifier(tmp_path / "model")
    file = tmp_path / "model/config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "id2label": {"0": "same", "1": "same", "2": "other"}}))
    with pytest.raises(ArtefactCorrupt, match=r"names 2 labels; the head has 3 outputs"):
        built(tmp_path / "model")


def test_a_task_of_another_kind_takes_no_classifier(tmp_path: Path) -> None:
    classifier(tmp_path / "model", "llama")
    with pytest.raises(NotSupported, match=r"'text-generation' takes no head"):
        functory.build(task="text-generation", backbone=str(tmp_path / "model"), adaptation="fine-tuned")
    with pytest.raises(NotSupported, match="writes no text"):
        functory.build(task="text-generation", backbone=str(tmp_path / "model"))


def test_the_head_of_another_time_than_the_body_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier(tmp_path)
    bring = FineTuned.bring

    def late(self: FineTuned, backbone: Any, task: Any) -> Any:
        classifier(tmp_path, intermediate_size=40)  # somebody trains another, and saves it into the same folder
        return bring(self, backbone, task)

    monkeypatch.setattr(FineTuned, "bring", late)
    with pytest.raises(ArtefactCorrupt, match="changed while they were read"):
        functory.build(task="text-classification", backbone=f"hf:{tmp_path}", adaptation="fine-tuned")
