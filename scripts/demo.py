"""The tour: from a table of examples to a function that another environment installs and calls.

Every step is a line that you can type yourself; it is printed before it runs. Everything is written under build/demo.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "demo"
WHEELS = PLACE / "wheels"
TEXT = "Warm, funny and beautifully acted, from the first scene to the last."
SECOND = PLACE / "second-venv"
NEEDED = ("core", "sdk", "plugins/tasks/text-classification", "plugins/engines/openvino", "plugins/engines/onnxruntime")


def main() -> int:
    """Run the tour."""
    started = time.perf_counter()
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    say("1. A table of examples", "12,000 film reviews, each fresh or rotten; a tenth is kept for the report.")
    train, test = write_tables()
    print(f"   build/demo/train.csv: {train:,} rows; build/demo/test.csv: {test:,} rows")
    say(
        "2. Build",
        "MiniLM reads every review once; a head is fitted to what it saw, and measured on the reviews kept apart.",
    )
    functory(
        "build", "--task", "text-classification", "--train", "train.csv", "--test", "test.csv", "--backbone", "minilm",
        "--adaptation", "head", "--name", "sentiment", "--output", "sentiment",
    )  # fmt: skip
    say("3. Call")
    functory("run", "sentiment", TEXT)
    say(
        "4. Explain",
        "Which words made it so, and how far the weights are to be trusted; build/demo/why.html is the same as a page.",
    )
    functory("explain", "sentiment", TEXT, "--method", "integrated-gradients", "--html", "why.html")
    say(
        "5. Make it faster",
        "Engines and precisions are tried on this processor, on reviews kept apart; the fastest that is good enough stays.",
    )
    functory("optimize", "sentiment", "--data", "test.csv", "--output", "sentiment-fast")
    say("6. Package", "The function becomes a wheel with a typed import package of its own.")
    functory("package", "sentiment-fast", "--name", "my-sentiment", "--output", "wheels")
    say("7. Install it elsewhere", "A second environment, without torch.")
    install()
    say("8. Call it there")
    there = SECOND / ("Scripts" if os.name == "nt" else "bin")
    code = f"from my_sentiment import my_sentiment; print(my_sentiment({TEXT!r}))"
    run([str(there / "python"), "-c", code])
    run([str(there / "functory"), "run", "my-sentiment", "Two hours that I want back."])
    run(
        [
            str(there / "python"),
            "-c",
            "import importlib.util as u; print('torch is', 'here' if u.find_spec('torch') else 'not here')",
        ]
    )
    sizes = {name: size(folder) for name, folder in ((".venv", ROOT / ".venv"), ("the second environment", SECOND))}
    say(
        "Done",
        f"{time.perf_counter() - started:.0f} seconds. "
        + "; ".join(f"{k}: {v:,.0f} MB" for k, v in sizes.items())
        + ".",
    )
    print("   Next: CONTRIBUTING.md, or `functory list` and `functory new plugin --help`.")
    return 0


def write_tables() -> tuple[int, int]:
    """Write the sample as two CSV files; the test rows stand in none of the training rows."""
    from functory.data import read

    rows = [record.values for record in read("samples:rotten-tomatoes")]
    sides = {"test.csv": rows[::10], "train.csv": [row for i, row in enumerate(rows) if i % 10]}
    for name, side in sides.items():
        with (PLACE / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([row["text"], row["label"]] for row in side)
    return len(sides["train.csv"]), len(sides["test.csv"])


def install() -> None:
    """Build the wheels that are not on an index, make the second environment, and install into it."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    projects = [str(ROOT / folder) for folder in NEEDED if (ROOT / folder / "pyproject.toml").is_file()]
    quiet([*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(WHEELS), *projects])
    quiet([sys.executable, "-m", "venv", str(SECOND)])
    there = SECOND / ("Scripts" if os.name == "nt" else "bin")
    # By file, never by name: somebody else's package of that name may lie on an index.
    wheels = sorted(path.relative_to(PLACE).as_posix() for path in WHEELS.glob("*.whl"))
    constraints = str(ROOT / "constraints.txt")
    run([str(there / "pip"), "--disable-pip-version-check", "install", "--quiet", "-c", constraints, *wheels])


def functory(*arguments: str) -> None:
    """Run a verb of this environment's functory."""
    run([str(Path(sys.executable).with_name("functory")), *arguments])


def run(command: list[str]) -> None:
    """Show a command as one would type it, and run it in the demo's folder."""
    shown = [Path(command[0]).name, *command[1:]]
    if str(SECOND) in command[0]:
        shown[0] = f"second-venv/bin/{shown[0]}"
    print("\n   $ " + " ".join(quoted(word.replace(str(ROOT), "../..")) for word in shown), flush=True)
    quiet(command)


def quiet(command: list[str]) -> None:
    """Run a command in the demo's folder; end the tour where it fails."""
    done = subprocess.run(command, cwd=PLACE, check=False)
    if done.returncode:
        raise SystemExit(f"\nthe tour ends here: {Path(command[0]).name} ended with {done.returncode}.")


def quoted(word: str) -> str:
    """Return a word as a shell wants it."""
    return word if word and all(c.isalnum() or c in "-_./:=" for c in word) else '"' + word.replace('"', '\\"') + '"'


def size(folder: Path) -> float:
    """Return megabytes (10⁶ bytes) below a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6


def say(title: str, about: str = "") -> None:
    """Print a step's title."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)
    if about:
        print(f"   {about}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
