"""Stdout and stderr while a verb runs: foreign text is harmless, answers are themselves, every character finds a place."""

from __future__ import annotations

import io
import json
import sys
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

import pytest

from functory.cli import main
from functory.plugins import registry as plugins
from functory.terminal import show, table, tell, text
from functory.terminal.streams import FALLBACKS, exact, harmless_streams
from functory_sdk.testing import Terminal

HOSTILE = "a\x1b[31mb\x1b]0;t\x07c\x9b2Jd\u202ee\u2066f\u200bg\ud800h\ri"
HARMLESS = "a\ufffd[31mb\ufffd]0;t\ufffdc\ufffd2Jd\ufffde\ufffdf\ufffdg\ufffdh\ufffdi"
VERB = """
import sys
from functory_sdk import Command

class Verb(Command):
    name, help, example = "verb", "does it", "functory verb"

    def add_arguments(self, parser):
        parser.add_argument("--size", help="{help}", choices=["{help}"])

    def run(self, args):
        {body}
        return 0

COMMAND = Verb()
"""


def verb(site: Any, body: str, help: str = "") -> None:
    """Install a verb of a stranger's."""
    site.add("acme-verb", {"commands": {"verb": "COMMAND"}}, VERB.format(body=body, help=help))
    plugins.refresh()


def ours(what: str) -> Any:
    """Return a function of functory's own that prints to whatever stdout is then."""
    names: dict[str, Any] = {"__name__": "functory.cli.verb", "what": what}
    exec("def said(): print(what, end='')", names)
    return names["said"]


def test_what_functory_prints_is_harmless_on_a_terminal_and_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    monkeypatch.setattr(sys, "stdout", pipe)
    with harmless_streams(False):
        ours(HOSTILE)()
    pipe.flush()
    assert pipe.buffer.getvalue().decode() == HARMLESS  # type: ignore[attr-defined]
    assert sys.stdout is pipe
    with Terminal() as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal.stream)
        with harmless_streams(False):
            ours(HOSTILE)()
    assert terminal.text == HARMLESS


def test_json_means_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", pipe)
    value = {"name\u202e": HOSTILE, "b": "\U000e0041 é φ"}
    with harmless_streams(True):
        ours(json.dumps(value, ensure_ascii=False))()
    pipe.flush()
    written = pipe.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert json.loads(written) == value
    assert written.isprintable()
    assert "é φ" in written


def test_an_answer_is_itself_in_a_pipe_and_harmless_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = HOSTILE.replace("\ud800", "")
    pipe = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    with Terminal() as terminal:
        for stream in (pipe, terminal.stream):
            monkeypatch.setattr(sys, "stdout", stream)
            with harmless_streams(False):
                names: dict[str, Any] = {"__name__": "functory.cli.run", "exact": exact, "whole": whole, "sys": sys}
                exec("exact(sys.stdout).write(whole); exact(sys.stdout).flush()", names)
    assert pipe.buffer.getvalue().decode() == whole  # type: ignore[attr-defined]
    assert terminal.text == HARMLESS.replace("g\ufffdh", "gh")


def test_a_strangers_verb_may_draw_on_a_terminal_and_give_whole_data_to_a_pipe(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = r"\r\x1b[1A\x1b[2K\x1b[1;31mred\x1b[0m"
    verb(site, rf'print("{drawn} \x1b]0;t\x07 \u202e", end="")')
    pipe = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    with Terminal() as terminal:
        for stream in (pipe, terminal.stream):
            monkeypatch.setattr(sys, "stdout", stream)
            assert main(["verb"]) == 0
    assert pipe.buffer.getvalue().decode() == "\r\x1b[1A\x1b[2K\x1b[1;31mred\x1b[0m \x1b]0;t\x07 \u202e"  # type: ignore[attr-defined]
    assert terminal.text == "\r\x1b[1A\x1b[2K\x1b[1;31mred\x1b[0m \ufffd]0;t\ufffd \ufffd"


def test_our_own_colours_and_bars_reach_the_terminal_and_what_is_in_them_does_not_steer_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functory.terminal import progress

    class Drawn:
        def __rich__(self) -> Any:
            from rich.text import Text

            return Text(HOSTILE, "red")

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Terminal() as terminal:
        monkeypatch.setattr(sys, "stdout", terminal.stream)
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        with harmless_streams(False), progress(3, f"bar {HOSTILE}") as bar:
            bar.say(HOSTILE)
            show(table((HOSTILE,), [(HOSTILE,)], title=HOSTILE))
            show(text(HOSTILE, "bold"))
            show(Drawn())
            ours(HOSTILE + "\n")()
            bar.advance()
    assert "\x1b[1m" in terminal.text, "bold"
    assert "\x1b[31m" + HARMLESS[:1] in terminal.text, "red, and the foreign red is not"
    assert terminal.text.count("\x1b[31m") == 1
    assert "\x1b[2K" in terminal.text, "the bar"
    assert not set(terminal.text) & set("\x07\x9b\u202e\u2066\u200b")


def test_argparse_warnings_and_errors_are_harmless(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warn = r'import logging, warnings; warnings.warn("\x1b[2J\u202e")'
    verb(site, warn + r'; logging.StreamHandler().emit(logging.makeLogRecord({"msg": "\x9b"}))', help=r"\x1b[31m\u202e")
    spec = find_spec("warnings")
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)  # pytest keeps those of the other one to itself
    spec.loader.exec_module(fresh)
    monkeypatch.setitem(sys.modules, "warnings", fresh)
    fresh.simplefilter("always")
    for arguments in (["verb", "--help"], ["verb", "--size", "\x1b[31m"], ["verb", "\x9b"], ["\x1b[31m"]):
        main(arguments)
    main(["list", "--kind", "\u202e"])
    main(["verb"])
    told = capsys.readouterr()
    assert "UserWarning: \ufffd[2J\ufffd" in told.err
    assert "\n\ufffd\n" in told.err, "what is logged"
    assert "usage: " in told.out
    assert not set(told.out + told.err) & set("\x1b\x9b\u202e")


def test_a_stream_that_is_not_there_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with harmless_streams(False):
        tell("nobody reads this")
    assert sys.stderr is None
    closed = io.StringIO()
    closed.close()
    tell("nor this", closed)


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252", "latin-1", "cp932", "utf-8", "utf-16"])
def test_every_character_finds_a_place_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, newline="\n") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with harmless_streams(False):
        ours("".join(FALLBACKS) + "新\n")()
        tell("".join(FALLBACKS) + "新")
    for stream in (out, err):
        stream.flush()
        written = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
        assert "?" not in written.rstrip("?\n"), "each of our own signs has one to stand for it"
    assert out.errors == err.errors == "strict"
    assert all(value.isascii() for value in FALLBACKS.values())


def test_our_own_signs_all_have_one_to_stand_for_them() -> None:
    import ast

    signs: set[str] = set()
    root = Path(__file__).resolve().parents[2]
    for file in [*root.glob("core/src/functory/cli/*.py"), *root.glob("core/src/functory/terminal/*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                signs |= {one for one in node.value if ord(one) > 127 and not one.isalpha()}
    assert not {one for one in signs if one.isprintable()} - set(FALLBACKS)


def test_colours_find_a_place_on_a_terminal_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Terminal() as terminal:
        terminal.stream.reconfigure(encoding="ascii", errors="strict")  # type: ignore[attr-defined]
        show(table(("φ", "→"), [("新", "×")], title="θ"), terminal.stream)
        show(text("φ", "bold"), terminal.stream)
        tell("φ", terminal.stream)
    assert "\x1b[1m" in terminal.text
    assert terminal.text.isascii()
    assert terminal.text.count("phi") == 3


STRANGER = "import sys\ndef leave(): sys.exit(0)\nclass Bye(BaseException): pass\ndef part(): raise Bye('bye')\n"


@pytest.mark.parametrize(("how", "told"), [("leave", "SystemExit: 0"), ("part", "Bye: bye")])
def test_a_plugin_that_ends_the_program_within_anothers_verb_is_named(
    how: str, told: str, site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("acme-away", {"hooks": {"away": "leave"}}, STRANGER)
    verb(site, f"import acme_away; acme_away.{how}()")
    assert main(["verb"]) == 1
    message = capsys.readouterr().err
    assert f"UnexpectedError: {told}" in message
    assert "acme_away.py, line" in message
    assert "a bug in the plugin acme-away" in message


def test_a_verb_may_end_itself(site: Any) -> None:
    verb(site, "sys.exit(7)")
    assert main(["verb"]) == 7


MEDDLES = {
    "wraps": "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'utf-8')",
    "detaches": "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8')",
    "encodes": "sys.stdout = codecs.getwriter('utf-8')(sys.stdout.buffer)",
    "prints": "import builtins\nold = builtins.print\ndef new(*words, **how):\n    old(*words, **how)\nbuiltins.print = new",
}


def test_what_an_import_puts_in_the_place_of_stdout_or_of_print_loses_no_line_of_a_verb(site: Any) -> None:
    lines = []
    for name, source in MEDDLES.items():
        site.add(f"acme-{name}", {"packagers": {f"acme-{name}": "Thing"}}, f"import codecs, io, sys\n{source}\n{site.good}")
        lines += [f"main(['info', 'acme-{name}', '--json'])", "gc.collect()", "print('still there', file=sys.stderr)"]
    done = site.run(code="\n".join(["import gc, sys", "from functory.cli import main", *lines]))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "still there\n" * len(MEDDLES)
    decoder, text, found = json.JSONDecoder(), done.stdout, []
    while text.strip():
        told, end = decoder.raw_decode(text.lstrip())
        found.append(told[0]["name"])
        text = text.lstrip()[end:]
    assert found == [f"acme-{name}" for name in MEDDLES]
