"""Several engine forms in one function: joined when it is packaged, the fastest chosen where it is loaded."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import ANY
from zipfile import ZipFile

import numpy as np
import pytest

import functory
from functory import errors
from functory.artefact.checking import read_manifest
from functory.artefact.opening import verify
from functory.artefact.sealing import write_digest
from functory.artefact.writing import save
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.rows import Array, Program, Row
from functory.function import Function
from functory.plugins import registry as plugins
from functory.running.forms import EngineForm
from functory.running.golden import record
from functory.using.packaging import needs, package

TEXT = "A small movie with a big impact."


class Borrowed(Session):
    """Runs rows by the torch form of the same function, a little off and after a while."""

    real: ClassVar[Session]
    calls: ClassVar[list[str]] = []

    def __init__(self, program: Program, options: SessionOptions, name: str, delay: float, shift: float) -> None:
        super().__init__(program, options)
        self.name, self.delay, self.shift = name, delay, shift

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        raise NotImplementedError

    def run(self, rows: Sequence[Row], told: object = None) -> list[Row]:
        self.calls.append(self.name)
        time.sleep(self.delay)
        return [
            {name: np.asarray(value) + np.float32(self.shift) for name, value in row.items()}
            for row in self.real.run(rows)
        ]


class Slow(Engine[Any]):
    """An engine that takes its time."""

    abilities: ClassVar[Any] = frozenset({"forward"})
    precisions: ClassVar[Any] = ("fp32",)
    delay, shift = 0.05, 0.0

    def open(self, program: Program, options: SessionOptions) -> Session:
        return Borrowed(program, options, self.name, self.delay, self.shift)


class Fast(Slow):
    """An engine that does not, and whose numbers are a little off."""

    delay, shift = 0.0, 0.01


class Wrong(Slow):
    """An engine that turns every answer over."""

    def open(self, program: Program, options: SessionOptions) -> Session:
        session = Borrowed(program, options, self.name, 0.0, 0.0)
        session.run = lambda rows, told=None: [
            {name: -np.asarray(value) for name, value in row.items()} for row in Borrowed.real.run(rows)
        ]  # type: ignore[method-assign]
        return session


@pytest.fixture(scope="module")
def forms(sentiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """One function, saved once for each of three engines."""
    function = functory.load(sentiment)
    Borrowed.real = function.session
    place = tmp_path_factory.mktemp("forms")
    with (
        plugins.registered("engines", "slow", Slow, distribution="functory-slow", version="0.1.0"),
        plugins.registered("engines", "fast", Fast, distribution="functory-fast", version="1.2.0"),
        plugins.registered("engines", "wrong", Wrong, distribution="functory-wrong", version="0.1.0"),
    ):
        yield {name: saved(function, name, place) for name in ("slow", "fast", "wrong")}


def saved(function: Function, engine: str, place: Path, probed: SessionOptions | None = None) -> Path:
    """Save a function as one engine has it."""
    files = place / f"{engine}-files"
    files.mkdir()
    (files / "graph.bin").write_bytes(engine.encode())
    old = function.form
    program = Program(kind="forward", inputs=old.program.inputs, outputs=old.program.outputs, folder=files)
    loaded: type[Engine[Any]] = plugins.load("engines", engine)
    form = EngineForm(
        loaded(),
        old.spec,
        old.put,
        old.formulation,
        program,
        old.tokenizer,
        options=probed or SessionOptions(),
        tolerance=0.001,
    )
    made = Function(function.task, function.state, form, function.about)
    made.golden = record(made)
    return save(made, place / engine)


def test_a_self_contained_function_needs_its_task_and_engine_alone(forms: dict[str, Path]) -> None:
    needed = needs(forms["fast"])
    assert needed.is_self_contained
    assert needed.required == (
        "functory-fast>=1.2.0,<2",
        "functory-text-classification>=0.1.0,<0.2",
        "functory>=0.1.0,<0.2",
    )
    assert needed.extras == {}


def test_the_fastest_form_is_found_once_and_remembered(forms: dict[str, Path], tmp_path: Path) -> None:
    [wheel] = package(forms["slow"], "both", tmp_path, also=[forms["fast"]])
    with ZipFile(wheel) as zipped:
        zipped.extractall(tmp_path)
        headers = zipped.read("both-0.1.0.dist-info/METADATA").decode()
    assert "Requires-Dist: functory-fast>=1.2.0,<2\nRequires-Dist: functory-slow>=0.1.0,<0.2\n" in headers
    Borrowed.calls.clear()
    first = functory.load(tmp_path / "both" / "artefact")
    assert first.form.name == "fast fp32"
    assert {"slow", "fast"} == set(Borrowed.calls)
    Borrowed.calls.clear()
    again = functory.load(tmp_path / "both" / "artefact")
    assert again(TEXT) == first(TEXT)
    assert set(Borrowed.calls) == {"fast"}
    assert functory.load(tmp_path / "both" / "artefact", form="slow fp32").form.name == "slow fp32"


def test_a_form_whose_engine_is_lacking_is_passed_over(forms: dict[str, Path], tmp_path: Path) -> None:
    [wheel] = package(forms["fast"], "both", tmp_path, also=[forms["slow"]])
    with ZipFile(wheel) as zipped:
        zipped.extractall(tmp_path)
    folder = tmp_path / "both" / "artefact"
    (folder / "engines" / "fast-fp32").rename(folder / "engines" / "not-installed-fp32")
    manifest = json.loads((folder / "function.json").read_text().replace("engines/fast-fp32", "engines/not-installed-fp32"))
    manifest["forms"][0]["engine"]["name"] = "not-installed"
    (folder / "function.json").write_text(json.dumps(manifest))
    write_digest(folder)
    assert functory.load(folder).form.name == "slow fp32"


def test_a_form_whose_engine_does_not_know_the_precision_is_passed_over(
    forms: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked(package(forms["fast"], "both", tmp_path, also=[forms["slow"]])[0], tmp_path)
    with pytest.raises(errors.NotSupported, match="has no sessions in 'bf16'"):
        functory.load(folder, precision="bf16")
    monkeypatch.setattr(Slow, "session_precisions", ("auto", "bf16"))
    monkeypatch.setattr(Fast, "session_precisions", ("auto",), raising=False)
    assert functory.load(folder, precision="bf16").form.name == "slow fp32"
    assert functory.load(folder).form.name == "fast fp32"


def test_a_joined_form_has_room_for_how_far_it_is_off(forms: dict[str, Path], tmp_path: Path) -> None:
    [wheel] = package(forms["slow"], "both", tmp_path, also=[forms["fast"]])
    with ZipFile(wheel) as zipped:
        zipped.extractall(tmp_path)
    slow, fast = read_manifest(tmp_path / "both" / "artefact").forms
    assert slow.tolerance == pytest.approx(0.001)
    assert fast.tolerance == pytest.approx(0.011, abs=1e-4)


def test_threads_that_were_probed_count_on_that_processor_alone(
    sentiment: Path, forms: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(functory.load(sentiment), "fast", tmp_path, SessionOptions(threads=7, budget=640))
    here = functory.load(folder).session.options
    assert (here.threads, here.budget) == (7, 640)
    assert functory.load(folder, threads=2).session.options.threads == 2
    made_on = read_manifest(folder).forms[0].probed_on
    monkeypatch.setattr("functory.running.forms.engine.machine", lambda: "a processor with two cores")
    there = functory.load(folder)
    assert (there.session.options.threads, there.session.options.budget) == (0, 0)
    assert functory.load(folder, threads=2).session.options.threads == 2
    again = read_manifest(there.save(tmp_path / "again")).forms[0]
    assert (again.threads, again.budget, again.probed_on) == (7, 640, made_on)


def test_what_is_no_form_of_the_function_is_not_joined(forms: dict[str, Path], sentiment: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.GoldenMismatch):
        package(forms["slow"], "both", tmp_path / "dist", also=[forms["wrong"]])
    with pytest.raises(errors.UsageError, match="'slow fp32' cannot be joined: it is there already"):
        package(forms["slow"], "both", tmp_path / "dist", also=[forms["slow"]])
    with pytest.raises(errors.UsageError, match="'torch fp32' cannot be joined: it is no engine form"):
        package(forms["slow"], "both", tmp_path / "dist", also=[sentiment])
    assert not (tmp_path / "dist").exists()


def unpacked(wheel: Path, place: Path) -> Path:
    """Return the artefact in a wheel, unpacked."""
    with ZipFile(wheel) as zipped:
        zipped.extractall(place)
    return place / wheel.name.partition("-")[0] / "artefact"


def requirements(wheel: Path) -> list[str]:
    with ZipFile(wheel) as zipped:
        [path] = [path for path in zipped.namelist() if path.endswith("/METADATA")]
        lines = zipped.read(path).decode().splitlines()
    return sorted(line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: "))


def test_a_package_of_one_engine_carries_and_requires_no_other(
    forms: dict[str, Path], sentiment: Path, tmp_path: Path
) -> None:
    [wheel] = package(sentiment, "one", tmp_path, also=[forms["slow"], forms["fast"]], engine="fast")
    asked = {one.partition(">")[0] for one in requirements(wheel)}
    assert asked == {"functory", "functory-fast", "functory-text-classification"}
    folder = unpacked(wheel, tmp_path)
    assert [path.name for path in (folder / "engines").iterdir()] == ["fast-fp32"]
    assert not (folder / "weights.safetensors").exists()
    card = (folder / "README.md").read_text()
    assert "as fast fp32, made from" in card
    assert "base_model" not in card
    assert verify(folder).forms == (read_manifest(forms["fast"]).forms[0].model_copy(update={"tolerance": ANY}),)
    assert functory.load(folder).form.name == "fast fp32"
    assert len(read_manifest(sentiment).forms) == len(read_manifest(forms["slow"]).forms) == 1  # as they were


def test_a_function_of_one_engine_is_packaged_to_the_same_bytes_whether_it_is_named_or_not(
    forms: dict[str, Path], tmp_path: Path
) -> None:
    [plain] = package(forms["fast"], "one", tmp_path / "plain")
    [named] = package(forms["fast"], "one", tmp_path / "named", engine="fast")
    assert named.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize(
    ("engine", "remedy"),
    [("slow", r"functory optimize … --set 'engines=\[\"slow\"\]'"), ("fsat", "Installed engines: .*fast, .*slow")],
)
def test_an_engine_that_the_function_has_no_form_of_is_refused_with_what_there_is(
    forms: dict[str, Path], tmp_path: Path, engine: str, remedy: str
) -> None:
    with pytest.raises(errors.UsageError, match=f"no form of an engine '{engine}'; it has fast fp32") as caught:
        package(forms["fast"], "one", tmp_path / "dist", engine=engine)
    assert caught.value.do.startswith("take --engine fast")
    assert re.search(remedy, caught.value.do)
    assert not (tmp_path / "dist").exists()


def test_every_part_of_a_composite_is_of_that_engine_or_is_named(forms: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("acme_alert", reason="needs the example plugin alert")
    slow, fast = (functory.load(forms[name]) for name in ("slow", "fast"))
    one = functory.compose("alert", topic=fast, polarity=fast, options={"topic": "fresh"}).save(tmp_path / "one")
    [wheel] = package(one, "one", tmp_path, engine="fast")
    assert "functory-fast>=1.2.0,<2" in requirements(wheel)
    assert functory.load(unpacked(wheel, tmp_path / "there"))(TEXT) == functory.load(one)(TEXT)
    mixed = functory.compose("alert", topic=fast, polarity=slow, options={"topic": "fresh"}).save(tmp_path / "mixed")
    with pytest.raises(errors.UsageError, match="its part 'polarity' has no form of an engine 'fast'; it has slow fp32"):
        package(mixed, "mixed", tmp_path, engine="fast")
