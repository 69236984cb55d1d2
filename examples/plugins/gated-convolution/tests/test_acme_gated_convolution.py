"""The family keeps its contract, and a model of it is a backbone: built on, trained, saved and loaded."""

import json
from pathlib import Path

import pytest

import functory
from functory_sdk import ArtefactCorrupt, open_backbone
from functory_sdk.testing import FamilySuite, Project, TinyEncoder

CONFIG = {"vocab_size": 60, "channels": 16, "depth": 2, "kernel": 3, "max_position_embeddings": 64, "pad_token_id": 0}


class TestGatedConvolution(FamilySuite):
    component = "gated-convolution"
    config = CONFIG


def model_in(folder: Path) -> Path:
    """Save a small random model with a tokenizer, as whoever trained one would."""
    import torch
    from safetensors.torch import save_file

    from acme_gated_convolution.stack import Encoder

    folder.mkdir()
    tokenizer = TinyEncoder().tokenizer
    config = {**CONFIG, "vocab_size": TinyEncoder().spec.vocabulary}
    torch.manual_seed(0)
    save_file(Encoder(config["vocab_size"], 16, 2, 3).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "gated-convolution", **config}))
    (folder / "tokenizer.json").write_text(tokenizer.json)
    return folder


def test_a_function_is_built_on_it_and_comes_back(project: Project) -> None:
    pytest.importorskip("torch")
    folder = model_in(project.folder / "model")
    train = [{"text": f"the film was {word}", "label": word} for word in ("good", "bad")] * 8
    adaptation = {"name": "full", "epochs": 10, "learning_rate": 1e-2}
    made = functory.build(task="text-classification", train=train, backbone=str(folder), adaptation=adaptation)
    assert [made(f"the film was {word}").label for word in ("good", "bad")] == ["good", "bad"]
    made.save("made")
    again = functory.load("made")
    assert again("the film was good").scores == pytest.approx(made("the film was good").scores, abs=1e-6)


def test_weights_that_do_not_fit_are_told_as_those_of_any_family(project: Project) -> None:
    pytest.importorskip("torch")
    folder = model_in(project.folder / "model")
    config = json.loads((folder / "config.json").read_text())
    for changed, message in (
        ({"kernel": 5}, r"'layers\.0\.mix\.weight' first: 32×16×3 where config.json says 32×16×5"),
        ({"depth": 3}, r"missing or of another shape, 'layers\.2"),
        ({"depth": 10**9}, "a model of 1,000,000,000 layers; the weights hold 2"),
        ({"kernel": "wide"}, "the family 'gated-convolution' cannot make the model"),
    ):
        (folder / "config.json").write_text(json.dumps({**config, **changed}))
        with pytest.raises(ArtefactCorrupt, match=message):
            _ = open_backbone(str(folder)).network
