"""Damaged and forged artefacts: nothing but an error that says what is wrong leaves, whatever reads them.

The generator is `forging`; ``FORGED=500`` tries so many of each sort here, ``scripts/forge.py`` thousands, each sort in a
process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

import functory
from functory import errors
from functory.artefact.checking import check
from functory.artefact.installed import Packaged
from functory.artefact.opening import verify
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.rows import Array, Program
from functory.plugins.registry import registered
from functory_sdk.testing import kit

COUNT = int(os.environ.get("FORGED", "48"))
"""How many artefacts of each sort are tried; a fourth of them are loaded and called."""


@pytest.fixture(scope="module")
def forging() -> Any:
    """The generator."""
    return _module("forging")


@pytest.fixture(scope="module")
def forged() -> Any:
    """What tries them."""
    return _module("forged")


def _module(name: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        return importlib.import_module(name)


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    with kit():
        yield


@pytest.fixture(scope="module")
def sound(toys: None, forged: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that gives a sound artefact of a sort, built once."""
    place = tmp_path_factory.mktemp("sound")

    def give(sort: str) -> Path:
        return place / sort if (place / sort).is_dir() else Path(forged.sound(place, sort))

    return give


@pytest.mark.parametrize("sort", ["torch", "lora", "onnxruntime", "openvino", "composite", "ner", "writing"])
def test_what_was_damaged_or_forged_ends_in_an_error_that_says_so(
    sort: str, sound: Any, forging: Any, forged: Any, tmp_path: Path
) -> None:
    if sort in ("onnxruntime", "openvino"):
        pytest.importorskip(sort)
    good = sound(sort)
    for number in range(COUNT):
        target = tmp_path / sort
        case = forging.forge(good, target, number)
        outcome = forged.tried(target, deep=number % 4 == 0, verbs=number == 0)
        assert not outcome.faults, f"{sort} {number} ({case.what}):\n" + "\n".join(outcome.faults)
        shutil.rmtree(target)


def test_the_same_number_forges_the_same_and_what_is_sealed_is_as_its_digest_says(
    sound: Any, forging: Any, forged: Any, tmp_path: Path
) -> None:
    good, ends = sound("torch"), Counter[str]()
    for number in range(40):
        case = forging.forge(good, tmp_path / "one" / "torch", number)
        assert case == forging.forge(good, tmp_path / "two" / "torch", number)
        one, two = (forged._snapshot(tmp_path / name) for name in ("one", "two"))
        assert list(one.values()) == list(two.values())
        ends[_end(tmp_path / "one" / "torch", case.is_sealed)] += 1
        shutil.rmtree(tmp_path / "one")
        shutil.rmtree(tmp_path / "two")
    assert ends["sealed, as its digest says"] > 5
    assert ends["sealed, and no manifest"] > 3
    assert ends["damaged, and found"] > 3
    assert not ends["sealed, and another digest"]


def _end(folder: Path, is_sealed: bool) -> str:
    """Return what checking says of an artefact that was damaged, or forged and sealed."""
    try:
        check(folder)
    except errors.ArtefactError as error:
        if not is_sealed:
            return "damaged, and found"
        return "sealed, and another digest" if "its sha256 is" in error.what else "sealed, and no manifest"
    return "sealed, as its digest says" if is_sealed else "damaged, and not found"


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name))


def refused(folder: Path, what: str) -> errors.ArtefactCorrupt:
    """Return the error with which an artefact is refused, by load and by verify alike."""
    found = []
    for use in (functory.load, verify):
        with pytest.raises(errors.ArtefactCorrupt, match=what) as told:
            use(folder)  # type: ignore[operator]
        found.append(told.value)
    assert found[0].do
    assert found[0].where.startswith(str(folder))
    return found[0]


def weights(file: Path, change: Any) -> None:
    """Write a safetensors file again with another header."""
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])


def _overlap(header: dict[str, Any]) -> None:
    header["another"] = dict(next(iter(header.values())))


def _shape(header: dict[str, Any]) -> None:
    next(iter(header.values()))["shape"] = [2**62, 2**62]


def _dtype(header: dict[str, Any]) -> None:
    next(iter(header.values()))["dtype"] = "I32"


def _element(header: dict[str, Any]) -> None:
    next(iter(header.values()))["dtype"] = "F999"


@pytest.mark.parametrize(
    ("change", "what"),
    [(_overlap, "SafetensorError"), (_shape, "SafetensorError"), (_dtype, "holds int32"), (_element, "SafetensorError")],
)
def test_forged_weights_are_refused_by_name(change: Any, what: str, sound: Any, forging: Any, tmp_path: Path) -> None:
    folder = copied(sound("torch"), tmp_path)
    weights(folder / "weights.safetensors", change)
    forging.seal(folder)
    error = refused(folder, rf"^weights\.safetensors cannot be read: .*{what}")
    assert change is _dtype or error.__cause__ is not None


def test_a_header_that_is_said_to_be_larger_than_the_file_is_not_read(sound: Any, forging: Any, tmp_path: Path) -> None:
    folder = copied(sound("torch"), tmp_path)
    for size in (2**63, 99_000_000, 0):
        (folder / "weights.safetensors").write_bytes(struct.pack("<Q", size) + b"{}")
        forging.seal(folder)
        assert "fresh copy" in refused(folder, r"^weights\.safetensors cannot be read: SafetensorError").do


LINES = (
    "{", "[1]", '{"input": {}}', '{"input": 1, "output": {}, "numeric": []}', "[" * 100_000, "\ufeff{}",
    '{"input": {}, "input": {}}', '{"input": {"text": "x"}, "output": {}, "numeric": [{"scores": ["x"]}]}',
    '{"input": {"txt": 1}, "output": {}, "numeric": []}',
)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_golden_line_that_is_none_is_named(line: str, sound: Any, forging: Any, tmp_path: Path) -> None:
    folder = copied(sound("torch"), tmp_path)
    good = (folder / "golden.jsonl").read_text("utf-8").splitlines()
    (folder / "golden.jsonl").write_text("\n".join([good[0], line]) + "\n", encoding="utf-8")
    forging.seal(folder)
    with pytest.raises(errors.ArtefactError, match="golden"):
        functory.load(folder)


def test_a_golden_text_may_hold_every_end_of_a_line(sound: Any, tmp_path: Path) -> None:
    function = functory.load(sound("torch"))
    from functory.running.golden import record

    function.golden = record(function, ["one\u2028two\u2029three\x85four\x0bfive\x1csix\nseven"])
    again = functory.load(function.save(tmp_path / "lines"))
    assert again.golden == function.golden


def manifest(folder: Path, change: Any, forging: Any) -> None:
    """Change what a manifest says, and seal it."""
    data = json.loads((folder / "function.json").read_text("utf-8"))
    change(data)
    (folder / "function.json").write_text(json.dumps(data), encoding="utf-8")
    forging.seal(folder)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data["state"].update(labels=[["x"]]), "labels"),
        (lambda data: data["state"].clear(), "weights.safetensors|labels"),
        (lambda data: data["forms"][0]["program"].update(kind="other"), "program"),
        (lambda data: data["forms"][0]["program"]["outputs"][0].update(axes=[10**9]), "axes"),
        (lambda data: data["forms"][0].update(has_phi=False), "there is no φ"),
        (lambda data: data["forms"][0]["adaptation"].update(options={"rank": -1}), "rank"),
        (lambda data: data.update(optimization={"kept": 1}), "optimization"),
        (lambda data: data["task"]["options"].update(labels=7), "labels"),
        (lambda data: data["signature"]["output"]["properties"]["label"].update(description={}), "label.description"),
        (lambda data: data["signature"]["input"]["properties"]["text"].update(examples="x"), "text.examples"),
        (lambda data: data["signature"]["parameters"].update(text=[]), "parameters"),
    ],
)
def test_a_forged_manifest_is_refused_with_the_place_named(
    change: Any, what: str, sound: Any, forging: Any, tmp_path: Path
) -> None:
    folder = copied(sound("torch"), tmp_path)
    manifest(folder, change, forging)
    refused(folder, what)


@pytest.mark.parametrize("place", [".", "..", "parts", "parts/polarity", "parts/topic/parts/topic", "engines/x", "/", ""])
def test_parts_lie_in_folders_of_their_own_and_never_in_one_another(
    place: str, sound: Any, forging: Any, tmp_path: Path
) -> None:
    folder = copied(sound("composite"), tmp_path)
    manifest(folder, lambda data: data["forms"][0]["parts"].update(topic=place), forging)
    for use in (check, functory.load, verify):
        with pytest.raises((errors.ArtefactUnsafe, errors.ArtefactCorrupt), match="leaves the folder|part 'topic' lies in"):
            use(folder)


def test_a_part_that_does_another_task_or_none_that_is_wanted_is_refused(sound: Any, forging: Any, tmp_path: Path) -> None:
    folder = copied(sound("composite"), tmp_path)
    shutil.rmtree(folder / "parts" / "topic")
    shutil.copytree(sound("ner"), folder / "parts" / "topic")
    forging.seal(folder)
    refused(folder, "part 'topic' must do text-classification; parts/topic does ner")
    manifest(folder, lambda data: data["forms"][0]["parts"].pop("topic"), forging)
    refused(folder, "is made of topic, polarity; function.json gives the parts polarity")


@pytest.mark.parametrize("sort", ["onnxruntime", "openvino"])
def test_a_forged_graph_is_refused_with_the_engine_named(sort: str, sound: Any, forging: Any, tmp_path: Path) -> None:
    pytest.importorskip(sort)
    graph = {"onnxruntime": "model.onnx", "openvino": "model.bin"}[sort]
    for number, content in enumerate((b"", b"\x08\x08" * 40, b"<net/>")):
        folder = copied(sound(sort), tmp_path / str(number))
        next(folder.rglob(graph)).write_bytes(content)
        forging.seal(folder)
        error = refused(folder, rf"engines/{sort}-fp32 cannot be read by engine '{sort}' \(functory-|cannot open the graph")
        assert error.__cause__ is not None


@pytest.mark.parametrize("place", ["../../outside.bin", "../../../../outside.bin", "{absolute}"])
def test_a_graph_whose_weights_lie_outside_of_its_folder_is_refused(
    place: str, sound: Any, forging: Any, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    import onnx

    folder = copied(sound("onnxruntime"), tmp_path)
    file = next(folder.rglob("model.onnx"))
    model = onnx.load(file)
    tensor = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    (tmp_path / "outside.bin").write_bytes(tensor.raw_data)
    (folder / "outside.bin").write_bytes(tensor.raw_data)  # in the artefact, and not in the form's folder
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place.format(absolute=tmp_path / "outside.bin"))
    tensor.ClearField("raw_data")
    file.write_bytes(model.SerializeToString())
    forging.seal(folder)
    refused(folder, "External data path")


def test_a_folder_that_is_a_file_and_a_file_that_is_a_folder_are_named(sound: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = copied(sound("onnxruntime"), tmp_path)
    shutil.rmtree(folder / "engines" / "onnxruntime-fp32")
    (folder / "engines" / "onnxruntime-fp32").write_text("a file")
    refused(folder, r"engines/onnxruntime-fp32/model\.onnx is missing")
    shutil.rmtree(folder / "engines")
    (folder / "function.json").unlink()
    (folder / "function.json").mkdir()
    refused(folder, r"function\.json cannot be read: IsADirectoryError")


class Strange(Session):
    """A stranger's session, whose library has errors of its own."""

    fault: ClassVar[BaseException] = ValueError("Exception from src/core.cpp:84:\n\x1b[31mit failed")

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        raise self.fault


class Stranger(Engine[Any]):
    """A stranger's engine."""

    abilities: ClassVar[Any] = frozenset({"forward"})
    at_open: ClassVar[bool] = False

    def open(self, program: Program, options: SessionOptions) -> Session:
        if self.at_open:
            raise Strange.fault
        return Strange(program, options)


@pytest.fixture
def stranger(sound: Any, forging: Any, tmp_path: Path) -> Iterator[Path]:
    """An artefact in the form of a stranger's engine, without golden examples to replay."""
    pytest.importorskip("onnxruntime")
    folder = copied(sound("onnxruntime"), tmp_path)
    (folder / "golden.jsonl").unlink()
    about = {"name": "strange", "options": {}, "distribution": "functory-strange", "version": "2.0"}
    (folder / "engines" / "onnxruntime-fp32").rename(folder / "engines" / "strange-fp32")
    manifest(folder, lambda data: data["forms"][0].update(engine=about, folder="engines/strange-fp32"), forging)
    with registered("engines", "strange", Stranger, distribution="functory-strange", version="2.0"):
        yield folder


@pytest.mark.parametrize("at_open", [True, False])
def test_what_a_strangers_engine_raises_at_open_or_at_the_first_run_is_told_at_load(
    at_open: bool, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stranger, "at_open", at_open)
    error = refused(stranger, r"^engines/strange-fp32 cannot be read by engine 'strange' \(functory-strange 2\.0\): ")
    assert error.what.endswith("Exception from src/core.cpp:84: \ufffd[31mit failed.")
    assert "report it to whoever made the engine 'strange' (functory-strange 2.0)" in error.do
    assert error.__cause__ is Strange.fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), MemoryError(), NameError("name 'oops' is not defined")])
def test_what_no_artefact_causes_is_not_told_as_its_fault(
    fault: BaseException, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Strange, "fault", fault)
    with pytest.raises(type(fault)) as told:
        functory.load(stranger)
    assert told.value is fault


def test_an_installed_function_that_was_forged_is_refused_the_same(sound: Any, forging: Any, tmp_path: Path) -> None:
    folder = copied(sound("torch"), tmp_path)
    (folder / "weights.safetensors").write_bytes(b"\xff" * 9)
    forging.seal(folder)
    digest = (folder / "function.json.sha256").read_text().split()[0]
    with registered("functions", "forged", Packaged(folder, digest)):
        for use in (functory.load, verify):
            with pytest.raises(errors.ArtefactCorrupt, match=r"^weights\.safetensors cannot be read: SafetensorError"):
                use("forged")  # type: ignore[operator]


