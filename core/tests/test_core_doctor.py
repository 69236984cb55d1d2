"""`functory doctor`: each way in which a plugin can be broken has its own diagnosis, and spoils no other."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from functory.cli import main
from functory.plugins import doctor, probing
from functory.plugins import registry as plugins

BACKBONE = """
from pathlib import Path
from functory.contracts.sample import Sample
from functory.errors import NotSupported, WeightsMissing

class Here(Sample):
    licence = "CC0-1.0"
    columns = {}

    def locate(self):
        return Path(__file__)

    def rows(self):
        return iter(())

class Gone(Here):
    def locate(self):
        raise WeightsMissing("the text is not here.", do="pip install --no-deps a-text")

class Placed(Here):
    def locate(self):
        raise NotSupported("it takes a place.")

class Wild(Here):
    def locate(self):
        return 1 / 0
"""


def ours(site: Any) -> list[str]:
    """The distributions of a made-up site: what else is installed is not the matter of these tests."""
    mine = [entry for entry in plugins.entries() if entry.metadata.startswith(str(site.folder))]
    return [*{entry.distribution for entry in mine} | {fault.distribution for fault in plugins.faults()}]


def test_every_broken_plugin_has_its_own_diagnosis_with_place_and_remedy_and_spoils_nothing(
    broken: Any,
) -> None:
    header = broken.add("bad-header", {"packagers": {"header": "Thing"}}) / "METADATA"
    header.write_bytes(b"Metadata-Version: 2.1\nName: bad-header\nSummary: \xff\n")
    broken.add("bad-several", {"packagers": {"first": "Thing", "second": "No", "third": "Thing"}})
    plugins.refresh()
    examined = []
    found = doctor.examine(3.0, tell=examined.append, distributions=ours(broken))
    assert set(examined) == {name for name in ours(broken) if name != "bad-unreadable-metadata"}

    by_diagnosis = {}
    for finding in found.findings:
        by_diagnosis.setdefault(finding.diagnosis, []).append(finding)
    for diagnosis in (
        "raises", "missing-dependency", "exits", "exits-hard", "crashes", "hangs", "prints", "no-such-module",
        "not-a-subclass", "abstract", "other-contract",
    ):  # fmt: skip
        (finding,) = by_diagnosis.pop(diagnosis)
        assert finding.distribution == f"bad-{diagnosis}"
        assert finding.where
        assert finding.do
    assert {finding.distribution for finding in by_diagnosis.pop("no-such-class")} == {
        "bad-no-such-class",
        "bad-several",
    }
    assert {finding.distribution for finding in by_diagnosis.pop("duplicate-name")} == {
        "functory-good",
        "functory-twin",
    }
    unreadable = {finding.distribution for finding in by_diagnosis.pop("unreadable-metadata")}
    assert unreadable == {"bad-unreadable-metadata", "bad-header"}
    assert not by_diagnosis

    alike = ("no-such-class", "unreadable-metadata")  # two plugins each
    fatal = [finding for finding in found.findings if finding.is_fatal and finding.diagnosis not in alike]
    texts = [re.sub(r"\S*bad[-_]\S+", "", finding.what) for finding in fatal]
    assert len(set(texts)) == len(texts)
    good = {
        "functory-good:good",
        "functory-twin:twice",
        "bad-prints:prints",
        "bad-several:first",
        "bad-several:third",
    }
    assert good <= set(found.seconds)
    assert not found.is_healthy


@pytest.mark.parametrize(
    ("name", "what", "where"),
    [
        ("hangs", "was still being imported after 1.5 seconds", r"bad_hangs\.py, line 4"),
        ("crashes", r"crashed the interpreter while it was imported \(SIGSEGV\)", r"bad_crashes\.py, line 2"),
        (
            "exits-hard",
            r"ended the process at once while it was imported \(os\._exit, status 5\)",
            "bad_exits_hard",
        ),
        ("prints", "prints while it is imported: 'hello from a plugin'", "bad_prints"),
    ],
)
def test_what_ends_the_process_is_told_with_the_line_where_it_can_be_known(
    broken: Any, name: str, what: str, where: str
) -> None:
    (finding,) = doctor.examine(1.5, distributions=[f"bad-{name}"]).findings
    assert re.search(what, finding.what)
    assert re.search(where, finding.where)


@pytest.mark.parametrize("session", [False, True])
def test_a_hanging_plugin_leaves_no_process_behind(site: Any, session: bool) -> None:
    source = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session={session})
open({str(site.folder / "pid")!r}, "w").write(str(child.pid))
time.sleep(600)
"""
    site.add("functory-parent", {"packagers": {"parent": "Thing"}}, source)
    plugins.refresh()
    (finding,) = doctor.examine(1.0, distributions=ours(site)).findings
    assert finding.diagnosis == "hangs"
    pid = int((site.folder / "pid").read_text())
    state = Path(f"/proc/{pid}/stat")
    for _ in range(50):
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the plugin's own subprocess still runs")


def test_weights_are_found_or_the_line_that_brings_them_is_told(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"here": "Here", "gone": "Gone", "placed": "Placed", "wild": "Wild"}
    site.add("functory-weights", {"samples": names}, BACKBONE)
    plugins.refresh()
    assert main(["doctor", "functory-weights"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"samples here +/.*functory_weights\.py", out)
    assert re.search(r"samples gone +missing\. pip install --no-deps a-text", out)
    assert re.search(r"samples placed +it takes a place\.", out)
    assert re.search(r"samples wild +missing\. locate\(\) raised ZeroDivisionError", out)
    assert "1 distributions examined, 0 findings." in out


def test_doctor_as_json_tells_environment_libraries_and_findings_and_fails_where_something_is_broken(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-bad", {"packagers": {"bad": "Thing"}}, "1 / 0")
    plugins.refresh()
    assert main(["doctor", "Functory_Bad", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["environment"]["functory"]
    assert told["libraries"]["pydantic"]
    assert [finding["diagnosis"] for finding in told["findings"]] == ["raises"]
    assert told["healthy"] is False


def test_doctor_refuses_a_distribution_that_gives_functory_nothing(broken: Any, capsys: Any) -> None:
    assert main(["doctor", "pip"]) == 2
    assert "UsageError: no distribution pip gives functory anything." in capsys.readouterr().err


AFTER = "# after a good component\n"
VERB = """
from functory.contracts.command import Command

class Thing(Command):
    help, example = "shout", "functory shout"

    def add_arguments(self, parser):
        parser.add_argument("--json")

    def run(self, args):
        return 0
"""
MEDDLES = {
    "fork": ("import os\nos.fork()", "forks"),
    "closed": ("import sys\nsys.stdout.close()", ""),
    "closed-all": ("import os\nos.closerange(0, 64)", ""),
    "json": ("import json\njson.dumps = json.loads = None", "changes-settings"),
    "open": ("import builtins, os\nbuiltins.open = os.open = os.write = None", "changes-settings"),
    "folder": ("import os\nos.chdir('/')", "changes-settings"),
    "gone": ("import os, tempfile\nplace = tempfile.mkdtemp()\nos.chdir(place)\nos.rmdir(place)", "changes-settings"),
    "encodes": ("import io, sys\nsys.stdout.reconfigure(errors='replace')\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)", ""),
    "detaches": ("import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8')", ""),
    "blank": ("print()", ""),
    "surrogate": ("raise ValueError('\\udcff\\x1b[31m')", "raises"),
    "interrupt": ("x = 1\nraise KeyboardInterrupt", "raises"),
    "untold": ("class E(BaseException):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\nraise E", "raises"),
    "recursion": ("def f(): f()\nf()", "raises"),
    "thread": ("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()", "keeps-running"),
    "exit-at-end": ("import atexit, os\natexit.register(os.kill, os.getpid(), 11)", "crashes"),
    "child": ("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])", ""),
    "left": ("from os import _exit\n_exit(0)", "exits-hard"),
    "torn": ("import ctypes\nctypes.CDLL(None)._exit(9)", "exits-hard"),
    "paper": (f"{AFTER}    paper = 7", "untellable"),
    "raising": (f"{AFTER}    @classmethod\n    def summary(cls): raise OSError('no')", "untellable"),
    "options": (f"{AFTER}    Options = 3", "untellable"),
    "verb": (f"{AFTER}{VERB}", "untellable"),
}
"""What a plugin does, and what must be found of it; where nothing is, it is healthy."""


@pytest.fixture(scope="module")
def meddled(tmp_path_factory: pytest.TempPathFactory, sites: Any) -> dict[str, list[dict[str, Any]]]:
    """What the doctor finds of plugins that do what no plugin may, all of them at once."""
    site = sites(tmp_path_factory.mktemp("meddling"))
    for name, (source, _) in MEDDLES.items():
        whole = f"{site.good}\n{source}" if source.startswith(AFTER) else f"{source}\n{site.good}"
        site.add(f"meddles-{name}", {"commands" if name == "verb" else "packagers": {name: "Thing"}}, whole)
    done = site.run("doctor", "--json", "--timeout", "20", *(f"meddles-{name}" for name in MEDDLES))
    assert done.returncode == 1, done.stderr
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in MEDDLES}
    for finding in json.loads(done.stdout)["findings"]:
        told[finding["distribution"].removeprefix("meddles-")].append(finding)
    return told


@pytest.mark.parametrize("name", MEDDLES)
def test_the_doctor_survives_what_a_plugin_does_to_its_process_and_says_what_is_true(
    meddled: dict[str, list[dict[str, Any]]], name: str
) -> None:
    diagnosis = MEDDLES[name][1]
    found = {finding["diagnosis"]: finding for finding in meddled[name]}
    assert list(found)[-1:] == ([diagnosis] if diagnosis else []), found
    if name == "interrupt":
        assert f"meddles-{name} 1.0 (packager 'interrupt') raised KeyboardInterrupt" in found["raises"]["what"]
        assert found["raises"]["where"].endswith("meddles_interrupt.py, line 2")
        assert "pip uninstall meddles-interrupt" in found["raises"]["do"]
    if name == "torn":
        assert "with status 9" in found["exits-hard"]["what"]
        assert "os._exit" not in found["exits-hard"]["what"]
    if name == "left":
        assert "os._exit, status 0" in found["exits-hard"]["what"]
    if name == "thread":
        assert "Thread-" in found["keeps-running"]["what"]


def test_what_takes_all_memory_is_ended_and_named(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MEMORY_BYTES", 400_000_000)
    site.add("functory-greedy", {"packagers": {"greedy": "Thing"}}, "kept = []\nwhile True: kept.append(bytearray(9_000_000))")
    plugins.refresh()
    (finding,) = doctor.examine(30.0, distributions=["functory-greedy"]).findings
    assert finding.diagnosis == "greedy"
    assert "more than 0.4 GB" in finding.what


def test_what_ends_the_import_of_a_module_is_told_of_each_of_its_components_and_tried_once(site: Any) -> None:
    count = site.folder / "count"
    source = f"import os\nopen({str(count)!r}, 'a').write('x')\nos._exit(3)"
    site.add("functory-ends", {"packagers": dict.fromkeys("abc", "Thing")}, source)
    plugins.refresh()
    found = doctor.examine(20.0, distributions=["functory-ends"]).findings
    assert [finding.component for finding in found] == ["packagers a", "packagers b", "packagers c"]
    assert {finding.diagnosis for finding in found} == {"exits-hard"}
    assert count.read_text() == "x"


def test_what_is_healthy_can_be_told_and_what_cannot_be_told_is_the_plugins_fault(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "    @classmethod\n    def summary(cls): raise OSError('no')"
    site.add("functory-mute", {"packagers": {"mute": "Thing"}}, f"{site.good}\n{wrong}\n")
    plugins.refresh()
    assert main(["info", "mute"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("PluginContractError: functory-mute 1.0 (packager 'mute') cannot tell its summary: OSError: no.")
    assert "functory_mute.py, line 14" in err


def test_what_an_import_changes_in_torch_is_put_right_and_told_of_it_and_no_other(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    source = "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_default_device('meta')\n"
    source += "torch.set_grad_enabled(False)\n"
    site.add("functory-rude", {"packagers": {"rude": "Thing"}}, f"{source}{site.good}")
    site.add("functory-kind", {"packagers": {"kind": "Thing"}}, f"import torch\n{site.good}")
    plugins.refresh()
    plugins.load("packagers", "rude")
    plugins.load("packagers", "kind")
    assert (torch.get_default_dtype(), str(torch.get_default_device()), torch.is_grad_enabled()) == (torch.float32, "cpu", True)
    assert capsys.readouterr().err == (
        "note: functory-rude 1.0 (packager 'rude') changed torch's default type: torch.float32, now torch.float64, torch's "
        "default device: cpu, now meta, torch's gradients: on, now off while it was imported; functory put it back.\n"
    )


def test_ctrl_c_during_an_import_says_what_was_being_imported_where_and_what_to_do(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("functory-slow", {"packagers": {"slow": "Thing"}}, "x = 1\nraise KeyboardInterrupt")
    plugins.refresh()
    assert main(["info", "slow"]) == 130
    err = capsys.readouterr().err
    assert "functory-slow 1.0 (packager 'slow') was interrupted while it was imported. It was at " in err
    assert "functory_slow.py, line 2. pip install -U functory-slow, or pip uninstall functory-slow." in err


def test_a_distribution_whose_components_all_hang_is_given_up(site: Any) -> None:
    names = {f"hang{number}": f"functory_hang{number}" for number in range(5)}
    for module in names.values():
        (site.folder / f"{module}.py").write_text("import time\ntime.sleep(600)")
    lines = "".join(f"{name} = {module}:Thing\n" for name, module in names.items())
    place = site.add("functory-hang", {}) / "entry_points.txt"
    place.write_text(f"[functory.packagers]\n{lines}[functory.contract]\n1 = x:Y\n")
    plugins.refresh()
    found = doctor.examine(0.3, distributions=["functory-hang"]).findings
    assert [finding.diagnosis for finding in found] == ["hangs", "hangs", "hangs", "unexamined", "unexamined"]


def test_what_an_import_forked_ends_there_and_nothing_is_done_twice(site: Any) -> None:
    site.add("functory-fork", {"packagers": {"fork": "Thing"}}, f"import os\nos.fork()\n{site.good}")
    done = site.run("info", "fork")
    assert (done.returncode, done.stdout.count("fork  (packager")) == (0, 1)


def test_something_else_in_the_place_of_torch_breaks_no_import(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Evil:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no")

    monkeypatch.setitem(sys.modules, "torch", Evil())
    site.add("functory-thing", {"packagers": {"thing": "Thing"}})
    plugins.refresh()
    assert plugins.load("packagers", "thing").name == "thing"
