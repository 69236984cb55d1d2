"""The command line: what `list`, `info` and `cache` print, and every way that a verb can end."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from functory.cli import SUMMARIES, main
from functory.cli.dispatch import parser_of
from functory.cli.output import print_columns, print_json, print_paragraphs
from functory.machine import configuration, holding, places
from functory.plugins import registry as plugins

VERB = """
from functory.contracts.command import Command

class Verb(Command):
    help = "do as the test says"
    example = "functory verb"

    def add_arguments(self, parser):
        parser.add_argument("--text", default="")

    def run(self, args):
        {body}

COMMAND = Verb()
"""

OPTIONS = '''
from pydantic import Field

from functory.contracts.packager import Packager
from functory.contracts.component import Options

class ThingOptions(Options):
    rank: int = Field(8, ge=1, le=256, description="Rows of the small matrices.")
    form: str = Field(description="What it looks like.")

class Thing(Packager[ThingOptions]):
    """Does a small thing."""

    paper = "Nobody 2020, Nothing"
    examples = ("functory thing --now",)

    def package(self, artefact, name, target):
        return []
'''


def verb(site: Any, body: str) -> None:
    """Install a verb with this body."""
    site.add("functory-verb", {"commands": {"verb": "COMMAND"}}, VERB.format(body=body))
    plugins.refresh()


def test_list_aligns_each_kind_and_marks_what_the_short_name_does_not_reach(
    broken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--kind", "packagers"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "packagers"
    assert re.search(r"^  good +functory-good +1\.0 +The summary of functory-good$", out, re.MULTILINE)
    assert re.search(
        r"^  functory-twin:twice +functory-twin +1\.0 +\[two distributions claim this name: say", out, re.M
    )
    assert re.search(r"^  other-contract .*\[contract 99; this functory speaks 1\]", out, re.MULTILINE)
    assert len({re.search(r" \d+\.\d+(\.\d+)? ", line).start() for line in lines[1:]}) == 1
    assert "bad-unreadable-metadata: the metadata of bad-unreadable-metadata is no UTF-8." in err


def test_list_as_json_says_how_to_refer_to_each(broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    found = {
        (row["kind"], row["distribution"], row["name"]): row for row in json.loads(capsys.readouterr().out)
    }
    assert found["packagers", "functory-twin", "twice"]["reference"] == "functory-twin:twice"
    assert found["packagers", "functory-good", "good"]["reference"] == "good"
    assert found["packagers", "bad-other-contract", "other-contract"]["speaks"] is False
    assert found["commands", "functory", "list"]["ambiguous"] is False


def test_info_tells_options_with_defaults_and_ranges_and_the_source(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, OPTIONS)
    plugins.refresh()
    assert main(["info", "thing"]) == 0
    out = capsys.readouterr().out
    assert "thing  (packager, functory-thing 1.0)\n\nDoes a small thing.\n" in out
    assert "rank  a whole number from 1 to 256, by default 8  Rows of the small matrices." in out
    assert re.search(r"form  a text, must be given +What it looks like\.", out)
    assert "Nobody 2020, Nothing" in out
    assert "functory thing --now" in out
    assert main(["info", "thing", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["schema"]["properties"]["rank"]["maximum"] == 256


def test_info_finds_a_name_in_every_kind_and_guesses_an_unknown_one(
    broken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "list"]) == 0
    assert "list the installed components" in capsys.readouterr().out
    assert main(["info", "goood"]) == 2
    assert (
        "UnknownComponent: there is no component named 'goood'.\n  do:    did you mean 'good'?"
        in capsys.readouterr().err
    )


def test_an_error_has_three_parts_on_stderr_and_is_json_on_stdout_when_asked(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = 'DataError("a row is empty.", where="a.csv, line 3", do="fill it.")'
    body = f"from functory.errors import DataError; raise {fault}"
    verb(site, body)
    assert main(["verb"]) == 1
    text = "DataError: a row is empty.\n  where: a.csv, line 3\n  do:    fill it.\n"
    assert capsys.readouterr() == ("", text)
    assert main(["verb", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": "DataError",
        "what": "a row is empty.",
        "where": "a.csv, line 3",
        "do": "fill it.",
    }
    assert err == text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["verfiy"], "UnknownComponent: there is no command named 'verfiy'.\n  do:    did you mean 'verify'?"),
        (["list", "--kind", "potions"], "UsageError: argument --kind: invalid choice: 'potions'"),
        (["list", "--knd", "x"], "UsageError: unrecognized arguments: --knd.\n  where: functory list\n"),
        (["--list"], "UsageError: there is no option '--list' before the verb."),
        (["doctor", "--timeout", "-1"], "'-1' is no number of seconds from above 0 to 3600"),
    ],
)
def test_who_asks_wrongly_is_told_so_and_gets_exit_code_2(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert message in capsys.readouterr().err


def test_an_unexpected_exception_names_the_plugin_and_the_file_with_the_traceback(
    site: Any, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(site, 'raise KeyError("lost")')
    assert main(["verb"]) == 1
    err = capsys.readouterr().err
    assert "UnexpectedError: KeyError: 'lost'\n  where: " in err
    assert "functory_verb.py, line 12" in err
    assert "this is a bug in the plugin functory-verb." in err
    assert "Traceback" not in err
    (log,) = (cache / "logs").iterdir()
    assert str(log) in err
    assert "KeyError: 'lost'" in log.read_text()


def test_a_module_that_is_missing_at_its_first_use_is_no_bug_but_is_not_installed(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(site, "import a_library_that_nobody_has")
    assert main(["verb"]) == 1
    err = capsys.readouterr().err
    assert "functory-verb 1.0 needs the module 'a_library_that_nobody_has', which is not installed." in err
    assert "do:    pip install a-library-that-nobody-has, if that is what brings it." in err
    assert "bug" not in err


def test_the_debug_variable_lets_the_exception_through(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTORY_DEBUG", "1")
    verb(site, 'raise KeyError("lost")')
    with pytest.raises(KeyError):
        main(["verb"])


def test_ctrl_c_ends_with_130_and_without_a_traceback(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    verb(site, "raise KeyboardInterrupt")
    assert main(["verb"]) == 130
    assert capsys.readouterr().err == "\ninterrupted.\n"


def test_a_verb_says_what_becomes_of_interrupted_work(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    verb(site, 'raise KeyboardInterrupt("The first half is kept.")')
    assert main(["verb"]) == 130
    assert capsys.readouterr().err == "\ninterrupted. The first half is kept.\n"


def test_a_reader_that_has_enough_ends_the_program_quietly(site: Any) -> None:
    verb(site, "for line in range(100_000): print(line)")
    path = f"import sys; sys.path.insert(0, {str(site.folder)!r})"
    code = f"{path}\nfrom functory.cli import main\nsys.exit(main(['verb']))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"0\n"
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(60) == 141


def test_a_broken_verb_is_named_and_the_other_verbs_work(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-bad", {"commands": {"bad": "COMMAND"}}, "import nothing_of_that_name")
    plugins.refresh()
    assert main(["bad"]) == 1
    assert "PluginImportError: functory-bad 1.0 (command 'bad') needs the module" in capsys.readouterr().err
    assert main(["list", "--kind", "hooks"]) == 0


def test_a_plugin_cannot_take_a_verb_of_the_cores(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.add(
        "functory-thief", {"commands": {"list": "COMMAND"}}, VERB.format(body="print('stolen'); return 0")
    )
    plugins.refresh()
    assert main(["list", "--kind", "hooks"]) == 0
    assert "stolen" not in capsys.readouterr().out
    assert main(["functory-thief:list"]) == 0
    assert "stolen" in capsys.readouterr().out


def test_help_lists_every_verb_without_importing_a_strangers(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-verb", {"commands": {"verb": "COMMAND"}}, "1 / 0")
    plugins.refresh()
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  verb +The summary of functory-verb \(functory-verb\)$", out, re.MULTILINE)
    assert re.search(rf"^  list +{SUMMARIES['list']}$", out, re.MULTILINE)


def test_cache_shows_each_area_and_clears_what_it_was_told(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (places.cache("weights", "minilm") / "a.bin").write_bytes(b"x" * 1500)
    (places.cache("features") / "b.bin").write_bytes(b"x" * 7)
    assert main(["cache"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"features +7 B +1 entry +under a bound of \S+ [MGT]B together", out)
    assert re.search(r"weights +1.5 kB +1 entry +stays until it is cleared", out)
    assert main(["cache", "clear", "features", "--yes"]) == 0
    assert main(["cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2]) == {
        "folder": str(cache), "bytes": 1500, "limit": int(configuration.cache_limit(cache)),
        "areas": {"weights": {"bytes": 1500, "entries": 1, "is_bounded": False}},
    }  # fmt: skip


def test_cache_shows_and_clears_entries_and_what_was_not_used_for_long(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE_LIMIT", "none")
    for name, days in (("old", 40), ("older", 50), ("new", 0)):
        folder, used = places.cache("features", name), time.time() - days * 86400
        (folder / "a.bin").write_bytes(b"x" * 10)
        for path in (folder / "a.bin", folder):
            os.utime(path, (used, used))
    assert main(["cache", "show", "features"]) == 0
    lines = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()[1:]]
    ages = {"new": "used within the hour", "old": "used 40 days ago", "older": "used 50 days ago"}
    assert lines == [[name, "10 B", age] for name, age in ages.items()]
    assert main(["cache", "show", "features", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["limit"] is None
    assert [one["name"] for one in told["entries"]] == ["older", "old", "new"]
    assert main(["cache", "clear", "--older-than", "45d", "--yes"]) == 0
    assert capsys.readouterr().out == "cleared features (10 B).\n"
    assert main(["cache", "clear", "features/new", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(cache), "cleared": {"features": 10}}
    assert [one.name for one in (cache / "features").iterdir()] == ["old"]


def test_a_run_that_a_build_holds_is_not_cleared(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mine", "left"):
        (places.cache("runs", name) / "step").write_bytes(b"x")
    held = holding.take(cache / "runs" / "mine")
    assert held is not None
    assert main(["cache", "clear", "--yes"]) == 0
    assert "mine is in use by a build, and is left alone." in capsys.readouterr().err
    assert [one.name for one in (cache / "runs").iterdir()] == ["mine"]
    held.release()
    assert main(["cache", "clear", "--yes"]) == 0
    assert not (cache / "runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["clear", "features/ol"], "2 entries of 'features' begin so"), (["clear", "features/../x"], "no entry '../x'"),
     (["clear", "features", "--older-than", "soon"], "'soon' is no age"),
     (["show", "--older-than", "3d"], "says what is cleared")],
)  # fmt: skip
def test_what_cannot_be_meant_of_the_cache_is_refused(
    cache: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("old", "older"):
        places.cache("features", name)
    assert main(["cache", *words, "--yes"]) == 2
    assert said in capsys.readouterr().err
    assert len(list((cache / "features").iterdir())) == 2


def test_a_file_in_the_cache_s_place_holds_nothing(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write_text("")
    assert main(["cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["areas"] == {}


def test_clearing_asks_first_and_without_a_terminal_refuses(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = places.cache("weights")
    monkeypatch.setattr("sys.stdin", (cache / places.TAG).open())
    assert main(["cache", "clear"]) == 2
    assert "say --yes" in capsys.readouterr().err
    assert kept.is_dir()


def test_a_folder_that_is_no_cache_is_never_cleared(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cache / "photographs").mkdir(parents=True)
    assert places.cache("weights").is_dir()
    assert main(["cache", "clear", "photographs", "--yes"]) == 1
    assert "is left alone" in capsys.readouterr().err
    assert (cache / "photographs").is_dir()


def test_an_area_that_is_not_there_is_refused_and_no_path_leaves_the_cache(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places.cache("weights")
    assert main(["cache", "clear", "../site", "--yes"]) == 2
    assert "the cache has no area '..'" in capsys.readouterr().err


def test_json_has_nothing_where_a_number_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1.5, float("nan"), (float("inf"), {"b": -float("inf")})], "c": "NaN"})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {"a": [1.5, None, [None, {"b": None}]], "c": "NaN"}


@pytest.mark.parametrize("before", [None, "0", "1"])
def test_quiet_says_what_the_variable_says_to_the_verb_and_what_it_starts_and_to_nothing_after(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:

    monkeypatch.delenv("FUNCTORY_QUIET", raising=False)
    if before is not None:
        monkeypatch.setenv("FUNCTORY_QUIET", before)
    verb(site, 'import os; print(os.environ.get("FUNCTORY_QUIET")); return 0')
    assert main(["verb"]) == main(["verb", "--quiet"]) == 0
    assert capsys.readouterr().out == f"{before}\n1\n"
    assert os.environ.get("FUNCTORY_QUIET") == before


def test_every_verb_of_the_cores_takes_quiet_and_json_and_the_help_names_the_variable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in SUMMARIES:
        assert main([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert "--json" in out
        assert re.search(r"--quiet\s+show no progress on stderr, as FUNCTORY_QUIET=1 does", out)
    assert main(["--help"]) == 0
    assert "FUNCTORY_QUIET=1" in capsys.readouterr().out


def test_a_paragraph_goes_on_below_itself_and_begins_there_where_there_is_no_room_beside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("rank", "a whole number", "Rows of the small matrices, which stand beside the large one."), ("b", "", "B.")]
    for columns, lines in (
        (70, ["  rank  a whole number  Rows of the small matrices, which stand beside", "                        the large one.",
              "  b                     B."]),
        (50, ["  rank  a whole number", "      Rows of the small matrices, which stand", "      beside the large one.",
              "  b", "      B."]),
    ):  # fmt: skip
        monkeypatch.setattr("functory.cli.output.terminal_width", lambda columns=columns: columns)
        print_paragraphs(rows)
        assert capsys.readouterr().out.splitlines() == lines


def test_what_a_name_holds_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for layout in (print_columns, print_paragraphs):
        layout([("\x1b[2Ja", "b\x07")])
        assert capsys.readouterr().out == "  \ufffd[2Ja  b\ufffd\n"


def test_every_example_of_the_help_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    told = capsys.readouterr().out
    assert "functory build --task" in told
    examples = told + "".join(plugins.load("commands", verb).example + "\n" for verb in SUMMARIES)
    for line in (line for line in examples.splitlines() if line.strip().startswith("functory ") and "VERB" not in line):
        _, verb, *arguments = shlex.split(line.partition(" > ")[0])
        parser_of(plugins.load("commands", verb)).parse_intermixed_args(arguments)


@pytest.mark.parametrize(
    "arguments",
    [["run", "f", "--json", "a text"], ["run", "--json", "f", "a text"], ["run", "f", "a text", "--json"]],
)
def test_options_stand_before_between_and_after_what_a_verb_is_given(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "ArtefactError"
    assert main(["run"]) == 2
    assert "are required: function." in capsys.readouterr().err


def test_a_verb_with_verbs_of_its_own_parses_as_argparse_does(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    body = VERB.replace('parser.add_argument("--text", default="")', 'parser.add_subparsers(dest="sub").add_parser("go")')
    site.add("functory-verb", {"commands": {"verb": "COMMAND"}}, body.format(body="print(args.sub); return 0"))
    plugins.refresh()
    assert main(["verb", "go"]) == 0
    assert capsys.readouterr().out == "go\n"


PLAINLY = {"ascii": "? phi ?", "latin-1": "é phi ?", "utf-8": "é φ 😀"}


@pytest.mark.parametrize("encoding", list(PLAINLY))
def test_what_an_output_cannot_write_is_replaced_and_in_json_escaped(
    encoding: str, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(site, "print('{\"a\": \"é φ 😀\"}'); return 0")
    for options, wanted in (["--json"], None), ([], PLAINLY[encoding]):
        out = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["verb", *options]) == 0
        out.seek(0)
        assert json.loads(out.read()) == {"a": wanted or "é φ 😀"}
        assert out.errors == "strict"


def test_info_of_a_file_says_that_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.csv").write_text("text\n")
    assert main(["info", "answers.csv"]) == 1
    assert "this is a file, and a saved function is a folder." in capsys.readouterr().err
