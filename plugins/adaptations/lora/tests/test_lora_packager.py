"""What is written is a PEFT adapter: PEFT loads it, and gives what the function gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_lora import PEFT
from functory_sdk import ArtefactError, NotSupported, open_backbone
from functory_sdk.testing import PackagerSuite
from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import toy_function

torch = pytest.importorskip("torch")
TEXTS = ["we saw the good film", "bad", "it was a very fine day and a poor night in the rain"]


def lora(backbone: str, **options: Any) -> Any:  # Any: a Function
    """Return a toy function with low-rank updates that are felt."""
    adaptation = {"name": "lora", "rank": 4, "epochs": 2, "learning_rate": 2e-2, **options}
    return functory.build(
        task="toy", train=rows(48), backbone=backbone, adaptation=adaptation, name="toy", report=False
    )


class TestPEFT(PackagerSuite):
    component = "peft"

    def artefact(self, folder: Path) -> Path:
        return lora("tiny-encoder").save(folder / "function")

    @pytest.mark.parametrize("backbone", ["tiny-encoder", "tiny-decoder"])
    def test_peft_gives_the_functions_hidden_states_and_scores(
        self, backbone: str, tmp_path: Path, transformers_model: Callable[[str], Any]
    ) -> None:
        from peft import PeftModel
        from safetensors.torch import load_file

        function = lora(backbone, targets="attention" if backbone == "tiny-decoder" else "all-linear")
        self.configured().package(function.save(tmp_path / "function"), "my-toy", tmp_path / "adapter")
        theirs = PeftModel.from_pretrained(transformers_model(backbone), str(tmp_path / "adapter")).eval()
        head = load_file(tmp_path / "adapter/head.safetensors")
        about = json.loads((tmp_path / "adapter/functory.json").read_text())
        for text in TEXTS:
            [row] = function.form.formulation.encode([function.read(text)], function.reader, function.state).rows
            batch = {name: torch.from_numpy(values)[None] for name, values in row.items()}
            with torch.no_grad():
                hidden = theirs(**batch, output_hidden_states=True).hidden_states[-1]  # (1, tokens, width)
                ours = function.form.program.model.network.hidden(batch)
                scores = (hidden.mean(1) @ head["linear.weight"].T + head["linear.bias"]).softmax(-1)[0]
                plain = open_backbone(backbone).network.hidden(batch)
            torch.testing.assert_close(hidden, ours, atol=1e-5, rtol=1e-5)
            assert (hidden - plain).abs().max() > 1e-2
            given = [function(text).scores[label] for label in about["state"]["labels"]]
            torch.testing.assert_close(scores, torch.tensor(given), atol=1e-5, rtol=1e-5)

    def test_a_function_without_updates_is_told_how_to_get_some(self, tmp_path: Path) -> None:
        folder = toy_function().save(tmp_path / "function")
        with pytest.raises(
            NotSupported, match=r"(?s)is 'toy-head'; a PEFT adapter.*where: .*function.*adaptation = 'lora'"
        ):
            self.configured().package(folder, "my-toy", tmp_path / "adapter")
        assert not (tmp_path / "adapter").exists()

    def test_a_folder_with_other_things_is_left_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("mine")
        with pytest.raises(ArtefactError, match=r"(?s)no adapter, README\.md.*--output adapter"):
            PEFT().package(tmp_path, "my-toy", tmp_path)
        assert (tmp_path / "README.md").read_text() == "mine"

    def test_the_configuration_says_what_was_built(self, tmp_path: Path) -> None:
        function = lora("tiny-decoder", layers=1, targets=("q_proj",), alpha=6.0)
        PEFT(PEFT.Options(base_model="org/name")).package(function.save(tmp_path / "f"), "my-toy", tmp_path / "adapter")
        config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
        assert config["target_modules"] == ["model.layers.2.self_attn.q_proj"]
        assert (config["r"], config["lora_alpha"], config["task_type"]) == (4, 6, "CAUSAL_LM")
        assert config["base_model_name_or_path"] == "org/name"
        assert "AutoModelForCausalLM.from_pretrained('org/name')" in (tmp_path / "adapter/README.md").read_text()
