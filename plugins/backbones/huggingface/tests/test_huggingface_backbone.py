"""Small random models, saved as transformers saves them, read back as backbones."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.running.backbones import forget
from functory_huggingface import HuggingFace, hub
from functory_sdk import (
    ArtefactCorrupt,
    ArtefactUnsafe,
    NotSupported,
    OptionError,
    Reader,
    WeightsMissing,
    open_backbone,
)
from functory_sdk.testing import BackboneSuite, kit, toy

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["We saw the good film, and it was fine.", "One thing after another went wrong.", "价格合理，质量也不错。", "naïve café"]
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "roberta": {**SMALL, "max_position_embeddings": 66},
    "modernbert": {**SMALL, "local_attention": 8, "global_attn_every_n_layers": 2},
    "llama": {**SMALL, "num_key_value_heads": 2, "head_dim": 8},
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_heads": 4, "num_layers": 2, "num_decoder_layers": 3,
           "decoder_start_token_id": 1, "n_positions": 64},
}  # fmt: skip
AUTO = {"t5": transformers.AutoModelForSeq2SeqLM, "llama": transformers.AutoModelForCausalLM}
CONTEXTS = {"bert": 64, "roberta": 64, "modernbert": 64, "llama": 64, "t5": 64}


def write_tokenizer(family: str, folder: Path) -> int:
    """Save a byte-level tokenizer with the family's frame (RoBERTa's ids: <s> 0, <pad> 1, </s> 2); return its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "<pad>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(TEXTS, trainer)
    frames = {"llama": ("<s> $A", "<s> $A <s> $B"), "t5": ("$A </s>", "$A </s> $B </s>")}
    single, pair = frames.get(family, ("<s> $A </s>", "<s> $A </s> $B </s>"))
    raw.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=[("<s>", 0), ("</s>", 2)])
    raw.save(str(folder / "tokenizer.json"))
    named = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    template = "{{ bos_token }}{{ messages[0].content }}"
    (folder / "tokenizer_config.json").write_text(json.dumps({**named, "chat_template": template}))
    return raw.get_vocab_size()


def write_model(family: str, folder: Path, **settings: Any) -> Any:
    """Save a small random model of a family; return it as transformers made it."""
    folder.mkdir(parents=True, exist_ok=True)
    size = write_tokenizer(family, folder)
    torch.manual_seed(7)
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "vocab_size": size}
    positions = {} if family == "t5" else {"max_position_embeddings": 64}
    config = transformers.AutoConfig.for_model(family, **{**positions, **FAMILIES[family]}, **special)
    auto = AUTO.get(family, transformers.AutoModel)
    model = auto.from_config(config, attn_implementation="sdpa").eval()
    model.save_pretrained(folder, **settings)
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# tiny\n")
    return model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a small random model, made once."""
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder(family: str) -> Path:
        if family not in made:
            write_model(family, root / family)
            made[family] = root / family
        return made[family]

    return folder


def backbone(place: Path | str, **options: Any) -> HuggingFace:
    made = HuggingFace.configure(options)
    made.place, made.may_fetch = str(place), True
    return made


class Placed(BackboneSuite):
    """The suite on one family's folder."""

    component = "hf"
    family = ""

    @pytest.fixture(autouse=True)
    def put(self, tiny: Callable[[str], Path]) -> None:
        type(self).place = str(tiny(self.family))


class TestBert(Placed):
    family = "bert"


class TestRoberta(Placed):
    family = "roberta"


class TestModernBert(Placed):
    family = "modernbert"


class TestLlama(Placed):
    family = "llama"


class TestT5(Placed):
    family = "t5"
    drops = True


del Placed


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_gives_the_facts_and_transformers_own_states(family: str, tiny: Callable[[str], Path]) -> None:
    folder = tiny(family)
    found = backbone(folder)
    spec = found.spec
    assert (spec.family, spec.width, spec.layers, spec.pad_id) == (family, 32, 5 if family == "t5" else 2, 1)
    assert (spec.context, spec.licence, spec.reference) == (CONTEXTS[family], "apache-2.0", f"hf:{folder}")
    assert spec.pooling == ("mean" if spec.architecture == "encoder" else "last")
    assert (spec.has_logits, spec.end_ids) == ((False, ()) if spec.architecture == "encoder" else (True, (2,)))
    row = Reader(found.tokenizer, spec).read([TEXTS[0]])[0].windows[0].row
    batch = {name: torch.from_numpy(values)[None] for name, values in row.items()}
    auto = AUTO.get(family, transformers.AutoModel)
    theirs = auto.from_pretrained(folder)
    with torch.no_grad():
        hidden = found.network.hidden(batch)
        if spec.has_logits:
            torch.testing.assert_close(found.network.logits(hidden), theirs(**batch).logits, atol=1e-5, rtol=1e-5)
        else:
            torch.testing.assert_close(hidden, theirs(**batch).last_hidden_state, atol=1e-5, rtol=1e-5)


def test_loading_says_nothing(tiny: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert backbone(tiny("bert")).network is not None
    assert capfd.readouterr() == ("", "")


def test_shards_are_read_and_every_one_is_hashed(tmp_path: Path) -> None:
    write_model("llama", tmp_path, max_shard_size="20KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert backbone(tmp_path).network.points == 4
    first = backbone(tmp_path).spec.weights_hash
    data = bytearray(shards[-1].read_bytes())
    data[-1] ^= 1
    shards[-1].write_bytes(bytes(data))
    assert backbone(tmp_path).spec.weights_hash != first
    shards[0].unlink()
    with pytest.raises(ArtefactCorrupt, match=r"shard model-00001-of-.* is missing"):
        backbone(tmp_path).locate()


def test_a_shard_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')
    with pytest.raises(ArtefactUnsafe, match=r"'\.\./other\.safetensors'"):
        backbone(tmp_path).locate()


def test_a_pickle_is_refused_with_the_way_out(tmp_path: Path) -> None:
    write_model("bert", tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ArtefactUnsafe, match=r"(?s)pickle, pytorch_model\.bin.*save_pretrained"):
        backbone(tmp_path).locate()


def test_a_missing_tokenizer_is_named_with_the_line_that_makes_it(tmp_path: Path) -> None:
    write_model("bert", tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(WeightsMissing, match=r"(?s)no tokenizer\.json.*AutoTokenizer"):
        _ = backbone(tmp_path).spec


def test_an_unknown_family_is_named_with_those_that_are_known(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    shutil.copytree(tiny("bert"), tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    (tmp_path / "other/config.json").write_text(json.dumps({**config, "model_type": "bloom"}))
    with pytest.raises(NotSupported, match=r"(?s)family 'bloom'.*modernbert"):
        _ = backbone(tmp_path / "other").network


def test_weights_that_do_not_fit_the_configuration_are_refused(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    shutil.copytree(tiny("bert"), tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    (tmp_path / "other/config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ArtefactCorrupt, match=r"missing or of another shape, 'encoder\.layer\.2"):
        _ = backbone(tmp_path / "other").network


def test_options_choose_pooling_and_prefix(tiny: Callable[[str], Path]) -> None:
    spec = backbone(tiny("bert"), pooling="first", prefix="query: ").spec
    assert (spec.pooling, spec.prefixes) == ("first", {"": "query: "})


def test_the_models_own_prompts_are_its_prefixes_by_role(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    folder = tmp_path / "sentence"
    shutil.copytree(tiny("bert"), folder)
    prompts = {"query": "query: ", "document": "passage: ", "STS": "same: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts, "default_prompt_name": "STS"}))
    spec = backbone(folder, prefixes={"query": "ask: "}).spec
    assert [spec.prefix(role) for role in ("query", "passage", "STS", "", "other")] == [
        "ask: ", "passage: ", "same: ", "same: ", "same: ",
    ]  # fmt: skip
    assert backbone(folder, prefix="").spec.prefix() == ""
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": 1}}')
    with pytest.raises(ArtefactCorrupt, match=r"prompts of config_sentence_transformers\.json are no texts"):
        _ = backbone(folder).spec


@pytest.mark.parametrize(
    ("modules", "config", "found"),
    [
        (["Transformer", "Pooling", "Normalize"], {"pooling_mode_cls_token": True}, ("first", True)),
        (["Transformer", "Pooling"], {"pooling_mode": "lasttoken"}, ("last", False)),
        (["Transformer", "Pooling", "Dense", "Normalize"], {"pooling_mode_lasttoken": True}, ("last", False)),
        (["Transformer", "Pooling", "Normalize"], {"pooling_mode_max_tokens": True}, ("mean", False)),
        (["Transformer", "Pooling"], {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, ("mean", False)),
        (["Transformer"], {}, ("mean", False)),
    ],
)
def test_the_models_own_pooling_and_normalisation_are_read(
    modules: list[str], config: dict[str, Any], found: tuple[str, bool], tmp_path: Path, tiny: Callable[[str], Path]
) -> None:
    folder = tmp_path / "sentence"
    shutil.copytree(tiny("bert"), folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps(config))
    listed = [{"type": f"sentence_transformers.models.{name}", "path": f"{n}_{name}"} for n, name in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed))
    spec = backbone(folder).spec
    assert (spec.pooling, spec.is_normalised) == found
    chosen = backbone(folder, pooling="mean", is_normalised=True).spec
    assert (chosen.pooling, chosen.is_normalised) == ("mean", True)
    assert backbone(folder, pooling="mean").spec.is_normalised is False, "its normalisation was of another vector"


def test_modules_that_cannot_be_read_are_named(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    shutil.copytree(tiny("bert"), tmp_path / "other")
    (tmp_path / "other/modules.json").write_text('{"0": "Transformer"}')
    with pytest.raises(ArtefactCorrupt, match=r"modules\.json is no list of modules"):
        _ = backbone(tmp_path / "other").spec


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def snapshot(tmp_path: Path, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds one model, and a hub that cannot be reached."""
    from huggingface_hub import constants

    repository = tmp_path / "hub/models--acme--tiny"
    shutil.copytree(tiny("bert"), repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return repository / "snapshots" / COMMIT


def test_a_cached_snapshot_is_used_offline_and_its_commit_recorded(snapshot: Path) -> None:
    found = backbone("acme/tiny")
    assert found.locate() == snapshot
    with pytest.warns(UserWarning, match=rf"without a revision.*hf:acme/tiny@{COMMIT}"):
        spec = found.spec
    assert (spec.reference, spec.revision) == (f"hf:acme/tiny@{COMMIT}", COMMIT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = backbone(f"acme/tiny@{COMMIT}").spec
    assert again == spec


def test_a_model_that_is_nowhere_is_answered_with_what_to_do(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsMissing, match=r"(?s)acme/other@v1.*HF_HUB_OFFLINE.*hf download acme/other --revision v1"):
        backbone("acme/other@v1").locate()
    from huggingface_hub import constants, errors

    def unreachable(*args: Any, **kwargs: Any) -> str:
        raise errors.LocalEntryNotFoundError("cannot reach the hub")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(WeightsMissing, match=r"(?s)the hub did not give it.*hf download acme/other"):
        _ = backbone("acme/other").spec


def test_a_fetch_asks_for_safetensors_and_json_alone(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    asked: dict[str, Any] = {}

    def download(name: str, **kwargs: Any) -> str:
        asked.update(kwargs, name=name)
        return str(snapshot)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert backbone("acme/fresh@v2").spec.reference == f"hf:acme/fresh@{COMMIT}"
    assert (asked["name"], asked["revision"]) == ("acme/fresh", "v2")
    assert not [pattern for pattern in asked["allow_patterns"] if pattern.endswith((".bin", ".py"))]


def test_a_broken_off_fetch_counts_as_none(snapshot: Path) -> None:
    (snapshot / "model.safetensors").unlink()
    assert hub.cached(hub.HubId("acme/tiny")) is None


def test_a_fetched_file_that_is_damaged_is_told_with_the_line_that_fetches_it_anew(snapshot: Path) -> None:
    file = snapshot / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ArtefactCorrupt, match=r"(?s)is cut off.*hf download acme/tiny --force-download"):
        backbone("acme/tiny").locate()


@pytest.mark.parametrize("place", ["a/b/c", "@main", "acme/", "acme/../tiny"])
def test_what_is_no_hub_id_is_said_so(place: str) -> None:
    with pytest.raises(OptionError, match="is no model"):
        backbone(place).locate()


def train_again(folder: Path) -> None:
    """Write other weights over a model's own, as one does who trains it further and saves it again."""
    from safetensors.torch import load, save

    file = folder / "model.safetensors"
    tensors = {name: value + 0.5 * torch.randn_like(value) for name, value in load(file.read_bytes()).items()}
    with file.open("r+b") as opened:  # the same file: who has it mapped sees it change
        opened.write(save(tensors, {"format": "pt"}))


def read_by(backbone: Any) -> Any:
    ids = torch.arange(3, 9)[None]
    with torch.no_grad():
        return backbone.network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def test_a_folder_that_was_trained_again_is_opened_again_and_the_function_on_the_old_one_stays(tmp_path: Path) -> None:
    write_model("roberta", tmp_path / "model")
    before = open_backbone(str(tmp_path / "model"))
    assert open_backbone(str(tmp_path / "model")) is before
    said, kept = read_by(before), before.network.made_of
    train_again(tmp_path / "model")
    after = open_backbone(str(tmp_path / "model"))
    assert after is not before
    assert after.spec.weights_hash != before.spec.weights_hash
    assert after.network.made_of != kept
    assert torch.equal(read_by(before), said), "a network that is alive changed with its file"
    assert not torch.allclose(read_by(after), said)
    assert torch.equal(read_by(after), read_by(backbone(tmp_path / "model")))


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_facts_and_weights_of_two_states_of_a_folder_never_mix(tmp_path: Path, file: str) -> None:
    write_model("roberta", tmp_path / "model")
    opened = open_backbone(str(tmp_path / "model"))
    assert opened.spec.weights_hash
    content = (tmp_path / "model" / file).read_bytes()
    content = content + b" " if file.endswith("json") else content[:-1] + bytes([content[-1] ^ 1])
    (tmp_path / "model" / file).write_bytes(content)
    with pytest.raises(ArtefactCorrupt, match="changed while they were read"):
        _ = opened.network


def test_other_facts_of_the_same_weights_are_another_backbone(tmp_path: Path) -> None:
    write_model("roberta", tmp_path / "model")
    before = open_backbone(str(tmp_path / "model"))
    before_weights, made_of = before.network.blocks[0].attention.self.query.weight, before.network.made_of
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "layer_norm_eps": 0.1}))
    after = open_backbone(str(tmp_path / "model"))
    assert after is not before
    assert torch.equal(after.network.blocks[0].attention.self.query.weight, before_weights)
    assert after.network.made_of != made_of


def test_a_relative_place_stays_the_one_that_it_was_when_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("roberta", tmp_path / "here" / "model")
    write_model("llama", tmp_path / "there" / "model")
    monkeypatch.chdir(tmp_path / "here")
    opened = open_backbone("./model")
    monkeypatch.chdir(tmp_path / "there")
    assert opened.network.spec.family == "roberta"
    assert open_backbone("./model").spec.family == "llama"


def test_two_builds_from_a_folder_each_have_the_body_of_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("roberta", tmp_path / "model")

    def built(cache: str) -> Any:
        monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / cache))
        return functory.build(
            task="toy", train=toy.rows(48), backbone=str(tmp_path / "model"), adaptation="toy-head", seed=1
        )

    with kit():
        first = built("cache")
        said = first("a good film").scores
        train_again(tmp_path / "model")
        second = built("cache")
        forget(HuggingFace)  # as in a process and with a cache that never saw the folder before
        alone = built("empty")
        assert second("a good film").scores == alone("a good film").scores
        assert second("a good film").scores != said
        assert first("a good film").scores == said
        second.save(tmp_path / "second")
        assert functory.load(tmp_path / "second")("a good film").scores == alone("a good film").scores
        with pytest.raises(ArtefactCorrupt, match="fitted to"):
            functory.load(first.save(tmp_path / "first"))
