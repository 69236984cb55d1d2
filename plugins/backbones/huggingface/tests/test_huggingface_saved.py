"""Saved functions and their backbones: a folder that moved, and a hub that nobody allowed to be asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.artefact.sealing import write_digest
from functory.cli import main
from functory.running.backbones import forget
from functory.using.packaging import package
from functory_huggingface import HuggingFace
from functory_sdk import ArtefactError, ArtefactUnsafe, UsageError, WeightsMissing
from functory_sdk.testing.toybox import isolated_cache, kit

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXT = "We saw the good film, and it was fine."
ROWS = [{"text": f"{word} number {n}", "label": "yes" if word == "good" else "no"} for n in range(12) for word in ("good", "bad")]


def write_model(folder: Path, seed: int = 7) -> None:
    """Save a small random BERT with a tokenizer of single bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={one: index for index, one in enumerate(["<s>", "<pad>", "</s>", *alphabet])}, merges=[]))
    raw.add_special_tokens(["<s>", "<pad>", "</s>"])
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    raw.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir()
    raw.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<pad>", "cls_token": "<s>", "sep_token": "</s>"}))
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=64,
        vocab_size=raw.get_vocab_size(), pad_token_id=1,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a backbone, another backbone, and a toy function on the first."""
    place = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch, kit():
        patch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path_factory.mktemp("caches") / "cache")))
        write_model(place / "model")
        write_model(place / "other", seed=8)
        built = functory.build(task="toy", train=ROWS, backbone=str(place / "model"), adaptation="toy-head", name="toy")
        built.save(place / "toy")
        yield place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of all of it whose backbone has moved, so that the functions name a folder that is not there."""
    shutil.copytree(made, tmp_path / "all")
    folder = tmp_path / "all"
    (folder / "model").rename(folder / "moved")
    gone = str(made / "model"), str(folder / "model")
    for manifest in folder.rglob("function.json"):
        manifest.write_text(manifest.read_text().replace(*gone))
    for manifest in sorted(folder.rglob("function.json"), key=lambda one: -len(one.parts)):
        reseal(manifest.parent)
    return folder


def reseal(folder: Path, **changes: Any) -> None:
    """Forge a manifest: the hashes of its members, and its digest, fit again."""
    import hashlib

    file = folder / "function.json"
    data = {**json.loads(file.read_text()), **changes}
    for name, member in data["members"].items():
        content = (folder / name).read_bytes()
        member.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    file.write_text(json.dumps(data))
    write_digest(folder)


def test_a_backbone_that_moved_is_taken_from_where_it_lies_now(
    made: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = functory.load(made / "toy")
    with pytest.raises(WeightsMissing, match=r"(?s)there is no folder.*backbone='./folder'.*--backbone ./folder"):
        functory.load(place / "toy")
    moved = str(place / "moved")
    after = functory.load(place / "toy", backbone=moved)
    assert after(TEXT) == before(TEXT)
    assert functory.verify(place / "toy", backbone=moved).name == "toy"
    assert main(["run", str(place / "toy"), TEXT, "--backbone", moved, "--json"]) == 0
    assert main(["verify", str(place / "toy"), "--backbone", moved]) == 0
    capsys.readouterr()
    again = functory.load(after.save(place / "again"))  # it names the new place
    assert again(TEXT) == before(TEXT)


def test_the_parts_of_a_composite_take_it_too(place: Path) -> None:
    pytest.importorskip("acme_alert")
    (place / "moved").rename(place / "here")
    part = functory.build(task="text-classification", train=ROWS, backbone=str(place / "here"), adaptation="head", report=False)
    both = functory.compose("alert", topic=part, polarity=part, options={"topic": "good"})
    folder = both.save(place / "both")
    (place / "here").rename(place / "there")
    forget(HuggingFace)  # as a new process would begin
    with pytest.raises(WeightsMissing):
        functory.load(folder)
    assert functory.load(folder, backbone=[str(place / "there")])(TEXT) == both(TEXT)


def test_another_backbone_in_its_place_is_refused_with_both_hashes(made: Path, place: Path) -> None:
    with pytest.raises(UsageError, match=r"other has the weights [0-9a-f]{16}…; the function was fitted to [0-9a-f]{16}…"):
        functory.load(place / "toy", backbone=str(place / "other"))
    with pytest.raises(UsageError, match="other has the weights"):  # where the function's own is there as well
        functory.load(made / "toy", backbone=str(place / "other"))


def test_of_two_functions_that_are_compared_each_takes_the_backbone_that_fits_it(made: Path, place: Path) -> None:
    found = functory.compare(made / "toy", place / "toy", ROWS, backbone=str(place / "moved"))
    assert "alike" in repr(found)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the hub was asked for."""
    from huggingface_hub import constants, errors

    names: list[str] = []

    def download(name: str, **kwargs: Any) -> str:
        names.append(name)
        raise errors.LocalEntryNotFoundError("no such model")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    return names


@pytest.fixture
def evil(place: Path) -> Path:
    """A function that names a model of the hub."""
    forms = json.loads((place / "toy/function.json").read_text())["forms"]
    forms[0]["backbone"]["name"] = "hf:evil/model"
    reseal(place / "toy", forms=forms)
    return place / "toy"


VERBS: dict[str, Callable[[Path], Any]] = {
    "load": functory.load,
    "verify": functory.verify,
    "package": lambda folder: package(folder, "evil", folder.parent / "dist"),
    "compare": lambda folder: functory.compare(folder, folder, ROWS),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_that_names_a_model_of_the_hub_does_not_make_anything_ask_for_it(
    evil: Path, asked: list[str], verb: str
) -> None:
    with pytest.raises(WeightsMissing, match=r"(?s)a saved function is no reason to ask the hub.*hubs='hf'.*--hub hf"):
        VERBS[verb](evil)
    assert asked == []


@pytest.mark.parametrize(
    "arguments",
    [["run", TEXT], ["explain", TEXT], ["verify"], ["info"], ["evaluate", "--data", "rows.jsonl"],
     ["optimize", "--data", "rows.jsonl", "-o", "fast"], ["package", "-o", "dist"]],
    ids=lambda one: one[0],
)  # fmt: skip
def test_no_verb_asks_for_it_either(
    evil: Path, asked: list[str], arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(evil.parent)
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    code = main([arguments[0], str(evil), *arguments[1:]])
    assert asked == []
    told = capsys.readouterr().err
    assert (code, told) == (0, "") if arguments[0] == "info" else "no reason to ask the hub" in told


def test_the_hub_is_asked_where_the_call_or_the_configuration_allows_it(evil: Path, asked: list[str], tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="the hub did not give it"):
        functory.load(evil, hubs="hf")
    assert asked == ["evil/model"]
    (tmp_path / "config.toml").write_text('hubs = ["hf"]\n')
    with pytest.raises(WeightsMissing, match="the hub did not give it"):
        functory.load(evil)
    assert asked == ["evil/model"] * 2


@pytest.mark.parametrize("name", [r"hf:\\evil\share", "//evil/share", r"\\evil\share\model"])
def test_a_folder_on_another_machine_is_not_looked_into(evil: Path, asked: list[str], name: str) -> None:
    forms = json.loads((evil / "function.json").read_text())["forms"]
    forms[0]["backbone"]["name"] = name
    reseal(evil, forms=forms)
    with pytest.raises(ArtefactError) as caught:
        functory.load(evil)
    assert isinstance(caught.value, ArtefactUnsafe)
