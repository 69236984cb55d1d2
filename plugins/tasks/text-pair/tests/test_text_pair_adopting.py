"""Classifiers of pairs that were fitted elsewhere: as a function they answer what transformers answers, to five digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import functory

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("own_cache")

LABELS = {0: "entailment", 1: "neutral", 2: "contradiction"}
PAIRS = [("a man plays", "he is playing"), ("价格", "合理吗"), ("no", "yes, no"), ("aaa bbb", "aaa bbb"), ("who?", "I")]
PIECES = sorted({*"".join(text for pair in PAIRS for text in pair)} - {" "})
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 80}


def tokenizer(folder: Path, first: str, last: str, between: Sequence[str]) -> Any:
    """Save a tokenizer of characters that frames pairs as a family does; return transformers' own reading of it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    raw = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(["?!", "[PAD]", first, last, *PIECES])}, unk_token="?!"))
    raw.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")])
    raw.add_special_tokens([first, last, "[PAD]"])
    middle = " ".join(f"{sign}:0" for sign in between)
    raw.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first}:0 $A:0 {middle} $B:1 {last}:1", special_tokens=[(first, 2), (last, 3)]
    )
    folder.mkdir()
    raw.save(str(folder / "tokenizer.json"))
    return raw


FRAMES = {"bert": ("[CLS]", "[SEP]", ["[SEP]"]), "roberta": ("<s>", "</s>", ["</s>", "</s>"])}


@pytest.mark.parametrize("family", FRAMES)
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_classifier_of_pairs_answers_what_it_answers_elsewhere(family: str, symmetric: bool, tmp_path: Path) -> None:
    raw = tokenizer(tmp_path / "model", *FRAMES[family])
    torch.manual_seed(5)
    config = transformers.AutoConfig.for_model(
        family, **SMALL, max_position_embeddings=66, pad_token_id=1, bos_token_id=2, eos_token_id=3, id2label=LABELS,
        num_labels=3, type_vocab_size=2 if family == "bert" else 1,
    )  # fmt: skip
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(tmp_path / "model")

    def elsewhere(a: str, b: str) -> dict[str, float]:
        read = raw.encode(a, b)
        types = {"token_type_ids": torch.tensor([read.type_ids])} if family == "bert" else {}
        with torch.no_grad():
            shares = model(input_ids=torch.tensor([read.ids]), **types).logits[0].softmax(-1)
        return dict(zip(LABELS.values(), shares.tolist(), strict=True))

    task = {"name": "text-pair", "symmetric": symmetric}
    function = functory.build(task=task, backbone=str(tmp_path / "model"), adaptation="fine-tuned", name="theirs")
    again = functory.load(function.save(tmp_path / "function"))
    for a, b in PAIRS:
        wanted, turned = elsewhere(a, b), elsewhere(b, a)
        if symmetric:
            wanted = {label: (share + turned[label]) / 2 for label, share in wanted.items()}
        assert again(a, b).scores == pytest.approx(wanted, abs=1e-5)
        assert again(a, b).label == max(wanted, key=lambda label: wanted[label])
