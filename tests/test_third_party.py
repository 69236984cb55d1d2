"""Third parties: plugins built as wheels and installed with pip into a fresh environment, beside the built core.

outside/                a virtual environment of its own
├── functory, functory-sdk, a few plugins    from wheels built here
├── libraries.pth → linked/                  torch and the like, without anything of this project
└── acme-…, bad-…                            what the tests install and uninstall
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "plugins"
TEMPLATE = ROOT / "sdk" / "src" / "functory_sdk" / "template"
NEEDED = (
    "core", "sdk", "plugins/engines/torch", "plugins/backbones/minilm", "plugins/tasks/text-classification",
    "plugins/adaptations/head", "plugins/adaptations/lora", "plugins/backbones/huggingface", "plugins/tasks/ranking",
    "plugins/tasks/question-answering", "plugins/commands/serve",
)  # fmt: skip
OURS = re.compile(r"_*(editable__*)?_*(functory|acme|bad)[_-]?", re.IGNORECASE)

pytestmark = pytest.mark.slow


class Outside:
    """An environment that knows nothing of this checkout.

    :param folder: where the environment is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        venv.create(folder / "venv", with_pip=False)
        self.python = folder / "venv" / "bin" / "python"
        (self.site,) = (folder / "venv" / "lib").glob("python3*/site-packages")
        linked = folder / "linked"
        linked.mkdir()
        for site in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for thing in Path(site).iterdir():
                if not OURS.match(thing.name) and not (linked / thing.name).exists():
                    (linked / thing.name).symlink_to(thing)
        (self.site / "libraries.pth").write_text(f"{linked}\n")

    def run(self, *command: Any, status: int = 0, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a command there, with nothing of this process's Python settings, and expect its exit status."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FUNCTORY", "PIP_"))}
        environment = {**kept, "FUNCTORY_CACHE": os.environ["FUNCTORY_CACHE"], "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [str(part) for part in command], cwd=self.folder, env=environment, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done

    def pip(self, *arguments: Any) -> None:
        """Run pip on that environment."""
        self.run(sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "--python", self.python, *arguments)

    def build(self, *folders: Path) -> list[Path]:
        """Build wheels of distributions, and return them."""
        before = set(self.wheels.glob("*.whl"))
        self.run(
            sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps", "--no-build-isolation",
            "--no-index", "-w", self.wheels, *folders,
        )  # fmt: skip
        return sorted(set(self.wheels.glob("*.whl")) - before)

    def install(self, *wheels: Path) -> None:
        self.pip("install", "--no-deps", "--no-index", *wheels)

    def functory(self, *arguments: Any, status: int = 0, timeout: float = 300) -> str:
        """Run the command line there; return what it printed."""
        return self.run(self.python, "-m", "functory", *arguments, status=status, timeout=timeout).stdout

    def code(self, text: str, status: int = 0) -> str:
        """Run Python there; return what it printed."""
        return self.run(self.python, "-c", text, status=status).stdout

    def names(self, kind: str) -> dict[str, str]:
        """Return the components of a kind that `functory list` tells there, with their distributions."""
        told = json.loads(self.functory("list", "--kind", kind, "--json"))
        return {entry["name"]: entry["distribution"] for entry in _rows(told)}


def _rows(told: Any) -> list[dict[str, Any]]:
    """Return the rows of a list as JSON, whatever it is nested in."""
    if isinstance(told, list):
        return [row for part in told for row in _rows(part)]
    if isinstance(told, dict) and "name" in told:
        return [told]
    return [row for part in told.values() for row in _rows(part)] if isinstance(told, dict) else []


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Outside:
    """An environment with the built core, SDK and the first plugins."""
    made = Outside(tmp_path_factory.mktemp("outside"))
    made.code("import torch, transformers, pydantic")
    made.code("import functory", status=1)  # nothing of this checkout leaks in
    made.install(*made.build(*(ROOT / folder for folder in NEEDED)))
    found = made.code("import functory, functory_sdk; print(functory.__file__, functory_sdk.__file__)").split()
    assert all(Path(file).is_relative_to(made.site) for file in found), found
    return made


@pytest.fixture(scope="module")
def wheels(outside: Outside) -> dict[str, Path]:
    """The wheel of each example plugin, all built at once."""
    built = outside.build(*(EXAMPLES / name for name in USES))
    return {wheel.name.partition("-")[0].removeprefix("acme_").replace("_", "-"): wheel for wheel in built}


BUILD = """
import functory
rows = [{"text": f"{word} {n}", "label": word} for n in range(20) for word in ("cat", "dog")]
build = dict(task="text-classification", train=rows, report=False)
plain = dict(build, adaptation="head")
"""
USES = {
    "bottleneck": """
fn = functory.build(**build, adaptation={"name": "bottleneck", "size": 4, "epochs": 20, "batch_rows": 8})
assert fn("cat 99").label == "cat", fn("cat 99")
fn.save("bottleneck"); functory.load("bottleneck")
""",
    "preference": """
pairs = [{"first": f"good {n}", "second": f"bad {n}", "better": "first"} for n in range(20)]
pairs += [{"first": f"bad {n}", "second": f"good {n}", "better": "second"} for n in range(20)]
fn = functory.build(task="preference", train=pairs, adaptation="head", report=False)
one, other = fn("good 77", "bad 77"), fn("bad 77", "good 77")
assert (one.better, other.better) == ("first", "second")
assert abs(one.score - other.score) < 1e-4
assert len(fn.trace([fn.read("good", "bad")])[0][1]) == 2
fn.save("preference"); assert functory.load("preference")("good 77", "bad 77").better == "first"
""",
    "answered": """
things = [f"thing {n}" for n in range(20)]
rows = [{"question": f"How was {a}?", "reply": f"{b} was good", "verdict": "answered" if a == b else "open"}
        for n, a in enumerate(things) for b in (a, things[n - 3])]
fn = functory.build(task="answered", train=rows, adaptation="head", report=False)
assert fn("How was thing 3?", "thing 3 was good").label in ("answered", "open")
assert len(fn.trace([fn.read("a", "b")])[0][1]) == 1
fn.save("answered"); functory.load("answered")
""",
    "subject": """
from functory_sdk.testing import kit
mails = [{"text": f"news of the {word}", "reference": word} for word in ("cat", "dog") for _ in range(8)]
with kit():
    fn = functory.build(task={"name": "subject", "max_new_tokens": 4, "words": 3}, backbone="tiny-decoder", train=mails,
                        dev=mails, adaptation={"name": "lora", "epochs": 1}, report=False)
    asked = "Write a subject line of 3 words for this message, in its language:\\nnews"
    assert fn.task.prompt(fn.task.Input(text="news")) == asked
    before = fn("news of the cat")
    assert "".join(fn.stream("news of the cat")) == before.text
    assert [one.text for one in fn.map(["news of the cat", "news"])][0] == before.text
    assert 0 <= fn.evaluate(mails).metrics["word_f1"].value <= 1
    fn.save("subject")
    assert functory.load("subject")("news of the cat") == before
""",
    "gated-convolution": """
import json, pathlib, torch
from safetensors.torch import save_file
from functory_sdk.testing import TinyEncoder
from acme_gated_convolution.stack import Encoder
tiny, folder = TinyEncoder(), pathlib.Path("convolution")
folder.mkdir()
size = tiny.spec.vocabulary
config = {"model_type": "gated-convolution", "vocab_size": size, "channels": 16, "depth": 2, "kernel": 3,
          "max_position_embeddings": 64, "pad_token_id": 0}
(folder / "config.json").write_text(json.dumps(config))
(folder / "tokenizer.json").write_text(tiny.tokenizer.json)
save_file(Encoder(size, 16, 2, 3).state_dict(), folder / "model.safetensors")
fn = functory.build(**plain, backbone="./convolution")
assert fn("cat 99").label == "cat", fn("cat 99")
fn.save("convolved"); functory.load("convolved")
""",
    "evaluation-cache": """
fn = functory.build(**plain, hooks=["evaluation-cache"])
first = fn.evaluate(rows)
functory.Function.map = None
assert fn.evaluate(rows) == first
""",
    "licence-policy": """
import os
functory.build(**plain, hooks=["licence-policy"])
os.environ["ACME_ALLOWED_LICENCES"] = "MIT"
try:
    functory.build(**plain, hooks=["licence-policy"])
except functory.errors.Refused as error:
    assert "Apache-2.0; allowed: MIT" in error.what
else:
    raise AssertionError("nobody refused")
""",
    "step-times": """
import contextlib, io
with contextlib.redirect_stderr(io.StringIO()) as told:
    functory.build(**plain, hooks=["step-times"])
assert "adapt: φ holds 770 numbers" in told.getvalue()
""",
    "alert": """
topic = functory.build(**plain, name="topic")
tones = [{"text": f"{text} {n}", "label": label} for n in range(20)
         for text, label in (("I love it", "positive"), ("I hate it", "negative"))]
polarity = functory.build(task="text-classification", train=tones, report=False, adaptation="head", name="polarity")
alert = functory.compose("alert", topic=topic, polarity=polarity, options={"topic": "dog"})
text = "I hate it, this dog"
before = alert(text)
assert before.alert and before.topic == "dog" and before.polarity == "negative", before
alert.save("alert")
again = functory.load("alert")
assert again(text) == before
assert [one.alert for one in again.map([text, "I love it, this dog"])] == [True, False]
assert again.evaluate([{"text": text, "alert": True}, {"text": "I love cats", "alert": False}]).metrics["accuracy"].value == 1
functory.verify("alert")
""",
    "open-book": """
days = ("Monday", "Friday")
asked = [{"question": f"When was thing {n} here?", "context": f"Thing {n} was here on {day}.", "answers": [day]}
         for n in range(10) for day in days]
answers = functory.build(task="question-answering", train=asked, report=False, dev_share=0, adaptation="head", name="answers")
book = functory.compose("open-book", passages=functory.build(task="ranking", name="passages"), answers=answers)
passages = ["Thing 4 was late.", "Thing 3 was here on Friday."]
row = {"question": "When was thing 3 here?", "passages": passages, "answers": ["Friday"]}
before = book(row["question"], passages=passages)
assert before.answer == passages[before.passage][before.start : before.end], before
book.save("book")
again = functory.load("book")
assert again(row["question"], passages=passages) == before
assert again(row["question"], passages=[]).answer is None
assert again.evaluate([row, {**row, "answers": []}]).metrics["accuracy"].value in (0.0, 0.5)
functory.verify("book")
""",
    "inference": """
import json
from urllib.request import Request, urlopen
from functory_serve import served
fn = functory.build(**plain)
with served({"pets": fn}) as url:
    asked = Request(f"{url}/models/pets", b'{"inputs": "cat 99"}', {"Content-Type": "application/json"})
    with urlopen(asked) as answer:
        found = json.load(answer)
    with urlopen(f"{url}/openapi.json") as answer:
        assert "/models/{name}" in json.load(answer)["paths"]
assert found == [{"label": label, "score": fn("cat 99").scores[label]} for label in ("cat", "dog")], found
""",
}
"""What each example plugin is for, as a user would try it."""
KINDS = {
    "bottleneck": "adaptations", "gated-convolution": "families", "preference": "tasks", "alert": "tasks", "answered": "tasks",
    "open-book": "tasks", "subject": "tasks", "inference": "faces",
}  # fmt: skip
ASKED = {
    "adaptations": "functory.build(**build, adaptation={name!r})",
    "families": "from functory_sdk.families import family_of; family_of({name!r})",
    "tasks": "functory.build(task={name!r}, train=rows)",
    "hooks": "functory.build(**plain, hooks=[{name!r}])",
    "faces": "from functory_sdk import load; load('faces', {name!r})",
}


def test_every_example_plugin_is_tried_here() -> None:
    assert {folder.parent.name for folder in EXAMPLES.glob("*/pyproject.toml")} == set(USES)


@pytest.mark.parametrize("name", USES)
def test_an_example_plugin_is_installed_found_used_by_name_uninstalled_and_gone(
    outside: Outside, wheels: dict[str, Path], name: str
) -> None:
    kind = KINDS.get(name, "hooks")
    assert name not in outside.names(kind)
    outside.install(wheels[name])
    assert outside.names(kind)[name] == f"acme-{name}"
    try:
        outside.code(BUILD + USES[name])
    finally:
        outside.pip("uninstall", "-y", f"acme-{name}")
    assert name not in outside.names(kind)
    assert not list(outside.site.glob("acme*"))
    asked = ASKED[kind].format(name=name)
    missing = "(functory.errors.UnknownComponent, functory.errors.NotSupported)"
    outside.code(f"{BUILD}\ntry:\n    {asked}\nexcept {missing} as error:\n    print(error)\nelse:\n    exit(1)")


# -- from the template --------------------------------------------------------------------------------------


@pytest.mark.skipif(not (TEMPLATE / "cookiecutter.json").is_file(), reason="there is no template in the SDK")
def test_a_plugin_from_the_template_is_built_installed_found_used_by_name_uninstalled_and_gone(
    outside: Outside, tmp_path: Path
) -> None:
    from cookiecutter.main import cookiecutter

    kinds = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))["kind"]
    (kind,) = (kind for kind in kinds if kind.startswith("adaptation"))
    rendered = cookiecutter(
        str(TEMPLATE), no_input=True, output_dir=str(tmp_path), extra_context={"kind": kind, "name": "wobble"}
    )
    project = tomllib.loads((Path(rendered) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (name,) = project["entry-points"]["functory.adaptations"]
    assert name == "wobble"
    assert name not in outside.names("adaptations")
    (wheel,) = outside.build(Path(rendered))
    outside.install(wheel)
    assert outside.names("adaptations")[name] == project["name"]
    try:
        outside.code(
            BUILD + f"fn = functory.build(**build, adaptation={name!r})\nfn.save('wobble')\nfunctory.load('wobble')"
        )
    finally:
        outside.pip("uninstall", "-y", project["name"])
    assert name not in outside.names("adaptations")
    asked = ASKED["adaptations"].format(name=name)
    outside.code(f"{BUILD}\ntry:\n    {asked}\nexcept functory.errors.UnknownComponent:\n    pass\nelse:\n    exit(1)")


# -- broken ones --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken(outside: Outside) -> Iterator[Any]:
    """The table of broken plugins, all of them installed beside the good ones; they are gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "broken_plugins"))
        import broken as table
    place = outside.folder / "broken"
    place.mkdir()
    outside.install(*(table.wheel(name, place) for name in table.BROKEN))
    table.garble(outside.site)
    yield table
    for left in outside.site.glob("bad_*"):  # pip does not uninstall what it cannot read
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def test_broken_plugins_get_a_diagnosis_each_and_spoil_nothing(outside: Outside, broken: Any) -> None:
    started = outside.names("packagers")
    assert {"raises", "hangs", "crashes"} <= started.keys()  # listing imports nobody
    outside.code(BUILD + "fn = functory.build(**plain)\nassert fn('cat 99').label == 'cat'")

    told = json.loads(outside.functory("doctor", "--json", "--timeout", "20", status=1))
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in told["findings"]:
        found.setdefault(finding["distribution"], []).append(finding)
    others = [finding for name, findings in found.items() for finding in findings if not name.startswith("bad-")]
    assert not others
    reported = {name.removeprefix("bad-") for name in found}
    assert reported == broken.BROKEN.keys()
    for name, wanted in broken.BROKEN.items():
        (finding,) = found[f"bad-{name}"]
        assert finding["diagnosis"] == wanted.diagnosis, finding
        assert re.search(wanted.told, finding["what"]), finding
        assert finding["is_fatal"] is wanted.is_fatal
        assert finding["where"]
        assert finding["do"]
    assert len({finding["diagnosis"] for finding in told["findings"]}) >= 10
    assert told["healthy"] is False
    assert any(key.startswith("functory-torch:") for key in told["seconds"])


@pytest.mark.parametrize(
    "name", ["raises", "syntax", "exits", "lacks", "empty", "renamed", "stranger", "abstract", "future"]
)
def test_a_broken_plugin_that_is_asked_for_is_named_with_version_and_remedy(
    outside: Outside, broken: Any, name: str
) -> None:
    code = f"import functory.plugins.registry\nfunctory.plugins.registry.load('packagers', {name!r})"
    done = outside.run(outside.python, "-c", code, status=1)
    assert re.search(broken.BROKEN[name].told, done.stderr)
    assert f"bad-{name} 1.0" in done.stderr
    assert "functory doctor" in done.stderr
