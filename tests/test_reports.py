"""What is told of a function: which of its answers were wrong, its report when it is saved, what `info` and `list` show."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Optional

import pytest
from pydantic import StringConstraints

import functory
from functory.artefact.assembling import read_report
from functory.artefact.card import _table
from functory.artefact.checking import read_manifest
from functory.artefact.installed import Packaged
from functory.cli import main
from functory.contracts.task import Input, Output, Task
from functory.machine.folders import sha256
from functory.measuring.mistakes import input_text
from functory.plugins.describing import type_name
from functory.plugins.registry import registered
from functory.running.notebook import example
from functory.running.replays import makers

pytest.importorskip("torch", reason="pip install functory-torch")

from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import kit, toy_function


@pytest.fixture(scope="module")
def toy() -> Iterator[Any]:
    """A toy function that answers nearly everything rightly."""
    with kit():
        yield toy_function()


@pytest.fixture
def flipped(toy: Any, tmp_path: Path) -> Path:
    """A table of 24 rows, seven with another label than the function gives."""
    data = [{"text": row["text"], "label": toy(row["text"]).label} for row in rows(24, seed=5)]
    for row in data[::3][:7]:
        row["label"] = "yes" if row["label"] == "no" else "no"
    file = tmp_path / "flipped.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in data))
    return file


def test_the_wrong_answers_are_listed_the_surest_first_with_their_lines(toy: Any, flipped: Path) -> None:
    report = toy.evaluate(flipped, mistakes=5)
    assert report.wrong == 7
    assert report.metrics["accuracy"].value == pytest.approx(17 / 24)
    found = report.mistakes
    assert len(found) == 5
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    lines = flipped.read_text().splitlines()
    for one in found:
        row = json.loads(lines[int(one.place.rpartition(" ")[2]) - 1])
        assert (one.text, one.wanted, one.given) == (row["text"], row["label"], toy(row["text"]).label)
        assert one.confidence == pytest.approx(toy(row["text"]).scores[one.given], abs=1e-4)
    assert toy.evaluate(flipped, mistakes=0).mistakes == ()
    assert len(toy.evaluate(flipped).mistakes) == 7


def test_evaluate_lists_as_many_mistakes_as_are_asked_for(
    toy: Any, flipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(toy.save(tmp_path / "toy"))
    shown = {}
    for asked in ([], ["--mistakes", "7"], ["--mistakes", "0"]):
        assert main(["evaluate", folder, "--data", str(flipped), *asked]) == 0
        shown[" ".join(asked)] = capsys.readouterr().out
    assert "7 of 24 answers are wrong; the 5 surest of them:" in shown[""]
    assert "7 of 24 answers are wrong:" in shown["--mistakes 7"]
    assert "answers are wrong" not in shown["--mistakes 0"]
    assert main(["evaluate", folder, "--data", str(flipped), "--json", "--mistakes", "3"]) == 0
    assert len(json.loads(capsys.readouterr().out)["mistakes"]) == 3
    assert main(["evaluate", folder, "--data", str(flipped), "--mistakes", "-1"]) == 2
    assert "'-1' is no whole number from 0 to 1,000" in capsys.readouterr().err


def test_the_report_survives_save_and_is_a_hashed_member_without_the_datas_texts(
    toy: Any, flipped: Path, tmp_path: Path
) -> None:
    function = toy.replaced()
    function.report = function.evaluate(flipped)
    again = functory.load(function.save(tmp_path / "toy"))
    assert again.report == function.report.keeping(0)
    assert again.report.form == "torch fp32"
    assert again.save(tmp_path / "again").joinpath("report.json").read_bytes() == (tmp_path / "toy/report.json").read_bytes()
    texts = {json.loads(line)["text"] for line in flipped.read_text().splitlines()}
    kept = "".join(file.read_text() for file in (tmp_path / "toy").iterdir() if file.suffix != ".safetensors")
    assert not [text for text in texts if text in kept]
    card = (tmp_path / "toy" / "README.md").read_text()
    assert "toy on flipped.jsonl: 24 examples" in card
    assert "| accuracy | 0.708 |" in card
    assert "7 of 24 answers are wrong." in card

    asked = functory.load(function.save(tmp_path / "asked", mistakes=True))
    assert asked.report == function.report
    (tmp_path / "asked" / "report.json").write_text("{}")
    with pytest.raises(functory.errors.ArtefactCorrupt, match=r"report\.json has 2 bytes"):
        functory.load(tmp_path / "asked")


def test_a_report_that_is_none_is_refused_by_name(toy: Any, tmp_path: Path) -> None:
    folder = toy.save(tmp_path / "toy")
    (folder / "report.json").write_text('{"function": 3}')
    with pytest.raises(functory.errors.ArtefactCorrupt, match=r"report\.json cannot be read: function: .*string"):
        read_report(folder)


def test_a_function_that_was_not_measured_has_no_report(toy: Any, tmp_path: Path) -> None:
    function = toy.replaced(report=None)
    folder = function.save(tmp_path / "toy")
    assert not (folder / "report.json").exists()
    assert functory.load(folder).report is None


def test_a_class_whose_name_ends_a_cell_stays_in_its_cell_on_the_card() -> None:
    assert _table(["a|b"], [["c\n| d |"]]) == ["| a\\|b |", "| --- |", "| c \\| d \\| |"]


# What is told of a saved function


@pytest.fixture(scope="module")
def models(toy: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two functions, one deeper than the other, and things that are none."""
    folder = tmp_path_factory.mktemp("models")
    toy.save(folder / "toy")
    toy.save(folder / "older" / "first")
    (folder / ".hidden").mkdir()
    (folder / "notes").mkdir()
    return folder


def test_info_tells_what_a_saved_function_is_without_opening_it(models: Path, toy: Any) -> None:
    code = (
        "import sys; from functory.cli import main; code = main(['info', sys.argv[1]]); "
        "heavy = {'torch', 'tokenizers', 'transformers', 'safetensors', 'pluggy'} & set(sys.modules); "
        "sys.exit(code or str(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, models / "toy"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for told in (
        "toy 0.1.0  (function, ", "toy(text) → ToyLabel", "no, yes", f"accuracy  {toy.report.score:.3f}",
        f"{toy.report.wrong} of 32 answers are wrong",
        "torch fp32  backbone tiny-encoder (64 tokens), adaptation toy-head", "adaptation  toy-head", "as they were written",
        f"sha256 {sha256(models / 'toy' / 'function.json')} (of function.json, ",
    ):  # fmt: skip
        assert told in done.stdout
    assert done.stdout.index("label  ") < done.stdout.index("abstained  ")


def test_info_of_a_damaged_function_says_so_and_fails(models: Path, tmp_path: Path, capsys: Any) -> None:
    folder = shutil.copytree(models / "toy", tmp_path / "toy")
    (folder / "golden.jsonl").write_bytes((folder / "golden.jsonl").read_bytes()[:-1] + b" ")
    assert main(["info", str(folder)]) == 1
    assert "IT IS DAMAGED: golden.jsonl was changed" in capsys.readouterr().out
    assert main(["info", str(folder), "--json"]) == 1
    [told] = json.loads(capsys.readouterr().out)
    assert told["trouble"].startswith("golden.jsonl was changed")
    (folder / "function.json").write_text("{")
    assert main(["info", str(folder)]) == 1
    assert "ArtefactCorrupt: function.json was changed" in capsys.readouterr().err


def test_a_name_that_is_a_folder_and_a_component_is_told_as_both(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models / "toy", "lora")
    assert main(["info", "lora"]) == 0
    said = capsys.readouterr()
    assert "toy 0.1.0  (function" in said.out
    assert "lora  (adaptation" in said.out
    assert "'lora' is the folder of a function, and a component's name too: ./lora is the folder alone" in said.err
    for alone, told in (
        (["./lora"], "function"),
        (["lora", "--kind", "functions"], "function"),
        (["lora", "--kind", "adaptations"], "adaptation"),
    ):
        assert main(["info", *alone]) == 0
        said = capsys.readouterr()
        assert (("(function" in said.out), ("(adaptation" in said.out)) == (told == "function", told == "adaptation")
        assert not said.err
    assert main(["info", str(models)]) == 1
    assert "no function lies here" in capsys.readouterr().err
    monkeypatch.chdir(models.parent)
    assert main(["info", models.name]) == 1
    assert f"do:    functory list {models.name} looks into" in capsys.readouterr().err


def test_list_finds_the_functions_saved_in_a_folder_and_imports_nothing_heavy(models: Path, toy: Any) -> None:
    code = (
        "import sys; from functory.cli import main; code = main(['list', sys.argv[1]]); "
        "sys.exit(str({'pydantic', 'numpy', 'torch', 'rich'} & set(sys.modules)) if 'pydantic' in sys.modules else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, models], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    title, *lines = done.stdout.splitlines()
    assert title == "saved functions"
    assert [line.split()[0] for line in lines] == [str(models / "older" / "first"), str(models / "toy")]
    assert all(f"toy 0.1.0  toy  accuracy {toy.report.score:.3f}" in line and line.endswith("kB  torch fp32") for line in lines)


def test_list_of_functions_names_those_saved_here_and_the_broken_ones(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models / "toy", "mine")
    for name, text in (("broken", '{"name": "x"}'), ("odd", "[]"), ("other", "{")):
        Path(name).mkdir()
        Path(name, "function.json").write_text(text)
    assert main(["list", "--kind", "functions", "--json"]) == 0
    told = {row["folder"]: row for row in json.loads(capsys.readouterr().out) if "folder" in row}
    assert (told["mine"]["metric"], told["mine"]["task"]) == ("accuracy", "toy")
    assert told["mine"]["bytes"] == sum(file.stat().st_size for file in Path("mine").iterdir())
    assert all(told[name]["trouble"].startswith("function.json ") for name in ("broken", "odd", "other"))
    assert main(["list", "."]) == 0
    assert "[function.json is no function's" in capsys.readouterr().out
    for wrong, message in (
        (["list", "tasks"], "there is no folder 'tasks'.\n"), (["list", ".", "--kind", "tasks"], "a folder holds functions"),
    ):  # fmt: skip
        assert main(wrong) == 2
        said = capsys.readouterr().err
        assert message in said
        assert "do:    functory list --kind tasks" in said


def test_info_of_a_task_tells_its_fields_columns_outputs_and_metrics(capsys: Any) -> None:
    assert main(["info", "text-classification"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"\ninput\n  text  str  The text to classify\. Columns: text, sentence, review, ", out)
    assert "  label  str | tuple[str, ...]  The right label; a list of them for multi-label data. Columns: label, " in out
    assert re.search(r"\noutput\n  label +str \| None ", out)
    assert re.search(r"\n  accuracy \* +the share of", out)
    assert "* by this one functions are chosen" in out
    assert main(["info", "text-classification", "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["metric"], told["columns"]["label"][0], told["shorthand"]) == ("accuracy", "label", ["text"])
    assert {field["name"]: field["required"] for field in told["input"]} == {"text": True}


# What a notebook shows


def test_a_function_shows_itself_in_a_notebook_without_markup_from_names_or_resources_from_elsewhere(toy: Any) -> None:
    function = toy.replaced(
        about=dataclasses.replace(
            toy.about, name="a<b>", version='"1', metrics={"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}},
            notes=("<script>alert(1)</script>",),
        ),
        state=type(toy.state)(labels=("yes</table>", "no")),
    )  # fmt: skip
    shown = function._repr_html_()
    assert not re.findall(r"<script|<img|<link|http|url\(|<b>(?!a&lt;b&gt;</b>)", shown)
    assert "a&lt;b&gt;(text: str) -&gt; ToyLabel" in shown
    assert "yes&lt;/table&gt;, no" in shown
    assert "accuracy 0.900 (0.800–0.950)" in shown
    assert "we saw the good film" in shown
    assert shown.index("The likeliest label.") < shown.index("The function declined to answer.")
    assert shown.count("<table") == shown.count("</table>")
    HTMLParser().feed(shown)


def test_the_example_that_is_shown_can_be_typed(toy: Any) -> None:
    assert eval(example(toy), {"toy": toy}).label == toy(toy.golden[0].value["text"]).label


def test_types_are_written_by_their_short_names(toy: Any) -> None:
    assert repr(toy) == "<functory function toy(text: str) -> ToyLabel: torch fp32>"
    assert type_name(dict[str, list[pathlib.Path]] | None) == "dict[str, list[Path]] | None"
    assert type_name(tuple[str, ...]) == "tuple[str, ...]"
    checked = Annotated[str, StringConstraints(min_length=1)]
    assert type_name(Optional[checked | tuple[checked, ...]]) == "str | tuple[str, ...] | None"  # noqa: UP045
    assert type_name(Literal["a", "b"]) == "Literal['a', 'b']"


def test_info_of_an_installed_function_reads_its_folder_and_opens_nothing(models: Path, capsys: Any) -> None:
    packaged = Packaged(models / "toy", read_manifest(models / "toy").sha256)
    with registered("functions", "my-toy", packaged, distribution="my-toy", version="0.1.0"):
        assert main(["info", "my-toy"]) == 0
        out = capsys.readouterr().out
        assert main(["info", "my-toy", "--kind", "functions", "--json"]) == 0
        [told] = json.loads(capsys.readouterr().out)
    assert "toy 0.1.0  (function, my-toy, " in out
    assert 'functory run my-toy "…"' in out.replace("run toy", "run my-toy")
    assert (told["distribution"], told["folder"]) == ("my-toy", str(models / "toy"))


def test_an_input_of_several_fields_is_told_with_their_names() -> None:
    class Pair(Input):
        first: str
        second: str = "b"

    class Pairs(Task[Any]):
        Input: ClassVar = Pair
        Output: ClassVar = Output
        Example: ClassVar = Pair

    assert input_text(Pairs(), Pair(first="a\n  text")) == "first: a text | second: b"


# What stands in the way


def test_a_function_that_is_not_there_is_answered_with_the_near_one_and_what_is_no_name_with_what_is(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(models)
    with pytest.raises(functory.errors.ArtefactError, match=r"do:    did you mean 'toy'\? Or name the folder"):
        functory.load("tyo")
    for verb in (functory.load, functory.verify, lambda one: functory.compare(one, "toy", [])):
        with pytest.raises(functory.errors.UsageError, match="by its folder or its name, and not by int 3"):
            verb(3)


def test_a_negative_number_of_rows_is_refused(toy: Any, flipped: Path) -> None:
    with pytest.raises(functory.errors.OptionError, match="mistakes = -1 is not allowed"):
        toy.evaluate(flipped, mistakes=-1)
    with pytest.raises(functory.errors.OptionError, match="rows = -1 is not allowed"):
        functory.compare(toy, toy, flipped, rows=-1)


def test_a_newer_plugin_has_the_golden_examples_replayed_once_more(
    toy: Any, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))
    replayed: list[int] = []
    monkeypatch.setattr("functory.artefact.opening.replay", lambda *given, **named: replayed.append(1))
    functory.load(models / "toy")
    functory.load(models / "toy")
    assert len(replayed) == 1
    found = makers(toy)
    assert {one.split()[0] for one in found} == {"functory-sdk", "functory-torch"}
    monkeypatch.setattr("functory.running.replays.makers", lambda function: [*found, "functory-minilm 9"])
    functory.load(models / "toy")
    assert len(replayed) == 2
