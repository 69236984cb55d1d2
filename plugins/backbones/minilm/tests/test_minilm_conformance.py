"""What every backbone owes, and how this one reads a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from functory_minilm import MiniLM
from functory_sdk.testing import BackboneSuite
from functory_sdk.testing.packed import check_named_folder


class TestMiniLM(BackboneSuite):
    component = "minilm"


def copied(place: Path, modules: list[str]) -> Path:
    """Return the model's folder with other modules; its weights are the installed ones."""
    for file in MiniLM().locate().iterdir():
        if file.name != "modules.json":
            (place / file.name).symlink_to(file)
    listed = [{"type": f"sentence_transformers.models.{name}", "path": f"{n}_{name}"} for n, name in enumerate(modules)]
    (place / "modules.json").write_text(json.dumps(listed))
    return place


def test_its_own_pooling_and_normalisation_are_read_and_kept(tmp_path: Path) -> None:
    spec = MiniLM().spec
    assert (spec.pooling, spec.is_normalised) == ("mean", True)
    without = MiniLM.configure({"folder": str(copied(tmp_path, ["Transformer", "Pooling"]))})
    assert (without.spec.pooling, without.spec.is_normalised) == ("mean", False)


def test_a_head_reads_the_mean_of_the_tokens_at_one_length() -> None:
    import torch

    from functory_sdk import load, pad
    from functory_sdk.torch import LinearHead, Model

    class Scores(LinearHead):
        """Two scores."""

        def forward(self, features: Any, batch: Any) -> dict[str, Any]:
            return {"scores": self.scores(features)}

    minilm = load("backbones", "minilm").configure()
    rows = [{"input_ids": tokens.ids, "attention_mask": np.ones(len(tokens.ids), np.int64),
             "token_type_ids": np.zeros(len(tokens.ids), np.int64)}
            for tokens in minilm.tokenizer.tokens(["a cat", "a far longer text of some words"])]  # fmt: skip
    batch = {name: torch.from_numpy(array) for name, array in pad(rows, minilm.spec.ports()).items()}
    with torch.no_grad():
        hidden = minilm.network.hidden(batch)
        read = Model(minilm.network, Scores(minilm.spec, None, 2), minilm.spec.ports(), (), None).features({}, batch)
    for place, row in enumerate(rows):
        mean = hidden[place, : len(row["input_ids"])].mean(0)
        torch.testing.assert_close(read[place], mean / mean.norm() * 384**0.5)


def test_a_folder_that_a_user_names_is_told_what_it_lacks(tmp_path: Path) -> None:
    check_named_folder(MiniLM, "bert", tmp_path)
