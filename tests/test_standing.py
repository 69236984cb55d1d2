"""The verbs that work with a model, where stdout or stderr is full, closed or broken off: what they save is saved, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
VERBS = """
import json, os, sys
from functory.cli import main
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

with open("toy.jsonl", "w") as file:
    file.writelines(json.dumps(row) + "\\n" for row in rows(48))
build = ["build", "--task", "toy", "--backbone", "tiny-encoder", "--adaptation", "toy-head", "--train", "toy.jsonl", "--output"]
verbs = {
    "run": ["run", "toy", "good", "bad"],
    "run --json": ["run", "toy", "good", "--json"],
    "run --output": ["run", "toy", "--input", "toy.jsonl", "--output", "DIR/out.csv"],
    "evaluate": ["evaluate", "toy", "--data", "toy.jsonl", "--html", "DIR/page.html"],
    "evaluate --json": ["evaluate", "toy", "--data", "toy.jsonl", "--json"],
    "explain": ["explain", "toy", "a good one"],
    "verify": ["verify", "toy"],
    "info": ["info", "toy"],
    "build": [*build, "DIR/toy"],
    "build --json": [*build, "DIR/toy2", "--json"],
    "lost": ["run", "lost", "good"],
}


def broken():
    ours, theirs = os.pipe()
    os.close(ours)
    return theirs


streams = {"full": lambda: os.open("/dev/full", os.O_WRONLY), "broken": broken}
codes = {}
with kit():
    if "only" not in sys.argv:
        assert main([*build, "toy", "--json"]) == 0
        for kind, bad in streams.items():
            for number in (1, 2):
                for verb, arguments in verbs.items():
                    os.makedirs(f"{kind}{number}", exist_ok=True)
                    kept, put = os.dup(number), bad()
                    os.dup2(put, number)
                    os.close(put)
                    code = main([one.replace("DIR", f"{kind}{number}") for one in arguments])
                    os.dup2(kept, number)
                    os.close(kept)
                    codes[f"{kind} {number} {verb}"] = code
        with open("codes.json", "w") as file:
            json.dump(codes, file)
    else:
        raise SystemExit(main([*build, sys.argv[2]]))
"""


def test_whatever_stdout_and_stderr_are_every_verb_ends_with_its_code_and_saves_what_it_saves(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VERBS], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "FUNCTORY_QUIET": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    codes = json.loads((tmp_path / "codes.json").read_text())
    for name, code in codes.items():
        kind, number, verb = name.split(" ", 2)
        told = {"full": 1, "broken": 141}[kind] if number == "1" else 0
        assert code == (1 if verb == "lost" else told), name
    assert done.stderr.count("StorageError: stdout cannot be written: no room is left on the disk.") == 10
    for kind in ("full", "broken"):
        for number in (1, 2):
            place = tmp_path / f"{kind}{number}"
            assert sorted(path.name for path in place.iterdir()) == ["out.csv", "page.html", "toy", "toy2"]
            assert len((place / "out.csv").read_text().splitlines()) == 49
            assert (place / "page.html").read_text().endswith("</html>\n")
            assert (place / "toy" / "weights.safetensors").stat().st_size > 0


@pytest.mark.slow
def test_a_build_without_any_stream_saves_its_function_whole(tmp_path: Path) -> None:
    for streams, code in (("<&- 2>&-", 0), ("<&- >&- 2>&-", 1)):
        place = tmp_path / str(code)
        line = f'"$0" -c "$1" only {place} {streams}'
        done = subprocess.run(["bash", "-c", line, sys.executable, VERBS], cwd=tmp_path, check=False, stdout=subprocess.DEVNULL)
        assert done.returncode == code
        check = "import sys, functory; from functory_sdk.testing import kit\nwith kit(): functory.verify(sys.argv[1])"
        subprocess.run([sys.executable, "-c", check, str(place)], check=True)
