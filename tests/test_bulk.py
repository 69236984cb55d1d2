"""``functory run --input FILE --output FILE``: whole or not at all, and after kill -9 the same bytes as in one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import functory
from functory.cli import main
from functory.data import read
from functory.machine.journal import Journal
from functory.machine.places import cache_root
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

GOOD, BAD = "we saw the good film", "rain in the bad night"
ROWS = 1000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the saved function `toy`, and a thousand rows with types of their own."""
    folder = tmp_path_factory.mktemp("bulk")
    with kit():
        built = functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", seed=1, report=False)
        built.save(folder / "toy")
    texts = [row["text"] for row in rows(ROWS, seed=4)]
    table = pa.table({"id": range(ROWS), "text": texts, "when": pa.array([0] * ROWS, pa.timestamp("us"))})
    parquet.write_table(table, folder / "in.parquet")
    return folder


@pytest.fixture
def run(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run the verb in that folder; return its exit code, stdout and stderr."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path_factory.mktemp("cache")))

    def run(*arguments: str) -> tuple[int, str, str]:
        with kit():
            code = main(["run", "toy", *arguments])
        return code, *capsys.readouterr()

    return run


def left() -> list[Path]:
    """The runs that were broken off."""
    return list((cache_root() / "runs").glob("answers-*"))


@pytest.mark.parametrize(("ending", "moments"), [("parquet", (2, 1)), ("csv", (3,))])
def test_a_run_that_is_killed_goes_on_where_it_was_and_writes_the_bytes_of_one_run(
    run: Any, place: Path, tmp_path: Path, ending: str, moments: tuple[int, ...]
) -> None:
    whole, resumed = tmp_path / f"whole.{ending}", tmp_path / f"resumed.{ending}"
    assert run("--input", "in.parquet", "--output", str(whole))[0] == 0
    for moment in moments:  # so many lists of answers are whole by then
        assert killed(place, resumed, moment) == -signal.SIGKILL
        assert not resumed.exists()
    [folder] = left()
    with (folder / "answers.jsonl").open("ab") as file:
        file.write(b'{"answer":{"label":"forg')  # death in the midst of a line
    code, out, err = run("--input", "in.parquet", "--output", str(resumed))
    assert code == 0, err
    assert "going on after 768 rows" in err
    assert out == f"{ROWS:,} rows written to {resumed}\n"
    assert resumed.read_bytes() == whole.read_bytes()
    assert not left()
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([whole.name, resumed.name])


def killed(place: Path, output: Path, moment: int) -> int:
    """Run in a process that dies once so many lists were answered; return its exit code."""
    code = (
        "import os, signal, sys; from functory.function import Function; from functory.cli import main\n"
        "from functory_sdk.testing import kit\n"
        "k = kit(); k.__enter__(); real, left = Function.map, [int(sys.argv.pop(1))]\n"
        "def map(self, values, **options):\n"
        "    if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    return real(self, values, **options)\n"
        "Function.map = map; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(moment), "run", "toy", "--input", "in.parquet", "--output", str(output)]
    done = subprocess.run(command, cwd=place, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False, capture_output=True)
    return done.returncode


def test_parquet_keeps_the_types_of_the_inputs_and_holds_an_output_as_a_struct(run: Any, place: Path, tmp_path: Path) -> None:
    assert run("--input", "in.parquet", "--output", str(tmp_path / "out.parquet"))[0] == 0
    found = parquet.read_table(tmp_path / "out.parquet")
    assert [str(found.schema.field(name).type) for name in ("id", "text", "when")] == ["int64", "string", "timestamp[us]"]
    assert pa.types.is_struct(found.schema.field("predicted").type)
    with kit():
        says = functory.load("toy")(found["text"][0].as_py())
    assert found["predicted"][0].as_py()["label"] == says.label
    assert found["id"].to_pylist() == list(range(ROWS))


def test_bad_rows_are_told_by_line_and_column_and_left_out_or_kept_as_asked(run: Any, tmp_path: Path) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    lines = [json.dumps({"text": GOOD, "n": 1}), '{"text": 7}', "no json", json.dumps({"text": BAD, "n": "two"})]
    source.write_text("\n".join(lines), "utf-8")
    code, _, err = run("--input", str(source), "--output", str(out))
    assert code == 1
    assert "a.jsonl, line 2, column 'text'" in err
    assert "a.jsonl, line 3" in err
    assert not out.exists()
    for bad, count in (("skip", 2), ("keep", 4)):
        code, said, err = run("--input", str(source), "--output", str(out), "--on-bad-row", bad)
        assert (code, said) == (0, f"{count} rows written to {out}\n")
        assert "note: 2 of 4 rows have no answer" in err
        assert ("left out" in err) == (bad == "skip")
        assert "a.jsonl, line 2, column 'text': " in err
        assert "a.jsonl, line 3, character 1: " in err
        labels = [one.values["predicted"].get("label") for one in read(out)]
        assert labels == (["yes", "no"] if bad == "skip" else ["yes", None, None, "no"])
    assert "a.jsonl, line 2" in read(out)[1].values["predicted"]["where"]
    assert run("--input", str(source), "--output", str(tmp_path / "o.parquet"), "--on-bad-row", "keep")[0] == 0
    assert parquet.read_table(tmp_path / "o.parquet")["n"].to_pylist() == ["1", None, None, "two"]  # of two kinds: JSON
    assert run("--input", str(source), "--output", str(tmp_path / "o.csv"), "--on-bad-row", "keep")[0] == 0
    assert "a.jsonl, line 2, column 'text': " in read(tmp_path / "o.csv")[1].values["predicted.error"]


def test_an_error_keeps_the_lists_before_it_and_the_same_run_may_then_leave_the_row_out(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"text": f"{GOOD} {n}"}) + "\n" for n in range(600)), "utf-8")
    real, asked = functory.Function.map, []

    def mapped(self: Any, values: Any, **options: Any) -> Any:
        asked.append(len(values))
        if any(value.text.endswith(" 300") for value in values):
            raise functory.errors.TooLong("the text is too long.", do="cut it.")
        return real(self, values, **options)

    monkeypatch.setattr(functory.Function, "map", mapped)
    code, _, err = run("--input", str(source), "--output", str(out))
    assert code == 2
    assert "a.jsonl, line 301" in err
    assert "256 rows are answered and kept: the same command goes on from there." in err
    asked.clear()
    code, _, err = run("--input", str(source), "--output", str(out), "--on-bad-row", "skip")
    assert (code, asked[0]) == (0, 256)
    assert "1 of 600 rows have no answer, and are left out, the first: a.jsonl, line 301" in err
    assert len(read(out)) == 599


def test_another_function_another_file_or_a_file_that_changed_goes_on_from_nothing(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    source.write_text((json.dumps({"text": GOOD}) + "\n") * 300, "utf-8")

    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    def broken_off(*arguments: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("functory.using.bulk.file_written_whole", interrupted)
            code, _, err = run(*arguments)
        assert code == 130
        assert "300 rows are answered and kept: the same command goes on from there." in err

    broken_off("--input", str(source), "--output", str(out))
    assert "going on" not in run("--input", str(source), "--output", str(out), "--top", "1")[2]
    assert "going on after 300 rows" in run("--input", str(source), "--output", str(tmp_path / "other.jsonl"))[2]
    broken_off("--input", str(source), "--output", str(out))
    source.write_text((json.dumps({"text": BAD}) + "\n") * 300, "utf-8")
    assert "going on" not in run("--input", str(source), "--output", str(out))[2]
    assert read(out)[0].values["predicted"]["label"] == "no"


def test_a_column_that_answers_would_be_written_over_is_refused(run: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps({"text": GOOD, "predicted": 1}), "utf-8")
    code, _, err = run("--input", str(source), "--output", str(tmp_path / "out.jsonl"))
    assert code == 1
    assert "the input has a column 'predicted', as the answers do" in err
    assert not left()


def test_a_journal_gives_up_what_follows_its_last_whole_batch(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.add(["a", "b"], {"columns": ["x"]})
    journal.add(["c"])
    journal.close()
    whole = (tmp_path / "j").read_bytes()
    damages = ((whole[:-3], 2), (whole.replace(b"c\n", b"d\n"), 2), (whole + b"e\n", 3), (whole[5:], 0), (b"", 0))
    for damaged, rows_left in damages:
        (tmp_path / "j").write_bytes(damaged)
        again = Journal(tmp_path / "j")
        assert (again.rows, len(list(again.lines()))) == (rows_left, rows_left)
        assert again.notes == ([{"columns": ["x"]}] if rows_left else [])
        again.add(["f"])
        again.close()
        assert [*Journal(tmp_path / "j").lines()][-1] == b"f\n"
