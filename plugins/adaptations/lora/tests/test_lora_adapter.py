"""An adapter that PEFT trained becomes a function: the same numbers, without training data, without its folder later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import ArtefactCorrupt, ArtefactUnsafe, NotSupported, OptionError, WeightsMissing
from functory_sdk.testing import AdaptationSuite
from functory_sdk.testing.toy import rows

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")
TEXTS = ["we saw the good film", "bad", "it was a very fine day and a poor night in the rain"]
MAPS = tuple(f"layers.{layer}.attention.self.{name}" for layer in range(3) for name in ("query", "value"))


class TestAdapter(AdaptationSuite):
    component = "peft"
    backbones = ("tiny-encoder",)
    options = {"rank": 4, "alpha": 8.0, "modules": MAPS, "ranks": {MAPS[0]: 2}, "has_head": True}


@pytest.fixture(scope="module")
def trained() -> Callable[[str], Any]:
    """Return a toy function with felt updates on a tiny backbone, made once."""
    made: dict[str, Any] = {}

    def function(backbone: str) -> Any:
        if backbone not in made:
            lora = {"name": "lora", "rank": 4, "alpha": 6.0, "epochs": 2, "learning_rate": 2e-2, "layers": 2}
            made[backbone] = functory.build(
                task="toy", train=rows(48), backbone=backbone, adaptation=lora, name="toy", report=False
            )
        return made[backbone]

    return function


@pytest.fixture
def adapter(trained: Callable[[str], Any], tmp_path: Path) -> Path:
    """The toy function's adapter."""
    trained("tiny-encoder").package(target=tmp_path / "adapter", method="peft")
    return tmp_path / "adapter"


def brought(folder: Path, backbone: str = "tiny-encoder", task: Any = "toy", **options: Any) -> Any:
    adaptation = {"name": "peft", "path": str(folder), **options}
    return functory.build(task=task, backbone=backbone, adaptation=adaptation, name="toy")


@pytest.mark.parametrize("backbone", ["tiny-encoder", "tiny-decoder"])
def test_out_and_in_again_is_the_same_function_and_its_folder_is_needed_no_more(
    backbone: str, trained: Callable[[str], Any], tmp_path: Path
) -> None:
    before = trained(backbone)
    before.package(target=tmp_path / "adapter", method="peft")
    function = brought(tmp_path / "adapter", backbone)
    assert [function(text).scores for text in TEXTS] == [before(text).scores for text in TEXTS]
    assert function.form.adaptation.cut(function.form.spec) == before.form.adaptation.cut(before.form.spec) == 2
    shutil.rmtree(tmp_path / "adapter")
    function.save(tmp_path / "function")
    again = functory.load(tmp_path / "function")
    assert [again(text).scores for text in TEXTS] == [before(text).scores for text in TEXTS]
    assert "path" not in again.form.adaptation.options.model_fields_set
    again.package(target=tmp_path / "twice", method="peft")
    assert brought(tmp_path / "twice", backbone)(TEXTS[0]).scores == before(TEXTS[0]).scores


def test_what_peft_wrote_for_a_model_with_another_head_is_read_by_its_layers_names(
    tmp_path: Path, transformers_model: Callable[[str], Any]
) -> None:
    """Ranks and alphas of their own, rank-stabilised; a zero-shot function, since no head came with it."""
    from peft import LoraConfig, get_peft_model

    model = transformers_model("tiny-decoder")
    config = LoraConfig(
        r=4, lora_alpha=3, target_modules=["q_proj", "down_proj"], use_rslora=True, task_type="CAUSAL_LM",
        rank_pattern={"layers.0.self_attn.q_proj": 2}, alpha_pattern={"down_proj": 5}, init_lora_weights=False,
    )  # fmt: skip
    theirs = get_peft_model(model, config).eval()
    theirs.save_pretrained(tmp_path / "adapter")
    function = brought(tmp_path / "adapter", "tiny-decoder", {"name": "text-generation", "max_new_tokens": 4})
    ids = torch.tensor([[5, 9, 33, 70, 12]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    network = function.form.program.model.network
    with torch.no_grad():
        torch.testing.assert_close(network.logits(network.hidden(batch)), theirs(**batch).logits, atol=1e-5, rtol=1e-5)
        with theirs.disable_adapter():
            assert (theirs(**batch).logits - network.logits(network.hidden(batch))).abs().max() > 1e-2
    function.save(tmp_path / "function")
    assert functory.load(tmp_path / "function")("we saw").text == function("we saw").text


def changed(folder: Path, **config: Any) -> Path:
    """Change an adapter's configuration."""
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return folder


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"peft_type": "LOHA"}, "the method LOHA; plain LoRA"),
        ({"peft_type": "PREFIX_TUNING"}, "the method PREFIX_TUNING"),
        ({"use_dora": True}, "LoRA with use_dora"),
        ({"bias": "all"}, "LoRA with bias = 'all'"),
        ({"lora_bias": True}, "LoRA with lora_bias"),
        ({"target_parameters": ["experts.weight"]}, "LoRA with target_parameters"),
        ({"layer_replication": [[0, 2], [1, 3]]}, "LoRA with layer_replication"),
        ({"trainable_token_indices": {"embed_tokens": [3]}}, "LoRA with trainable_token_indices"),
        ({"megatron_config": {"x": 1}}, "LoRA with megatron_config"),
        ({"what_comes_next_year": 0.5}, "LoRA with what_comes_next_year"),
    ],
)
def test_another_method_is_refused_by_its_name(config: dict[str, Any], named: str, adapter: Path) -> None:
    with pytest.raises(NotSupported, match=rf"(?s){named}.*merge_and_unload"):
        brought(changed(adapter, **config))


@pytest.mark.parametrize(
    "config",
    [
        {"what_comes_next_year": False, "eva_config": {"rho": 2.0}, "modules_to_save": None, "bias": None},
        {"init_lora_weights": "eva", "peft_version": "9.9", "exclude_modules": ["x"]},
        {"init_lora_weights": None},
    ],
)
def test_keys_that_say_nothing_about_what_is_computed_are_passed_over(
    config: dict[str, Any], adapter: Path, trained: Callable[[str], Any]
) -> None:
    assert brought(changed(adapter, **config))(TEXTS[0]).scores == trained("tiny-encoder")(TEXTS[0]).scores


@pytest.mark.parametrize("start", ["pissa_niter_4", "corda", "lora_ga", "loftq", "what comes next year"])
def test_a_base_that_was_changed_by_what_nobody_kept_is_refused_with_the_way_out(start: str, adapter: Path) -> None:
    with pytest.raises(NotSupported, match=rf"(?s)init_lora_weights = '{start}'.*path_initial_model_for_weight_conversion"):
        brought(changed(adapter, init_lora_weights=start))


@pytest.mark.parametrize("stabilised", [False, True])
@pytest.mark.parametrize("start", ["pissa", "olora"])
def test_what_was_taken_out_of_the_base_before_training_is_given_back_as_peft_does(
    start: str, stabilised: bool, tmp_path: Path, transformers_model: Callable[[str], Any]
) -> None:
    from peft import LoraConfig, PeftModel, get_peft_model

    config = LoraConfig(
        r=4, lora_alpha=6, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM", init_lora_weights=start,
        use_rslora=stabilised, rank_pattern={} if stabilised else {"layers.1.self_attn.q_proj": 2},
    )  # fmt: skip
    model = get_peft_model(transformers_model("tiny-decoder"), config)
    model.save_pretrained(tmp_path / "before")
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(tmp_path / "adapter")
    theirs = PeftModel.from_pretrained(transformers_model("tiny-decoder"), tmp_path / "adapter").eval()
    model.save_pretrained(tmp_path / "converted", path_initial_model_for_weight_conversion=str(tmp_path / "before"))
    ids = torch.tensor([[5, 9, 33, 70, 12]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        wanted = theirs(**batch).logits
        bare = transformers_model("tiny-decoder")(**batch).logits
        for adapter in ("adapter", "converted"):
            function = brought(tmp_path / adapter, "tiny-decoder", {"name": "text-generation", "max_new_tokens": 4})
            function.save(tmp_path / "function")
            network = functory.load(tmp_path / "function").form.program.model.network
            ours = network.logits(network.hidden(batch))
            torch.testing.assert_close(ours, wanted, atol=2e-4, rtol=1e-4)
            assert any(f"what {start} took out" in note for note in function.about.notes) == (adapter == "adapter")
            shutil.rmtree(tmp_path / "function")
    assert (wanted - bare).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"r": 5}, r"has the rank 4; adapter_config\.json says 5"),
        ({"lora_alpha": "sixteen"}, "lora_alpha = 'sixteen', no number"),
        ({"r": None}, "r = None, no number"),
        ({"rank_pattern": ["x"]}, r"rank_pattern = \['x'\], no object"),
        ({"alpha_pattern": {"query": [1]}}, r"alpha_pattern\['query'\] = \[1\], no number"),
    ],
)
def test_numbers_of_a_configuration_that_are_none_or_others_are_told(
    config: dict[str, Any], message: str, adapter: Path
) -> None:
    with pytest.raises(ArtefactCorrupt, match=message):
        brought(changed(adapter, **config))


def test_a_pickle_is_refused_with_the_way_out(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(ArtefactUnsafe, match=r"(?s)pickle, adapter_model\.bin.*save_pretrained"):
        brought(adapter)


def test_a_tokenizer_of_its_own_must_read_as_the_backbones(adapter: Path) -> None:
    from tokenizers import Tokenizer as Raw

    from functory_sdk.testing import TinyEncoder

    raw = Raw.from_str(TinyEncoder().tokenizer.json)
    raw.save(str(adapter / "tokenizer.json"))
    (adapter / "chat_template.jinja").write_text("{{ messages }}")
    notes = brought(adapter).about.notes
    assert any("chat template of its own" in note for note in notes)
    assert any("[CLS], [MASK]" in note and "no tokens as transformers reads them" in note for note in notes)
    (adapter / "chat_template.jinja").unlink()
    raw.add_special_tokens(["[E1]"])
    raw.save(str(adapter / "tokenizer.json"))
    with pytest.raises(NotSupported, match=r"(?s)tokenizer reads '\[E1\]' as \['\[E1\]'\], .* as \['\[', 'e'.*merge_and_unload"):
        brought(adapter)


def test_another_base_is_refused_with_both_named(adapter: Path) -> None:
    with pytest.raises(NotSupported, match=r"(?s)fitted to weights .* \(tiny-encoder\); backbone 'tiny-decoder' has"):
        brought(adapter, "tiny-decoder")
    (adapter / "functory.json").unlink()
    (adapter / "head.safetensors").unlink()
    with pytest.raises(NotSupported, match=r"(?s)encoder\.layer\.1\.attention.*no low-rank update of a map"):
        brought(adapter, "tiny-decoder")
    wide = {"name": "tiny-encoder", "width": 64}
    with pytest.raises(NotSupported, match=r"(?s)is 32×4 times 4×32; the map of the backbone is 64×64"):
        functory.build(task="toy", backbone=wide, adaptation={"name": "peft", "path": str(adapter)})


def test_a_damaged_adapter_is_named_with_what_it_lacks(adapter: Path) -> None:
    from safetensors.numpy import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    gone = next(name for name in sorted(tensors) if "lora_B" in name)
    save_file({name: array for name, array in tensors.items() if name != gone}, file)
    with pytest.raises(ArtefactCorrupt, match="lacks lora_B"):
        brought(adapter)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ArtefactCorrupt, match="is cut off"):
        brought(adapter)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("adapter_model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        ("adapter_model.safetensors", b"", "is empty"),
        ("adapter_model.safetensors", b"<html>", "is a web page"),
        ("head.safetensors", b"<html>", "is a web page"),
        ("adapter_config.json", b"<html>", "is a web page"),
        ("adapter_config.json", b"[" * 100_000, "is no JSON"),
        ("functory.json", b'{"backbone": 3}', "has a 'backbone' that is no object"),
        ("functory.json", b'{"task": {"name": 3}}', "the adapter's head does '3'"),
    ],
)
def test_a_file_that_is_something_else_is_told_as_what_it_is(file: str, content: bytes, message: str, adapter: Path) -> None:
    (adapter / file).write_bytes(content)
    with pytest.raises(functory.errors.FunctoryError, match=message) as caught:
        brought(adapter)
    assert caught.value.where == str(adapter / file)
    assert caught.value.do


def test_updates_that_hold_no_numbers_are_told(adapter: Path) -> None:
    from safetensors.numpy import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    for change, message in ((lambda array: array * float("nan"), "holds what is no number"), (lambda array: array[0], "1 axes")):
        first = min(tensors)
        save_file({**tensors, first: change(tensors[first])}, file)
        with pytest.raises(ArtefactCorrupt, match=message):
            brought(adapter)


def test_a_head_serves_its_own_task_alone(adapter: Path) -> None:
    with pytest.raises(
        NotSupported, match=r"(?s)head does 'toy'; the task is 'text-classification'.*head\.safetensors"
    ):
        brought(adapter, task="text-classification")


def test_training_data_are_refused_and_test_data_measured(adapter: Path, trained: Callable[[str], Any]) -> None:
    adaptation = {"name": "peft", "path": str(adapter)}
    with pytest.raises(functory.errors.RecipeError, match=r"(?s)brings what was learned elsewhere.*leave train out"):
        functory.build(task="toy", train=rows(8), backbone="tiny-encoder", adaptation=adaptation)
    report = functory.build(task="toy", test=rows(40, seed=5), backbone="tiny-encoder", adaptation=adaptation).report
    assert report.metrics["accuracy"] == trained("tiny-encoder").evaluate(rows(40, seed=5)).metrics["accuracy"]


def test_no_adapter_is_answered_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"(?s)which adapter.*adaptation\.path"):
        functory.build(task="toy", backbone="tiny-encoder", adaptation="peft")
    with pytest.raises(WeightsMissing, match=r"(?s)no adapter: adapter_config\.json.*hf download"):
        brought(tmp_path)


def test_an_adapter_of_a_function_that_learned_to_write_writes_the_same(tmp_path: Path) -> None:
    task = {"name": "text-generation", "max_new_tokens": 8}
    learned = [{"text": f"film {number}", "reference": "<film>"} for number in range(16)]
    lora = {"name": "lora", "epochs": 5, "learning_rate": 2e-2}
    taught = functory.build(task=task, train=learned, backbone="tiny-decoder", adaptation=lora, report=False)
    taught.package(target=tmp_path / "adapter", method="peft")
    again = brought(tmp_path / "adapter", "tiny-decoder", task)
    plain = functory.build(task=task, backbone="tiny-decoder")
    assert again("film 3") == taught("film 3") != plain("film 3")
