"""`functory doctor`: each way in which a plugin can be broken has its own diagnosis, and spoils no other."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from functory.cli import main
from functory.plugins import doctor
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


def test_a_hanging_plugin_leaves_no_process_behind(site: Any) -> None:
    source = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
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
