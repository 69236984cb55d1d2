"""Others' metadata: whatever lies in its place is read in bounded time, told, and takes nothing else away."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functory import __version__
from functory.cli import main
from functory.machine import announced, distributions, environment, metadata
from functory.machine.own import COMPONENTS, VERSION
from functory.plugins import registry as plugins
from functory.plugins.missing import remedy


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_loop(place: Path) -> None:
    place.symlink_to(place)


def a_link_to_nothing(place: Path) -> None:
    place.symlink_to(place.with_name("nothing"))


def a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def a_socket(place: Path) -> None:
    here = Path.cwd()
    os.chdir(place.parent)  # a socket's path has a hundred characters at most
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(here)


ODD: dict[str, Callable[[Path], None]] = {
    "a named pipe": a_pipe, "symbolic links": a_loop, "nowhere": a_link_to_nothing, "a folder": Path.mkdir,
    "a device": a_device, "a socket": a_socket,
}  # fmt: skip
"""What may lie in the place of a file, by what is told of it."""


def faults_of(distribution: str) -> list[Any]:
    return [fault for fault in plugins.faults() if fault.distribution == distribution]


@pytest.mark.parametrize("told", ODD)
def test_what_is_no_file_is_never_waited_for_and_is_named(site: Any, told: str) -> None:
    make = ODD[told]
    (site.folder / "stranger-1.0.dist-info").mkdir()
    make(site.folder / "stranger-1.0.dist-info" / "entry_points.txt")
    site.add("functory-good", {"packagers": {"good": "Thing"}})
    about = site.add("functory-mute", {"packagers": {"mute": "Thing"}}) / "METADATA"
    about.unlink()
    make(about)
    plugins.refresh()
    (fault,) = faults_of("stranger")
    assert (fault.diagnosis, fault.is_fatal, fault.is_listed) == ("unreadable-metadata", False, True)
    assert told in fault.what
    mute = plugins.find("packagers", "mute")
    assert mute.summary == ""
    assert distributions.check_metadata(mute).diagnosis in ("unreadable-metadata", "no-metadata")
    assert remedy("yaml", mute).startswith("pip install pyyaml")
    assert plugins.load("packagers", "good")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_metadata_that_may_not_be_read_is_named(site: Any) -> None:
    (site.add("functory-shut", {"packagers": {"shut": "Thing"}}) / "entry_points.txt").chmod(0)
    plugins.refresh()
    (fault,) = faults_of("functory-shut")
    assert "Permission denied" in fault.what
    assert fault.is_fatal


def test_another_distributions_unreadable_entry_points_are_noted_by_doctor_and_end_nothing(site: Any) -> None:
    site.add("stranger", {}, contract=None).joinpath("entry_points.txt").write_bytes(b"[console_scripts]\nx = \xff\n")
    site.add("stranger-too", {}, contract=None).joinpath("entry_points.txt").write_bytes(b"[console_scripts]\nhello\n[\n; x\n]\n")
    (site.folder / "-1.0.dist-info").mkdir()
    (site.folder / "-1.0.dist-info" / "entry_points.txt").write_text("[functory.tasks]\nx = a:B\n")
    os.mkfifo(site.folder / "-1.0.dist-info" / "METADATA")
    everybodys = (
        "import functory.contracts.task, importlib.metadata as all\n"
        "all.packages_distributions(); all.entry_points()\n"
        "print([made.metadata['Name'] for made in all.distributions() if made.metadata['Name'] == 'unknown'])"
    )
    done = site.run(code=everybodys)
    assert (done.returncode, done.stdout) == (0, "['unknown']\n"), done.stderr
    plugins.refresh()
    (fault,) = faults_of("stranger")
    assert (fault.is_fatal, fault.is_listed) == (False, False)
    (nameless,) = faults_of("without a name")
    assert nameless.diagnosis == "odd-name"


def test_metadata_that_is_sound_reads_the_same_behind_the_shield() -> None:
    code = """
import importlib.metadata as all
def everything():
    return {
        str(made._path): [made.read_text(name) for name in ("METADATA", "PKG-INFO", "RECORD", "entry_points.txt", "WHEEL", "no")]
        for made in all.distributions()
    }
before = everything()
import functory.contracts.task
assert all.PathDistribution.read_text.is_shielded
assert len(before) > 20
assert before == everything()
"""
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stray_distribution_named_functory_takes_no_verb_away_and_gives_none(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"commands": {"list": "STRAY", "evil": "STRAY"}, "tasks": {"evil": "STRAY"}}
    stray = site.add("functory", theirs, "1 / 0", version="99.0")
    empty = site.folder / f"functory-{VERSION}.dist-info"
    empty.mkdir()
    plugins.refresh()
    own = [(entry.kind, entry.name, entry.value) for entry in plugins.entries() if entry.distribution == "functory"]
    assert sorted(own) == sorted(COMPONENTS)
    assert {entry.version for entry in plugins.entries("commands") if entry.distribution == "functory"} == {__version__}
    assert environment.version("functory") == __version__
    (fault,) = faults_of("functory")
    assert (fault.diagnosis, fault.where, fault.is_fatal) == ("stray-functory", str(stray), False)
    assert main(["list", "--kind", "commands"]) == 0
    assert "a functory 99.0 lies on the path" in capsys.readouterr().err


def test_the_table_of_the_cores_components_is_what_its_metadata_announce() -> None:
    own = distributions.find_installed("functory")
    raw = Path(own.metadata, "entry_points.txt").read_bytes()
    entries, faults = announced.read_entries("functory", VERSION, own.metadata, raw)
    assert (sorted((entry.kind, entry.name, entry.value) for entry in entries), faults) == (sorted(COMPONENTS), [])


def test_two_versions_of_one_distribution_are_told_and_listed_where_something_is_lost(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("functory-same", "functory-lost", "functory-newer", "stranger"):
        groups = {} if name == "stranger" else {"packagers": {name: "Thing", f"{name}-old": "Thing"}}
        site.add(name, groups)
    first = type(site)(tmp_path / "first")
    first.folder.mkdir()
    first.add("functory-same", {"packagers": {"functory-same": "Thing", "functory-same-old": "Thing"}})
    first.add("functory-lost", {"packagers": {"functory-lost": "Thing"}}, version="2.0")
    first.add("functory-newer", {"packagers": {"functory-newer": "Thing", "functory-newer-old": "Thing"}}, version="2.0")
    first.add("stranger", {}, version="2.0")
    monkeypatch.syspath_prepend(str(first.folder))
    plugins.refresh()
    told = {fault.distribution: fault for fault in plugins.faults() if fault.diagnosis == "two-versions"}
    assert {name: fault.is_listed for name, fault in told.items()} == {"functory-lost": True, "functory-newer": False}
    assert "2.0 hides 1.0. packagers functory-lost-old cannot be reached so." in told["functory-lost"].what


def test_of_two_versions_in_one_folder_the_higher_one_is_taken(site: Any) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, version="0.9")
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, version="0.10")
    plugins.refresh()
    assert plugins.find("packagers", "thing").version == "0.10"
    assert [fault.diagnosis for fault in faults_of("functory-thing")] == ["two-versions"]


def test_a_name_twice_within_one_distribution_is_told_and_the_first_is_taken(site: Any) -> None:
    place = site.add("functory-thing", {"packagers": {"thing": "Thing"}}) / "entry_points.txt"
    place.write_text(f"{place.read_text()}[functory.packagers]\nthing = functory_thing:Other\n")
    plugins.refresh()
    (fault,) = faults_of("functory-thing")
    assert (fault.diagnosis, fault.where.rpartition(", ")[2], fault.is_fatal) == ("named-twice", "line 6", False)
    assert plugins.find("packagers", "thing").value == "functory_thing:Thing"


def test_what_is_too_much_is_cut_and_what_is_left_out_is_said(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = site.add("functory-many", {"packagers": {f"many{number}": "Thing" for number in range(1200)}})
    line = site.add("functory-line", {"packagers": {"line": "Thing"}}) / "entry_points.txt"
    line.write_text(f"{line.read_text()}[functory.tasks]\nlong = {'a.' * 1_000_000}:B\nlost = a:B\n")
    wrong = site.add("functory-wrong", {"packagers": {"wrong": "Thing"}}) / "entry_points.txt"
    wrong.write_text(f"{wrong.read_text()}[functory.tasks]\n" + "".join(f"x{number} = no\n" for number in range(50)))
    plugins.refresh()
    assert sum(entry.distribution == "functory-many" for entry in plugins.entries()) == announced.MOST_COMPONENTS
    assert "1,200 components; the first 1,000 are taken" in faults_of("functory-many")[0].what
    assert [fault.diagnosis for fault in faults_of("functory-line")] == ["too-large"]
    assert plugins.find("packagers", "line")
    assert len(faults_of("functory-wrong")) == announced.MOST_FAULTS + 1
    assert "45 more lines" in faults_of("functory-wrong")[-1].what
    huge = many / "METADATA"
    huge.write_text(f"{huge.read_text()}X: {'x' * metadata.METADATA_BYTES}\n")
    reads: list[str] = []
    monkeypatch.setattr(metadata, "read", lambda place, most: reads.append(place) or (b"Summary: S\n", True))
    assert {entry.summary for entry in plugins.entries("packagers") if entry.distribution == "functory-many"} == {"S"}
    assert len(reads) == 1


@pytest.mark.parametrize(
    "name",
    ["nl\nevil", "esc\x1b[31m", "bidi\u202e", b"su\xff", "", "a b", "é"],
)
def test_a_folder_whose_name_is_no_distributions_is_passed_over_and_told(
    site: Any, name: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = name if isinstance(name, bytes) else name.encode()
    folder = os.path.join(os.fsencode(site.folder), raw + b"-1.0.dist-info")
    os.mkdir(folder)  # noqa: PTH102
    Path(os.fsdecode(folder), "entry_points.txt").write_text("[functory.tasks]\nodd = a:B\n")
    plugins.refresh()
    assert "odd" not in {entry.name for entry in plugins.entries("tasks")}
    assert main(["list"]) == 0
    err = capsys.readouterr().err
    assert "no name of a distribution" in err
    assert err.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "line",
    ["a:b = c:D", "-x = c:D", "/x = c:D", "\x1b[31mx = c:D", "x\u202e = c:D", f"{'x' * 400} = c:D", "x = ..:..", "x = c.:D",
     "x = 1c:D", "x = c:D:E", "x", "= c:D"],
)  # fmt: skip
def test_a_line_that_names_nothing_is_left_out_with_its_line_and_harms_no_terminal(site: Any, line: str) -> None:
    place = site.add("functory-thing", {"packagers": {"thing": "Thing"}}) / "entry_points.txt"
    place.write_text(f"{place.read_text()}[functory.tasks]\n{line}\n", encoding="utf-8")
    plugins.refresh()
    (fault,) = faults_of("functory-thing")
    assert (fault.diagnosis, fault.where.rpartition(", ")[2]) == ("malformed-entry", "line 6")
    assert fault.what.isprintable()
    assert len(fault.what) < 500


def test_a_contract_version_that_is_none_is_told(site: Any) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, contract="\x1b[31m1")
    plugins.refresh()
    (fault,) = faults_of("functory-thing")
    assert fault.what.isprintable()
    assert plugins.find("packagers", "thing").contract is None


def test_a_byte_order_mark_and_any_end_of_line_are_read(site: Any) -> None:
    place = site.add("functory-thing", {}) / "entry_points.txt"
    place.write_bytes(b"\xef\xbb\xbf[functory.packagers]\r\nthing = functory_thing:Thing\r[functory.contract]\r\n1 = x:Y\r\n")
    plugins.refresh()
    assert plugins.load("packagers", "thing").name == "thing"


def test_what_is_no_text_on_the_path_is_passed_over(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}})
    monkeypatch.setattr(sys, "path", [*sys.path, None, b"/bytes", Path("/there"), 7, "with\0nul"])
    plugins.refresh()
    assert plugins.find("packagers", "thing")


def test_a_folder_on_the_path_that_cannot_be_read_is_told(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = site.folder / "loop"
    loop.symlink_to(loop)
    monkeypatch.setattr(sys, "path", [*sys.path, str(loop), str(site.folder / "nothing")])
    (fault,) = faults_of("the path")
    assert (fault.diagnosis, fault.where) == ("unreadable-folder", repr(str(loop)))


def test_versions_are_told_beside_hostile_metadata(site: Any) -> None:
    os.mkfifo(site.add("stranger", {}, contract=None) / "PKG-INFO")
    done = site.run(code="import json; from functory.machine import environment; print(json.dumps(environment.libraries()))")
    assert json.loads(done.stdout)["pydantic"]
    assert environment.version("no-such-thing") is None


@given(name=st.text(alphabet="aZ9-_.é", max_size=12))
def test_a_name_is_normalised_as_indexes_do_it(name: str) -> None:
    assert distributions.normalise(name) == re.sub(r"[-_.]+", "-", name).lower()


def test_what_a_package_weighs_is_told_beside_requirements_and_addresses_that_are_none(site: Any, tmp_path: Path) -> None:
    from functory.using.footprint import footprint

    place = site.add("functory-thing", {"packagers": {"thing": "Thing"}})
    with (place / "METADATA").open("a") as file:
        file.write("Requires-Dist: !!!\nRequires-Dist: pluggy>=1\n")
    (place / "direct_url.json").write_text("{")
    wheel = tmp_path / "made-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as zipped:
        zipped.writestr("made-1.0.dist-info/METADATA", "Name: made\nRequires-Dist: functory-thing\nRequires-Dist: ???\n")
    found = footprint(wheel)
    assert found.requires == ("functory-thing",)
    assert set(found.sizes) == {"functory-thing", "pluggy"}
