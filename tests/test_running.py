"""``functory run``: one answer a row whatever the row is, as soon as it can be; for people, for programs, as a file."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field

import functory
from functory import errors
from functory.cli import main
from functory.contracts.task import Output
from functory.plugins.registry import registered
from functory.running.answers import Question, answers
from functory.running.arriving import arriving, gathered, lines_of
from functory.terminal.widths import width
from functory_sdk import Classification, Entities, Entity, Written
from functory_sdk.testing import Terminal, kit
from functory_sdk.testing.toy import ToyTask, ToyText, rows

GOOD, BAD = "we saw the good film", "rain in the bad night"


class Filled(ToyText):
    """A text that must not be empty."""

    text: str = Field(min_length=1, description="The text.")


class FilledTask(ToyTask):
    """The toy task, for texts that are not empty."""

    Input: ClassVar = Filled


class PairInput(ToyText):
    """Two texts."""

    second: str = Field(description="The second text.")


class PairExample(PairInput):
    """Two texts and what they say."""

    label: str = Field(description="What they say.")


class PairTask(ToyTask):
    """Says what two texts say together."""

    Input: ClassVar = PairInput
    Example: ClassVar = PairExample
    shorthand: ClassVar[tuple[str, ...]] = ("text", "second")
    columns: ClassVar = {"text": ("text", "premise"), "second": ("second", "hypothesis"), "label": ("label",)}

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        return super().encode([ToyText(text=f"{one.text} {one.second}") for one in inputs], reader, state)

    def golden_inputs(self, state: Any) -> list[PairInput]:
        return [PairInput(text="the film", second="was good")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with saved functions: `toy`, whose texts must not be empty, `pair`, of two texts, and `gen`, which writes."""
    folder = tmp_path_factory.mktemp("running")
    names = {"toy-filled": FilledTask, "toy-pair": PairTask}
    with kit():
        opened = [registered("tasks", name, task, distribution="functory-sdk", version="0") for name, task in names.items()]
        for one in opened:
            one.__enter__()
        said: dict[str, Any] = {"backbone": "tiny-encoder", "adaptation": "toy-head", "seed": 1, "report": False}
        functory.build(task="toy-filled", train=rows(96), name="toy", **said).save(folder / "toy")
        pairs = [{"text": "the film", "second": row["text"], "label": row["label"]} for row in rows(96)]
        functory.build(task="toy-pair", train=pairs, name="pair", **said).save(folder / "pair")
        writes = {"name": "text-generation", "options": {"max_new_tokens": 8}}
        functory.build(task=writes, backbone="tiny-decoder", adaptation="zero-shot", name="gen").save(folder / "gen")
        yield folder
        for one in reversed(opened):
            one.__exit__(None, None, None)


Told = Callable[..., list[Any]]


@pytest.fixture
def told(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a verb in that folder with a text on stdin; return the lines of stdout, read as JSON with ``--json``."""
    monkeypatch.chdir(place)

    def run(*arguments: str, stdin: str | None = None, code: int = 0) -> list[Any]:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        assert main(["run", *arguments]) == code
        lines = capsys.readouterr().out.splitlines()
        return [json.loads(line) for line in lines] if "--json" in arguments else lines

    return run


# -- one answer a row -----------------------------------------------------------------------------------------


def test_every_line_of_stdin_has_its_answer_or_its_error_in_its_place(told: Told) -> None:
    found = told("toy", "--json", stdin=f"{GOOD}\n\n{BAD}\r\n \n\n{GOOD}")
    assert [one["row"] for one in found] == [1, 2, 3, 4, 5, 6]
    assert [one.get("label") for one in found] == ["yes", None, "no", found[3]["label"], None, "yes"]
    assert found[1]["error"] == "InputError"
    assert found[1]["where"] == "stdin, line 2"
    assert found[1]["what"].startswith("text: string should have at least 1 character")


def test_a_line_of_lists_in_lists_without_end_is_that_lines_error(told: Told) -> None:
    deep = '{"text": ' + "[" * 100_000
    lines = [json.dumps({"text": GOOD}), deep, json.dumps({"text": GOOD})]
    assert "label" in told("toy", "--json", stdin=deep)[0]  # without a format it is a text
    found = told("toy", "--json", "--format", "jsonl", stdin="\n".join(lines))
    assert [one.get("label") for one in found] == ["yes", None, "yes"]
    assert found[1]["error"] == "DataError"
    assert found[1]["where"] == "stdin, line 2"


def test_an_empty_stdin_has_no_answers_and_a_stdin_of_errors_alone_fails(told: Told) -> None:
    assert told("toy", "--json", stdin="") == []
    assert [set(one) >= {"row", "error"} for one in told("toy", "--json", stdin="\n\n", code=1)] == [True, True]


def test_bad_lines_stop_where_that_was_asked_after_the_answers_before_them(told: Told) -> None:
    found = told("toy", "--json", "--on-bad-row", "stop", stdin=f"{GOOD}\n{BAD}\n\n{GOOD}\n", code=2)
    assert [one.get("label") for one in found] == ["yes", "no", None]
    assert found[2]["where"] == "stdin, line 3"


def test_rows_of_a_file_that_are_bad_keep_their_places(told: Told, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text,note\n{GOOD},a\n"",b\n{BAD},c\n')
    found = told("toy", "--input", str(tmp_path / "a.csv"), "--on-bad-row", "keep", "--json")
    assert [(one["row"], one.get("label")) for one in found] == [(1, "yes"), (2, None), (3, "no")]
    assert "a.csv, line 3" in found[1]["where"]
    found = told("toy", "--input", str(tmp_path / "a.csv"), "--on-bad-row", "skip", "--json")
    assert [(one["row"], one["label"]) for one in found] == [(1, "yes"), (3, "no")]


def test_a_bad_row_of_a_file_stops_before_anything_is_computed(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text(f'text\n{GOOD}\n""\n')
    monkeypatch.setattr(functory.Function, "map", lambda *_, **__: pytest.fail("it was computed"))
    [found] = told("toy", "--input", str(tmp_path / "a.csv"), "--json", "--output", str(tmp_path / "b.csv"), code=1)
    assert found["error"] == "BadRows"
    assert not (tmp_path / "b.csv").exists()


def test_one_text_that_is_too_long_takes_no_other_with_it(place: Path) -> None:
    function = functory.load(place / "toy")
    strict = function.replaced(about=function.about.__class__(**{**vars(function.about), "long_text": "refuse"}))
    texts = [GOOD, "rain " * 400, BAD, GOOD, "night " * 500]
    questions = [Question(n, f"row {n}", {}, function.read(text)) for n, text in enumerate(texts, 1)]
    [found] = answers(strict, [questions])
    assert [answer.output.label if answer.output else None for answer in found] == ["yes", None, "no", "yes", None]
    assert isinstance(found[1].error, errors.TooLong)
    assert found[1].error.where == "row 2"
    with pytest.raises(errors.TooLong, match="row 2"):
        list(answers(strict, [questions], stops=True))


# -- inputs of several fields ---------------------------------------------------------------------------------


def test_several_texts_are_the_fields_of_one_input_or_inputs_of_one_field(told: Told) -> None:
    assert [one["label"] for one in told("toy", GOOD, BAD, "--json")] == ["yes", "no"]
    [one] = told("pair", "the film", "was bad", "--json")
    assert (one["row"], one["label"]) == (1, "no")


@pytest.mark.parametrize("texts", [["a"], ["a", "b", "c"]])
def test_a_wrong_number_of_fields_says_both_ways(told: Told, texts: list[str]) -> None:
    [found] = told("pair", *texts, "--json", code=2)
    assert f"takes 2 texts as one input (text, second); {len(texts)} w" in found["what"]
    assert 'functory run pair "text" "second"' in found["do"]
    assert "JSON Lines on stdin" in found["do"]
    assert "--input" in found["do"]


def test_json_lines_on_stdin_name_the_fields_by_any_of_their_columns(told: Told) -> None:
    lines = [
        {"text": "the film", "second": "was good"},
        {"hypothesis": "was bad", "premise": "the film", "id": 7},
        ["the film", "was poor"],
        {"text": "the film"},
        "no object",
        {"text": "the film", "second": 3},
    ]
    stdin = "".join(json.dumps(line) + "\n" for line in lines) + "{broken\n\n"
    found = told("pair", "--json", stdin=stdin)
    assert [one.get("label") for one in found] == ["yes", "no", "no", *[None] * 5]
    assert [one["where"].split(",")[1] for one in found[3:]] == [f" line {n}" for n in (4, 5, 6, 7, 8)]
    assert "'second' is 3" in found[5]["what"]
    assert 'write {"text": "…", "second": "…"}' in found[6]["do"]


def test_json_lines_are_read_for_one_field_too_where_that_is_said(told: Told) -> None:
    assert [one["label"] for one in told("toy", "--json", "--format", "jsonl", stdin=f'{{"text": "{GOOD}"}}\n"{BAD}"\n')] == [
        "yes", "no",
    ]  # fmt: skip
    [found] = told("toy", "--json", "--column", "text=body", stdin=f'{{"body": "{GOOD}", "text": "{BAD}"}}\n')
    assert found["label"] == "yes"
    for options in (["--format", "csv"], ["--no-header"], ["--read", "delimiter='|'"]):
        [found] = told("toy", "--json", *options, stdin="a", code=2)
        assert "--input /dev/stdin" in found["do"]


def test_a_json_object_that_is_read_as_a_text_is_noted_once(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", noted := io.StringIO())
        told("toy", stdin=f'{{"text": "{GOOD}"}}\n{{"text": "{BAD}"}}\n')
        told("toy", stdin="{good}\n{}\n")
    assert noted.getvalue() == "note: line 1 is a JSON object, and is read as a text; --format jsonl reads its fields.\n"


def test_a_closed_stdin_says_so(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    [found] = told("toy", "--json", code=2)
    assert "stdin is closed" in found["what"]


# -- as it comes ----------------------------------------------------------------------------------------------


def test_what_arrives_is_given_at_once_and_what_waits_together() -> None:
    gate = threading.Semaphore(0)

    def items() -> Iterator[int]:
        for number in range(10):
            gate.acquire()
            yield number

    found = arriving(items(), 4)
    gate.release()
    assert next(found) == [0]
    gate.release()
    assert next(found) == [1]
    gate.release(8)
    rest = list(found)
    assert [item for taken in rest for item in taken] == list(range(2, 10))
    assert max(map(len, rest)) <= 4


def test_what_fetching_raises_comes_after_what_was_fetched_and_an_early_end_leaves_no_thread() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise errors.DataError("the source broke.")

    found = arriving(items(), 4)
    assert next(found) == [1]
    with pytest.raises(errors.DataError, match="broke"):
        next(found)
    endless = arriving(iter(int, 1), 4)
    assert next(endless)
    endless.close()
    for thread in threading.enumerate():
        if thread.name == "functory-arriving":
            thread.join(60)
            assert not thread.is_alive()


def test_inputs_of_a_slow_source_are_answered_while_it_gives_them() -> None:
    now = [0.0]

    def source() -> Iterator[int]:
        for number, seconds in enumerate([0.1, 0.1, 9.0, 0.1, 0.1]):
            now[0] += seconds
            yield number

    assert list(gathered(source(), 2, patience=1.0, clock=lambda: now[0])) == [[0, 1], [2], [3, 4]]
    assert list(gathered(iter(()), 2)) == []


def test_map_gives_outputs_while_a_slow_source_gives_inputs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functory.running.mapping.gathered", partial(gathered, patience=0.0))  # every source is slow
    given: list[str] = []

    def source() -> Iterator[str]:
        for text in (GOOD, BAD, GOOD):
            given.append(text)
            yield text

    for number, output in enumerate(functory.load(place / "toy").map(source(), progress=False), 1):
        assert output.label == ("no" if number == 2 else "yes")
        assert len(given) == number


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        (b"a\nb\r\n\nc", "", ["a", "b", "", "c"]),
        (b"\xef\xbb\xbfa\n", "", ["a"]),
        ("好\nb\n".encode("utf-16"), "", ["好", "b"]),
        ("好\r\nb".encode("utf-32"), "", ["好", "b"]),
        ("é\nb\n".encode("cp1252"), "cp1252", ["é", "b"]),
        ("好\nb".encode("utf-16-le"), "utf-16-le", ["好", "b"]),
        (b"", "", []),
        (b"\n", "", [""]),
    ],
)
def test_lines_are_read_in_every_encoding(tmp_path: Path, content: bytes, encoding: str, expected: list[str]) -> None:
    (tmp_path / "a").write_bytes(content)
    with (tmp_path / "a").open() as stream:
        assert list(lines_of(stream, encoding)) == expected


def test_a_line_that_is_no_text_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\nb\xff\nc\n")
    with (tmp_path / "a").open() as stream:
        first, second, third = lines_of(stream)
    assert (first, third) == ("a", "c")
    assert isinstance(second, errors.DataError)
    assert second.what == "byte 2 of the line is not UTF-8 (0xff)."


def served(place: Path, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    """Start ``functory run`` on the toy functions in a process of its own."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from test_running import FilledTask; "
        "from functory.cli import main; from functory.plugins.registry import registered; "
        "from functory_sdk.testing import kit; k = kit(); k.__enter__(); "
        "r = registered('tasks', 'toy-filled', FilledTask, distribution='functory-sdk', version='0'); r.__enter__(); "
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), "run", "toy", *arguments]
    return subprocess.Popen(command, cwd=place, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, **streams)


def test_a_line_is_answered_while_the_pipe_stays_open_and_a_reader_that_has_enough_ends_it_quietly(place: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with served(place, "--json", **pipes) as child:
        for number, (text, label) in enumerate([(GOOD, "yes"), (BAD, "no"), (GOOD, "yes")], 1):
            child.stdin.write(f"{text}\n")
            child.stdin.flush()
            found = json.loads(child.stdout.readline())  # waits: nothing else was written
            assert (found["row"], found["label"]) == (number, label)
        child.stdout.close()
        child.stdin.write(f"{GOOD}\n" * 3)
        child.stdin.flush()
        assert child.wait(60) == 141  # while stdin is still open
        assert child.stderr.read() == ""


def test_a_pipe_that_is_named_as_data_is_read_once(told: Told, tmp_path: Path) -> None:
    pipe = tmp_path / "rows.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("".join(f'{{"text": "{text}"}}\n' for text in (GOOD, BAD)),))
    writer.start()
    found = told("toy", "--input", str(pipe), "--json")
    writer.join()
    assert [one["label"] for one in found] == ["yes", "no"]


def test_text_comes_as_it_is_written_or_as_json_for_each_piece(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    whole = [one["text"] for one in told("gen", GOOD, BAD, "--json")]
    pieces = told("gen", GOOD, BAD, "--json", "--stream")
    assert ["".join(one["piece"] for one in pieces if one["row"] == row) for row in (1, 2)] == whole
    assert [one["row"] for one in pieces if one.get("finish") in ("end", "length")] == [1, 2]
    assert main(["run", "gen", GOOD, "--stream"]) == 0
    assert capsys.readouterr().out == f"{whole[0]}\n"


def test_what_cannot_go_together_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(place / "toy"), GOOD, "--stream", "--json"]) == 2  # it does not write
    assert json.loads(capsys.readouterr().out)["error"] == "NotSupported"
    assert main(["run", "nothing", GOOD, "--stream", "--output", "a.csv"]) == 2
    assert "leave one of the two out" in capsys.readouterr().err
    assert main(["run", "nothing", GOOD, "--input", "a.csv"]) == 2
    assert "run on one of the two" in capsys.readouterr().err


# -- for people -----------------------------------------------------------------------------------------------


def test_one_text_is_answered_in_one_line_with_the_best_few(told: Told) -> None:
    [line] = told("toy", GOOD)
    assert line.startswith(("yes 0.", "yes 1."))
    assert ", no 0." in line
    [line] = told("toy", GOOD, "--top", "1")
    assert "no" not in line


def test_several_texts_stand_beside_their_answers_and_errors_in_their_places(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told("toy", stdin=f"{GOOD}\n\n{BAD}\n")
    assert [line.split("\t")[1] for line in found] == [GOOD, "", BAD]
    assert found[1].startswith("no answer: text: string should have at least 1 character")


@pytest.mark.parametrize("columns", [40, 80])
def test_on_a_terminal_no_line_is_longer_than_it_is_wide(
    place: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    long = ["电影很好看，" * 20 + "good", "a good film\x1b[2J " * 20, "bad\nnight"]
    with Terminal() as terminal:
        monkeypatch.setattr(sys, "stdout", terminal.stream)
        assert main(["run", "toy", *long]) == 0
    lines = terminal.text.splitlines()
    assert len(lines) == 3
    assert max(map(width, lines)) <= columns
    assert max(map(width, lines)) > columns - 3
    assert "\x1b" not in terminal.text
    assert lines[2].endswith("bad night")


class Nested(Output):
    """An output that is put together."""

    mood: Classification
    places: Entities
    count: int
    share: float
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = {}


MOOD = Classification(label="b", score=0.4, scores={"a": 0.5, "b": 0.4, "c": 0.1}, labels=("b",))
PLACES = Entities(entities=(Entity(text="Oslo", label="place", start=0, end=4, score=0.987),))
NESTED = Nested(mood=MOOD, places=PLACES, count=3, share=0.25, tags=("x", "y"), notes=("cut",))


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (MOOD, "b 0.400 (a 0.500, c 0.100)"),
        (Classification(label=None, score=0.3, scores={"a": 0.3, "b": 0.2}, labels=()), "no label (a 0.300, b 0.200)"),
        (Classification(label="a", score=0.9, scores={"a": 0.9, "b": 0.8}, labels=("a", "b")), "a 0.900, b 0.800"),
        (PLACES, "Oslo (place 0.987)"),
        (Entities(entities=()), "no entities"),
        (Written(text="one\ntwo", tokens=2, finish="end"), "one\ntwo"),
        (NESTED, "mood b 0.400 (a 0.500, c 0.100); places Oslo (place 0.987); count 3; share 0.250; x, y"),
    ],
)
def test_outputs_of_every_kind_are_told_in_a_line(output: Output, line: str) -> None:
    assert output.in_line(3) == line


def test_an_output_lies_in_cells_by_its_fields_and_scores_by_name_or_by_rank() -> None:
    assert NESTED.in_cells() == {
        "mood.label": "b", "mood.score": 0.4, "mood.scores.a": 0.5, "mood.scores.b": 0.4, "mood.scores.c": 0.1,
        "mood.labels": '["b"]',
        "places.entities": '[{"text": "Oslo", "label": "place", "start": 0, "end": 4, "score": 0.987}]',
        "count": 3, "share": 0.25, "tags": '["x", "y"]', "extra": "{}",
    }  # fmt: skip
    ranked = MOOD.in_cells(2)
    assert [ranked[f"scores.{n}"] for n in (1, 2)] == ["a", "b"]
    assert [ranked[f"scores.{n}.score"] for n in (1, 2)] == [0.5, 0.4]
    assert list(MOOD.with_best(2).scores.items()) == [("a", 0.5), ("b", 0.4)]


# -- as a file ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_a_table_has_the_answers_beside_the_inputs_and_their_columns(
    told: Told, tmp_path: Path, ending: str, delimiter: str
) -> None:
    source, out = tmp_path / "a.csv", tmp_path / f"out{ending}"
    source.write_text(f'id,text,label\n1,"{GOOD},\nreally",yes\n2,"",no\n3,{BAD},no\n')
    [line] = told("toy", "--input", str(source), "--on-bad-row", "keep", "--output", str(out))
    assert line == f"3 rows written to {out}"
    with out.open(newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file, delimiter=delimiter)
    assert header == [
        "id", "text", "label", "predicted.label", "predicted.scores.no", "predicted.scores.yes", "predicted.error",
    ]  # fmt: skip
    assert found[0][:4] == ["1", f"{GOOD},\nreally", "yes", "yes"]
    assert found[2][:4] == ["3", BAD, "no", "no"]
    assert float(found[2][4]) > 0.5
    assert found[1][3:6] == ["", "", ""]
    assert "a.csv, line 4, column 'text'" in found[1][6]
    assert "'text' is empty" in found[1][6]
    assert [row[6] for row in (found[0], found[2])] == ["", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", out.name]


def test_json_lines_hold_the_inputs_and_the_outputs_and_top_keeps_the_best(told: Told, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    [said] = told("toy", "--output", str(out), "--top", "1", "--json", stdin=f"{GOOD}\n\n{BAD}\n")
    assert said == {"output": str(out), "rows": 3, "errors": 1}
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["text"] for one in found] == [GOOD, "", BAD]
    assert [list(one["predicted"].get("scores", ())) for one in found] == [["yes"], [], ["no"]]
    assert found[1]["predicted"]["error"] == "InputError"


def test_a_file_is_written_whole_or_not_at_all(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before")
    told("toy", "--output", str(out), "--on-bad-row", "stop", stdin=f"{GOOD}\n\n", code=2)
    assert out.read_text() == "before"

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(functory.Function, "map", interrupted)
        told("toy", GOOD, "--output", str(out), code=130)
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    told("toy", GOOD, "--output", str(out))
    assert out.read_text().startswith("text,predicted.label")


def test_a_place_that_cannot_be_written_is_told_before_anything_is_computed(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.setattr(functory.Function, "map", lambda *_, **__: pytest.fail("it was computed"))
    for place, why in (("file/out.csv", ""), ("folder.csv", "it is a folder")):
        [found] = told("toy", GOOD, "--output", str(tmp_path / place), "--json", code=2)
        assert f"{tmp_path / place} cannot be written: {why}" in found["what"]
    with pytest.raises(errors.UsageError, match="cannot be written"):
        functory.load("toy").save(tmp_path / "file" / "toy")


def test_a_name_that_tells_no_format_is_refused_before_anything_is_computed(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functory.Function, "map", lambda *_, **__: pytest.fail("it was computed"))
    [found] = told("toy", GOOD, "--output", str(tmp_path / "out.xlsx"), "--json", code=2)
    assert "'out.xlsx' tells no format" in found["what"]
    assert ".csv, .tsv, .tab, .jsonl" in found["do"]
