"""Heads of answers that were fitted elsewhere: their ends are what transformers scores, to five digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import ArtefactCorrupt, NotSupported

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("own_cache")

PAIRS = [("who went", "ann lee went to rome"), ("谁在北京", "王明在北京。"), ("why?", "a b c " * 60), ("who", "no")]
PIECES = sorted({*"".join(text for pair in PAIRS for text in pair)} - {" "})
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {**SMALL, "type_vocab_size": 2},
    "roberta": {**SMALL, "type_vocab_size": 1},
    "electra": {**SMALL, "embedding_size": 8},
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24},
    "modernbert": {**SMALL, "local_attention": 8, "global_attn_every_n_layers": 2, "norm_bias": True},
    "deberta-v2": {**SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0},
}


def tokenizer(folder: Path, between: Sequence[str]) -> None:
    """Save a tokenizer of characters in BERT's frame, or in RoBERTa's."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = {piece: number for number, piece in enumerate(["?!", "<pad>", "<s>", "</s>", *PIECES])}
    raw = Tokenizer(models.WordLevel(pieces, unk_token="?!"))
    raw.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")])
    raw.add_special_tokens(["<s>", "</s>", "<pad>"])
    middle = " ".join(f"{sign}:0" for sign in between)
    raw.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=f"<s>:0 $A:0 {middle} $B:1 </s>:1", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    folder.mkdir()
    raw.save(str(folder / "tokenizer.json"))


def reader(folder: Path, family: str, **changes: Any) -> Any:
    """Save a small random head of answers, far from where it would begin; return it as transformers made it."""
    tokenizer(folder, ["</s>", "</s>"] if family == "roberta" else ["</s>"])
    torch.manual_seed(5)
    special = {"pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3, "vocab_size": 80, "max_position_embeddings": 66}
    config = transformers.AutoConfig.for_model(family, **special, **{**FAMILIES[family], **changes})
    model = transformers.AutoModelForQuestionAnswering.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return model


def built(folder: Path, task: Any = "question-answering", **options: Any) -> Any:
    return functory.build(task={"name": task, **options}, backbone=str(folder), adaptation="fine-tuned", name="theirs")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_an_answer_are_scored_as_transformers_scores_them(family: str, tmp_path: Path) -> None:
    model = reader(tmp_path / "model", family)
    function = functory.load(built(tmp_path / "model", unanswered="some").save(tmp_path / "function"))
    for pair in PAIRS:
        value = function.read(*pair)
        rows = function.form.formulation.encode([value], function.reader, function.state).rows
        [(side, found)] = function.trace([value])
        for row, ours in zip(rows, found, strict=True):
            is_open = row.pop("candidates").astype(bool)
            with torch.no_grad():
                given = model(**{name: torch.from_numpy(array)[None] for name, array in row.items()})
            for number, logits in enumerate((given.start_logits[0], given.end_logits[0])):
                wanted = torch.log_softmax(logits[torch.from_numpy(is_open)], 0).numpy()
                assert np.abs(ours["scores"][number][is_open] - wanted).max() < 1e-5
        answer = function(*pair)
        best = answer.answers[0]
        assert pair[1][best.start : best.end] == best.text
        if len(side.views) == 1:
            [view] = side.views
            scores = found[0]["scores"][:, [*view.places]]
            spans = {(a, b): scores[0][a] + scores[1][b] for a in range(len(view.places)) for b in range(a, len(view.places))}
            first, last = max(spans, key=lambda span: spans[span])
            assert (best.start, best.end) == (side.starts[first], side.ends[last])
    assert function.state.may_lack


def test_what_its_maker_does_not_say_is_told_and_other_tasks_are_sent_there(tmp_path: Path) -> None:
    reader(tmp_path / "model", "bert")
    function = built(tmp_path / "model")
    assert not function.state.may_lack
    assert function("who", "no").answer is not None
    notes = " ".join(function.about.notes)
    assert "an answer is always given: unanswered = 'some'" in notes
    assert "at most 120 characters" in notes
    for task in ("text-classification", "ner"):
        with pytest.raises(NotSupported, match=r"(?s)scores where an answer begins and ends.*task = 'question-answering'"):
            built(tmp_path / "model", task)


def test_a_head_with_other_outputs_than_two_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    reader(tmp_path / "model", "bert")
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    tensors["qa_outputs.weight"] = tensors["qa_outputs.weight"][[0, 1, 1]].contiguous()
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(ArtefactCorrupt, match="qa_outputs.weight' has the shape 3×16; 2×16 would fit"):
        built(tmp_path / "model")


def test_a_classifier_of_texts_answers_no_questions(tmp_path: Path) -> None:
    model = reader(tmp_path / "model", "bert")
    transformers.BertForSequenceClassification(model.config).save_pretrained(tmp_path / "model")
    with pytest.raises(NotSupported, match=r"(?s)labels whole texts.*made of scores of an answer's two ends"):
        built(tmp_path / "model")
