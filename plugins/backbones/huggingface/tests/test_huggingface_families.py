"""Families in folders as they come: older names and buffers, two plugins that bring one, one that is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.errors import AmbiguousComponent, PluginImportError
from functory.plugins import registry
from functory_huggingface import HuggingFace
from functory_sdk import NotSupported
from functory_sdk.testing import TinyEncoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a stranger's distribution, acme-NAME, whose module says what a family is."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def add(family: str, source: str) -> None:
        name = f"acme_{family}"
        metadata = tmp_path / "site" / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            f"[functory.contract]\n1 = functory_sdk:CONTRACT\n[functory.families]\n{family} = {name}:Rival\n"
        )
        (tmp_path / "site" / f"{name}.py").write_text(source)
        registry.refresh()

    yield add
    monkeypatch.undo()
    registry.refresh()


def saved(folder: Path, **config: Any) -> Path:
    """Save a small BERT with a tokenizer, some of whose configuration is other."""
    folder.mkdir(exist_ok=True)
    tiny = TinyEncoder()
    about = transformers.BertConfig(
        vocab_size=tiny.spec.vocabulary, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(about, add_pooling_layer=False).save_pretrained(folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**told, **config}))
    (folder / "tokenizer.json").write_text(tiny.tokenizer.json)
    return folder


def backbone(place: Path, **options: Any) -> HuggingFace:
    made = HuggingFace.configure(options)
    made.place = str(place)
    return made


def test_two_plugins_that_bring_one_family_are_both_named_and_the_option_says_which(
    tmp_path: Path, plugin: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "model")
    plugin("bert", "from functory_sdk.families.bert import Bert\nclass Rival(Bert):\n    'Another.'\n")
    with pytest.raises(AmbiguousComponent, match="(?s)acme-bert.*functory-sdk") as caught:
        _ = backbone(folder).spec
    assert "acme-bert:bert" in str(caught.value)
    assert "config.json" in caught.value.where
    ours = {"name": str(folder), "family": "functory-sdk:bert"}
    rows = [{"text": word, "label": word} for word in ("good", "bad")] * 8
    made = functory.build(task="text-classification", train=rows, backbone=ours, adaptation="head")
    made.save(tmp_path / "made")
    assert functory.load(tmp_path / "made")("good").label == made("good").label
    theirs = backbone(folder, family="acme-bert:bert")
    assert theirs.spec.family == "acme-bert:bert"
    assert len(theirs.network.blocks) == 1


def test_a_broken_family_is_told_with_its_plugin_and_harms_no_other(tmp_path: Path, plugin: Callable[[str, str], None]) -> None:
    folder = saved(tmp_path / "model", model_type="wobble")
    with pytest.raises(NotSupported, match="is of the family 'wobble'"):
        _ = backbone(folder).spec
    plugin("wobble", "import no_such_module_anywhere\n")
    with pytest.raises(PluginImportError, match=r"(?s)acme-wobble 1\.0 \(family 'wobble'\).*no_such_module_anywhere"):
        _ = backbone(folder).spec
    assert backbone(saved(tmp_path / "other")).spec.family == "bert"


def test_gpt2_as_the_hub_has_it_is_read_without_the_names_and_masks_of_old(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    tiny = TinyEncoder()
    config = transformers.GPT2Config(vocab_size=tiny.spec.vocabulary, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    model = transformers.GPT2LMHeadModel(config).eval()
    state = {name.removeprefix("transformer."): tensor.clone() for name, tensor in model.state_dict().items()}
    del state["lm_head.weight"]
    state |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril() for layer in range(2)}
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps({**config.to_dict(), "architectures": ["GPT2LMHeadModel"]}))
    (tmp_path / "tokenizer.json").write_text(tiny.tokenizer.json)
    made = backbone(tmp_path)
    assert (made.spec.architecture, made.spec.width, made.spec.context, made.spec.has_logits) == ("decoder", 32, 64, True)
    ids = torch.arange(5, 14)[None]
    with torch.no_grad():
        ours = made.network.logits(made.network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)}))
        torch.testing.assert_close(ours, model(input_ids=ids).logits, atol=1e-5, rtol=1e-5)


def test_bert_as_the_hub_has_it_is_read_by_the_old_names_of_its_norms_and_with_a_head_beside(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    folder = saved(tmp_path / "model")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    old = {f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
           for name, tensor in model.state_dict().items()}  # fmt: skip
    old |= {"bert.embeddings.position_ids": torch.arange(64)[None], "cls.predictions.bias": torch.zeros(9)}
    save_file({name: tensor.clone() for name, tensor in old.items()}, folder / "model.safetensors", {"format": "pt"})
    made = backbone(folder)
    assert not any(type(module).__module__.startswith("transformers") for module in made.network.modules())
    ids = torch.arange(5, 14)[None]
    with torch.no_grad():
        ours = made.network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        torch.testing.assert_close(ours, model(input_ids=ids).last_hidden_state, atol=1e-5, rtol=1e-5)


def test_what_a_checkpoint_keeps_beside_its_layers_is_told(tmp_path: Path) -> None:
    tiny = TinyEncoder()
    config = transformers.RobertaConfig(
        vocab_size=tiny.spec.vocabulary, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=66, pad_token_id=1,
    )  # fmt: skip
    transformers.RobertaForMaskedLM(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tiny.tokenizer.json)
    (tmp_path / "tokenizer_config.json").write_text('{"mask_token": {"content": "[MASK]"}}')
    (tmp_path / "README.md").write_text("---\nlicense: mit\nlanguage: [en, zh]\n---\n")
    spec = backbone(tmp_path).spec
    assert (spec.has_masked_logits, spec.mask_id) == (True, tiny.tokenizer.id("[MASK]"))
    assert (spec.languages, spec.licence, spec.context) == (("en", "zh"), "mit", 64)
    assert spec.parameters > sum(one.numel() for one in transformers.RobertaModel(config, add_pooling_layer=False).parameters())
    assert backbone(saved(tmp_path / "bare")).spec.has_masked_logits is False
