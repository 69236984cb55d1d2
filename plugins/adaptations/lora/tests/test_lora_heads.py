"""A classifier that PEFT saved with its updates becomes the function's head, with the pooler below it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import NotSupported, load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("functory_huggingface")
pytestmark = pytest.mark.usefixtures("tiny_kit")

TEXTS = ["we saw the good film", "bad", "it was a very fine day and a poor night in the rain"]
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "roberta": SMALL,
    "llama": {**SMALL, "num_key_value_heads": 2, "tie_word_embeddings": False},
}


def base(family: str, folder: Path) -> Any:
    """Save a small random pretrained model with a tokenizer, far from its first values."""
    torch.manual_seed(4)
    config = transformers.AutoConfig.for_model(
        family, **FAMILIES[family], vocab_size=300, max_position_embeddings=80, pad_token_id=0
    )
    auto = transformers.AutoModelForCausalLM if family == "llama" else transformers.AutoModel
    model = auto.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(folder)
    tokenizer = load("backbones", "tiny-decoder" if family == "llama" else "tiny-encoder").configure().tokenizer
    (folder / "tokenizer.json").write_text(tokenizer.json)
    return model


def peft_classifier(folder: Path, kind: str, outputs: int, adapter: Path, **config: Any) -> Any:
    """Return a classifier on a pretrained folder with random updates, as PEFT trains and saves it."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(5)
    auto = getattr(transformers, f"AutoModelFor{kind}Classification")
    model = auto.from_pretrained(folder, num_labels=outputs, attn_implementation="sdpa")
    task = {"Sequence": "SEQ_CLS", "Token": "TOKEN_CLS"}[kind]
    made = get_peft_model(model, LoraConfig(r=3, task_type=task, init_lora_weights=False, **config)).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "modules_to_save" in name:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    made.save_pretrained(adapter)
    return made


def logits(model: Any, function: Any, text: str) -> Any:
    [row] = function.form.formulation.encode([function.read(text)], function.reader, function.state).rows
    with torch.no_grad():
        return model(**{name: torch.from_numpy(array)[None] for name, array in row.items()}).logits[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_probabilities_are_those_of_pefts_model(family: str, tmp_path: Path) -> None:
    base(family, tmp_path / "base")
    model = peft_classifier(tmp_path / "base", "Sequence", 3, tmp_path / "adapter")
    function = functory.build(
        task={"name": "text-classification", "labels": ["bad", "fine", "good"]}, backbone=str(tmp_path / "base"),
        adaptation={"name": "peft", "path": str(tmp_path / "adapter")}, name="theirs",
    )  # fmt: skip
    function.save(tmp_path / "function")
    function.package(target=tmp_path / "written", method="peft")
    again = functory.build(
        task="text-classification", backbone=str(tmp_path / "base"),
        adaptation={"name": "peft", "path": str(tmp_path / "written")},
    )  # fmt: skip
    for text in TEXTS:
        wanted = dict(zip(("bad", "fine", "good"), logits(model, function, text).softmax(-1).tolist(), strict=True))
        for one in (function, functory.load(tmp_path / "function"), again):
            assert one(text).scores == pytest.approx(wanted, abs=1e-5)


def test_several_labels_are_the_options_to_say(tmp_path: Path) -> None:
    base("roberta", tmp_path / "base")
    model = peft_classifier(tmp_path / "base", "Sequence", 2, tmp_path / "adapter", target_modules=["query"])
    function = functory.build(
        task={"name": "text-classification", "mode": "multi"}, backbone=str(tmp_path / "base"),
        adaptation={"name": "peft", "path": str(tmp_path / "adapter")},
    )  # fmt: skip
    wanted = dict(zip(("LABEL_0", "LABEL_1"), logits(model, function, TEXTS[2]).sigmoid().tolist(), strict=True))
    assert function(TEXTS[2]).scores == pytest.approx(wanted, abs=1e-5)


def test_a_part_that_was_saved_nowhere_is_named(tmp_path: Path) -> None:
    """BERT's pooler was drawn when the classifier was made, and PEFT did not save it."""
    base("bert", tmp_path / "base")
    bare = transformers.BertModel.from_pretrained(tmp_path / "base", add_pooling_layer=False)
    bare.save_pretrained(tmp_path / "base")
    peft_classifier(tmp_path / "base", "Sequence", 3, tmp_path / "adapter")
    with pytest.raises(NotSupported, match=r"(?s)'bert\.pooler\.dense\.weight' is missing.*neither.*'fine-tuned'"):
        functory.build(
            task="text-classification", backbone=str(tmp_path / "base"),
            adaptation={"name": "peft", "path": str(tmp_path / "adapter")},
        )  # fmt: skip


def test_what_writes_learns_more_slowly_where_no_rate_is_named() -> None:
    rows = [{"text": text, "reference": text} for text in ("the good film", "a bad song", "one more time")]

    def rate(**options: Any) -> float:
        fn = functory.build(
            task={"name": "text-generation", "max_new_tokens": 2}, train=rows, backbone="tiny-decoder", dev_share=0, test_share=0,
            adaptation={"name": "lora", "epochs": 1, **options}, report=False,
        )  # fmt: skip
        return float(fn.form.adaptation.options.learning_rate)

    assert rate() == 3e-4
    assert rate(learning_rate=2e-3) == 2e-3
