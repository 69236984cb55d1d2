"""Opened for inference, updates stand in the maps; what trains, is saved and explained has them beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk.testing import converted
from functory_sdk.testing.toy import rows
from functory_sdk.torch import fold_updates

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
pytestmark = pytest.mark.usefixtures("tiny_kit")

TEXTS = ["a good film", "the night was very bad", "it was"]


@pytest.fixture(scope="module")
def fn() -> Any:
    return functory.build(
        task="text-classification", train=rows(48), backbone="tiny-encoder", name="said", dev_share=0, report=False, seed=1,
        adaptation={"name": "lora", "rank": 4, "epochs": 4, "learning_rate": 0.01, "targets": "attention"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def bare() -> Any:
    """A function with nothing beside its maps."""
    return functory.build(
        task="text-classification", train=rows(48), backbone="tiny-encoder", dev_share=0, report=False,
        adaptation={"name": "head", "hidden": 0},
    )  # fmt: skip


def products(function: Any) -> int:
    """Return how often the files of a form speak of a product of matrices."""
    return sum(file.read_bytes().count(b"MatMul") for file in function.form.folder.rglob("*") if file.suffix in (".onnx", ".xml"))


def updates(model: Any) -> int:
    """Return beside how many maps there are updates."""
    return sum(hasattr(module, "lora_A") for module in model.modules())


def test_a_session_has_the_updates_in_the_maps_and_the_function_beside_them(fn: Any, bare: Any) -> None:
    apart = fn.opened(merged=False)
    assert updates(fn.session.model) == 0 < updates(apart.session.model)
    assert apart.session.model is fn.form.program.model
    for one, other in zip(fn.map(TEXTS), apart.map(TEXTS), strict=True):
        assert one.label == other.label
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
    assert bare.session.model is bare.form.program.model, "what has nothing beside its maps is not copied"


def test_only_the_maps_that_learned_have_numbers_of_their_own(fn: Any) -> None:
    shared = {parameter.data_ptr() for parameter in fn.form.backbone.network.parameters()}
    own = [name for name, one in fn.session.model.network.named_parameters() if one.data_ptr() not in shared]
    beside = [name for name, module in fn.form.program.model.network.named_modules() if hasattr(module, "lora_A")]
    assert sorted(own) == sorted(f"{name}.weight" for name in beside)


def test_it_is_saved_loaded_replayed_explained_and_multiplied_narrowly_as_before(fn: Any, tmp_path: Path) -> None:
    again = functory.load(fn.save(tmp_path / "said"))
    assert list(again.map(TEXTS)) == list(fn.map(TEXTS))
    assert any("lora_A" in name for name in again.form.engine.phi(again.form.program.model))
    assert fn.explain(TEXTS[0], method="gradient-x-input").pieces
    narrow = again.opened(precision="bf16")
    assert updates(narrow.session.model) == 0
    assert narrow(TEXTS[0]).scores == pytest.approx(fn(TEXTS[0]).scores, abs=0.05)


@pytest.mark.filterwarnings("ignore:Already found")
def test_one_update_of_several_counts_where_it_alone_is_at_work() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 3))
    config = peft.LoraConfig(r=2, lora_alpha=6, target_modules=["0"], init_lora_weights=False)
    peft.inject_adapter_in_model(config, net, "one")
    peft.inject_adapter_in_model(config, net, "other")
    net[0].set_adapter("other")
    given = torch.randn(5, 4)
    wanted = net.eval()(given)
    fold_updates(net)
    assert updates(net) == 0
    torch.testing.assert_close(net(given), wanted)


def test_beside_a_map_of_packed_numbers_an_update_stays() -> None:
    class Packed(torch.nn.Linear):
        """Its weights are no plain numbers."""

    net = torch.nn.Sequential(Packed(4, 4), torch.nn.Linear(4, 4))
    peft.inject_adapter_in_model(peft.LoraConfig(r=2, target_modules=["0", "1"], init_lora_weights=False), net)
    given = torch.randn(5, 4)
    wanted = net.eval()(given)
    fold_updates(net)
    assert updates(net) == 1
    torch.testing.assert_close(net(given), wanted)


@pytest.mark.parametrize("kind", [{"use_dora": True}, {"lora_bias": True}])
def test_an_update_that_does_more_than_add_to_the_weights_stays(kind: dict[str, bool]) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 4))
    peft.inject_adapter_in_model(peft.LoraConfig(r=2, target_modules=["0"], init_lora_weights=False, **kind), net)
    given = torch.randn(5, 4)
    wanted = net.eval()(given)
    fold_updates(net)
    assert updates(net) == 1
    torch.testing.assert_close(net(given), wanted)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_converted_form_has_the_updates_in_its_maps(engine: str, fn: Any, bare: Any, tmp_path: Path) -> None:
    made = converted(fn, tmp_path / "merged", engine=engine, precision="fp32")
    for one, other in zip(made.map(TEXTS), fn.map(TEXTS), strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)
    plain = converted(bare, tmp_path / "plain", engine=engine, precision="fp32")
    assert products(made) == products(plain) > 0, "the graph has steps of the updates' own"
