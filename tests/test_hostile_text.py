"""Names, labels, columns, texts, folders and metadata that would steer a terminal: every verb prints them harmlessly.

On a terminal, in a pipe and as JSON. The data are read and the function is built with them as they are.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import functory
from functory.cli import SUMMARIES, main
from functory.plugins import registry as plugins
from functory_sdk.testing import Terminal, kit

HOSTILE = "\x1b[31mq\x1b]0;t\x07\x9b2J\u202e\u2066z\u200b\U000e0041\u200f"
FOREIGN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
LABELS = (f"no{HOSTILE}", f"yes{HOSTILE}")
METADATA = f"Metadata-Version: 2.1\nName: acme-odd\nVersion: 1.0\nSummary: odd {HOSTILE}\n"
ENTRIES = f"""[functory.contract]
9{HOSTILE} = functory_sdk:CONTRACT
[functory.tasks]
odd{HOSTILE} = acme_odd:Odd
[functory.commands]
odd = acme_odd:Odd
[functory.backbones]
odder = acme_odd{HOSTILE}:Odd
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of a hostile name, with such data, a function of it, and a plugin on the path."""
    folder = tmp_path_factory.mktemp("hostile") / f"here{HOSTILE}"
    folder.mkdir()
    words = dict(zip(("bad", "good"), LABELS, strict=True))
    rows = [{"text": f"{word} {n} {HOSTILE}", f"col{HOSTILE}": label} for n in range(16) for word, label in words.items()]
    (folder / f"data{HOSTILE}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / f"bad{HOSTILE}.csv").write_text(f'text,label\n"a{HOSTILE}",{LABELS[0]}\n"b",nothing{HOSTILE}\n', "utf-8")
    info = folder / "acme_odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA, "utf-8")
    (info / "entry_points.txt").write_text(ENTRIES, "utf-8")
    (folder / "broken").mkdir()
    (folder / "broken" / "function.json").write_text(json.dumps({"format": 1, "name": HOSTILE}))
    with kit(), pytest.MonkeyPatch.context() as patch:
        function = functory.build(
            task="text-classification", train=rows, columns={"label": f"col{HOSTILE}"}, backbone="tiny-encoder",
            adaptation="toy-head", test=rows[:8],
        )  # fmt: skip
        about = replace(function.about, licence=f"MIT{HOSTILE}", notes=(f"odd\n# {HOSTILE}<b>",))
        function.replaced(about=about).save(folder / f"f{HOSTILE}")
        patch.syspath_prepend(str(folder))
        plugins.refresh()
        patch.chdir(folder)
        yield folder
    plugins.refresh()


F, DATA, BAD, TEXT = f"f{HOSTILE}", f"data{HOSTILE}.jsonl", f"bad{HOSTILE}.csv", f"a good film {HOSTILE}"
COLUMN = f"label=col{HOSTILE}"
VERBS: dict[str, list[list[str]]] = {
    "build": [
        ["--task", "text-classification", "--train", DATA, "--backbone", "tiny-encoder", "--adaptation", "toy-head",
         "--column", COLUMN, "--output", f"built{HOSTILE}"],
        ["--task", "text-classification", "--train", BAD, "--backbone", "tiny-encoder", "--output", f"o{HOSTILE}"],
        ["--task", f"t{HOSTILE}"], ["--set", f"a{HOSTILE}=1"], [f"recipe{HOSTILE}.toml"],
        ["--task", f"./{HOSTILE}.py:A{HOSTILE}"], ["--task", "toy", "--train", DATA, "--hook", HOSTILE],
        ["--task", "toy", "--train", DATA, "--backbone", f"hf:evil/{HOSTILE}"],
        ["--task", "toy", "--train", DATA, "--backbone", f"./{HOSTILE}"], ["--task", "toy", "--train", DATA, "--format", HOSTILE],
        ["--task", "toy", "--train", DATA, "--encoding", HOSTILE], ["--task", "toy", "--train", DATA, "--read", f"{HOSTILE}=1"],
        ["--task", "toy", "--train", DATA, "--name", HOSTILE], ["--task", "toy", "--train", f"samples:{HOSTILE}"],
        ["--task", "toy", "--train", DATA, "--backbone", "tiny-encoder", "--set", f"adaptation.{HOSTILE}=1"],
    ],
    "cache": [[], ["--clear", HOSTILE]],
    "compare": [[F, F, "--data", DATA, "--column", COLUMN], [F, HOSTILE, "--data", DATA]],
    "completion": [["bash"], ["zsh"], ["fish"], [HOSTILE]],
    "doctor": [["acme-odd"], [HOSTILE]],
    "evaluate": [[F, "--data", DATA, "--column", COLUMN], [F, "--data", BAD], [F, "--data", HOSTILE]],
    "explain": [[F, TEXT], [F, TEXT, "--target", HOSTILE], [F, TEXT, "--method", HOSTILE]],
    "info": [[F], ["broken"], [f"odd{HOSTILE}"], ["acme-odd"], [HOSTILE]],
    "list": [[], ["--kind", "tasks"], ["--kind", HOSTILE], ["."], [str(Path())]],
    "new": [["plugin", "--kind", "tasks", "--name", HOSTILE], ["plugin", "--kind", HOSTILE]],
    "optimize": [[F, "--data", BAD, "--output", f"o{HOSTILE}"], [F, "--method", HOSTILE, "--output", "o"]],
    "package": [[F, "--name", HOSTILE], [F, "--engine", HOSTILE]],
    "run": [
        [F, TEXT], [F, TEXT, TEXT], [F, "--data", DATA], [F, "--data", BAD], [F, "--data", DATA, "--output", f"o{HOSTILE}.csv"],
    ],
    "verify": [
        [F], [HOSTILE], ["broken"], [F, "--sha256", HOSTILE], [F, "--component", f"{HOSTILE}.py:A"], [F, "--form", HOSTILE],
    ],
}  # fmt: skip
ASIDE = [
    [], ["--help"], [f"v{HOSTILE}"], ["odd"], ["odd", "--help"], ["run", f"--{HOSTILE}"], [f"--{HOSTILE}"],
    ["build", "\ud800.toml"], ["run", F, "\ud800"], ["list", "\ud800"],
]  # fmt: skip


@contextmanager
def outputs(stdout: object, stderr: object) -> Iterator[None]:
    """Let stdout and stderr lead elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", stderr)
        patch.setenv("TERM", "dumb")  # our own colours and bars are looked at elsewhere
        patch.setenv("COLUMNS", "100")
        yield


def shown(arguments: list[str]) -> str:
    """Return what a terminal gets."""
    with Terminal() as terminal, outputs(terminal.stream, terminal.stream):
        main(arguments)
    return terminal.text


def piped(arguments: list[str]) -> tuple[str, str]:
    """Return what a pipe gets for stdout, and another one for stderr."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2)]
    with outputs(*streams):
        main(arguments)
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return out, err


@pytest.mark.parametrize("verb", [*sorted(SUMMARIES), ""])
def test_nothing_foreign_steers_the_terminal(verb: str, place: Path) -> None:
    for arguments in VERBS[verb] if verb else ASIDE:
        whole = [verb, *arguments] if verb else arguments
        found = FOREIGN.search(told := shown(whole))
        assert not found, f"{whole}: {found!r} in {told!r}"
        out, err = piped(whole)
        assert not FOREIGN.search(err), f"{whole}: {err!r}"
        if verb != "run":
            assert not FOREIGN.search(out), f"{whole}: {out!r}"
        if verb in ("completion", ""):
            continue
        out, err = piped([*whole, "--json"])
        assert not FOREIGN.search(out + err), f"{whole}: {out!r} {err!r}"
        for value in out.splitlines() if verb == "run" else filter(None, [out]):
            json.loads(value)


def test_what_is_said_is_foreign_indeed_and_json_has_it_whole(place: Path) -> None:
    """The other test would pass on silence."""
    assert f"yes{'�'}[31mq" in shown(["run", F, TEXT])
    assert "odd �[31mq" in shown(["list"])
    out, _ = piped(["run", F, TEXT, "--json"])
    assert json.loads(out)["label"] in LABELS
    out, _ = piped(["info", F, "--json"])
    assert json.loads(out)[0]["folder"] == F


def test_an_answer_reaches_a_pipe_as_it_is(place: Path) -> None:
    out, _ = piped(["run", F, TEXT])
    assert any(label in out for label in LABELS)
    out, _ = piped(["run", F, TEXT, "a bad film"])
    assert TEXT in out
    main(["run", F, "--input", DATA, "--output", "answers.jsonl"])
    lines = Path("answers.jsonl").read_text("utf-8").splitlines()
    assert {row["predicted"]["label"] for row in map(json.loads, lines)} <= set(LABELS)


def test_pages_and_cards_hold_nothing_that_turns_them_around(place: Path) -> None:
    function = functory.load(F)
    report = function.evaluate([{"text": "a film", "label": LABELS[0]}, {"text": HOSTILE, "label": LABELS[1]}] * 4)
    pages = {
        "card": (Path(F) / "README.md").read_text("utf-8"), "function": function._repr_html_(), "report": report._repr_html_(),
        "why": function.explain(TEXT).html(), "texts": f"{report}{function}{function.explain(TEXT)}",
        "doc": str(function.__doc__), "reprs": f"{function!r}{report!r}",
    }  # fmt: skip
    assert "\n- odd # " in pages["card"]
    assert "&lt;b&gt;" in pages["function"]
    assert "&lt;b>" in pages["card"]
    for name, page in pages.items():
        found = FOREIGN.search(page)
        assert not found, f"{name}: {found!r}, {page[max(0, found.start() - 200) : found.end() + 50]!r}"
