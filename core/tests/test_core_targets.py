"""Where nothing can be written is found before any work, and nothing is left by looking."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functory.errors import FunctoryError, StorageError, UsageError
from functory.machine.targets import fillable_folder, link_note, replaceable_file, replaceable_folder

CHECKS: tuple[Callable[[Path], Path], ...] = (replaceable_folder, replaceable_file, fillable_folder)
posix = pytest.mark.skipif(os.name != "posix", reason="permissions are other things here")
ASKS = """
import os, sys
from pathlib import Path
from functory.errors import FunctoryError
from functory.machine import targets
for ask in (targets.replaceable_folder, targets.replaceable_file, targets.fillable_folder):
    for path in sys.argv[1:]:
        try:
            print("fine", ask(Path(path)))
        except FunctoryError as error:
            print(type(error).__name__, error.what, "|", error.do)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a little of everything, which looking at it must leave as it was."""
    for name in ("work", "folder", "full/inside"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "dangling").symlink_to("not/yet")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path / "work")
    before = {path: path.lstat().st_mode for path in tmp_path.rglob("*")}
    yield tmp_path
    assert {path: path.lstat().st_mode for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("../file/below", "a part of the path is a file"),
        ("../file/below/further", "a part of the path is a file"),
        ("../circle", "links lead in a circle"),
        ("../circle/below", "links lead in a circle"),
        ("x" * 256, "the name is too long"),
        ("new/" + "x" * 256 + "/new", "the name is too long"),
        ("/".join(["x" * 200] * 30), "the name is too long"),
        ("a\0b", "null"),
    ],
)
def test_no_verb_can_write_where_no_file_or_folder_can_be(place: Path, named: str, message: str) -> None:
    for check in CHECKS:
        with pytest.raises(UsageError, match=message) as caught:
            check(Path(named))
        assert named in caught.value.what
        assert caught.value.do


@pytest.mark.parametrize("named", ["new", "deep/er/new", "../folder", "../link", "../dangling", "../dangling/new", "../link/"])
def test_what_can_be_written_is_named_by_where_it_leads_to(place: Path, named: str) -> None:
    assert replaceable_folder(Path(named)) == Path(os.path.realpath(named))
    assert fillable_folder(Path(named)) == Path(os.path.realpath(named))


@pytest.mark.parametrize("named", [".", "..", "/", "../work", "../../"])
def test_the_working_directory_and_those_above_it_are_never_replaced_but_may_be_filled(place: Path, named: str) -> None:
    with pytest.raises(UsageError, match="it is the working directory, or holds it") as caught:
        replaceable_folder(Path(named))
    assert f"name a folder in it, such as {Path(named) / 'function'}" in caught.value.do
    if named != "/":
        assert fillable_folder(Path(named)) == Path(os.path.realpath(named))


def test_the_working_directory_is_known_through_a_link(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("links") / "here"
    link.symlink_to(place)
    with pytest.raises(UsageError, match="it is the working directory, or holds it"):
        replaceable_folder(link)


def test_a_file_is_no_folder_a_folder_no_file_and_a_pipe_or_device_neither(place: Path) -> None:
    for named in ("file", "pipe", os.devnull):
        for check in (replaceable_folder, fillable_folder):
            with pytest.raises(UsageError, match="it is a file, and no folder"):
                check(place / named)
    for named in ("folder", "link"):
        with pytest.raises(UsageError, match="it is a folder, and no file"):
            replaceable_file(place / named)
    for named in ("pipe", os.devnull):
        with pytest.raises(UsageError, match="it is a device or a pipe"):
            replaceable_file(place / named)
    assert replaceable_file(place / "file") == place / "file"


def test_where_a_disk_is_mounted_no_folder_is_replaced(place: Path) -> None:
    with pytest.raises(UsageError, match="a disk is mounted there"):
        replaceable_folder(Path("/proc"))


def test_a_working_directory_that_is_gone_stops_nobody_who_names_a_whole_path(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = tmp_path_factory.mktemp("gone"), tmp_path_factory.mktemp("other")
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert replaceable_folder(other / "new") == other / "new"
    with pytest.raises(FunctoryError, match="cannot be written"):
        replaceable_folder(Path("new"))
    monkeypatch.chdir(other)


def test_a_link_is_told(place: Path) -> None:
    assert link_note(place / "link") == f" (a link to {place / 'folder'})"
    assert link_note(place / "folder") == link_note(place / "new") == ""


def test_more_than_there_is_room_for_is_refused_with_both_numbers(place: Path) -> None:
    for check in CHECKS:
        with pytest.raises(StorageError, match=r"needs some 1000000000\.0 GB, and .* are free") as caught:
            check(place / "new", 10**18)  # type: ignore[call-arg]
        assert caught.value.exit_code == 1


def for_all() -> str:
    """Return a folder for temporary files that every user reaches: the process's own may lie in one that is closed to others."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if all(folder.stat().st_mode & 0o005 == 0o005 for folder in (Path(place), *Path(place).parents)):
            return place
    pytest.skip("no folder for temporary files is open to every user")


@pytest.fixture
def denied() -> Iterator[Path]:
    """A folder that the process may not write, with one that it may, and another's folder in one for all."""
    folder = Path(tempfile.mkdtemp(dir=for_all()))
    (folder / "own").mkdir()
    (folder / "closed").mkdir(mode=0o700)
    (folder / "all" / "foreign").mkdir(parents=True)
    (folder / "all" / "page").write_text("x")
    (folder / "all").chmod(0o1777)
    (folder / "all" / "foreign").chmod(0o777)
    (folder / "all" / "page").chmod(0o666)
    folder.chmod(0o755)
    if os.geteuid():
        folder.chmod(0o500)
        (folder / "closed").chmod(0)
    else:
        os.chown(folder / "own", 65534, 65534)
        os.seteuid(65534)
    yield folder
    if not os.getuid():
        os.seteuid(0)
    folder.chmod(0o700)
    (folder / "closed").chmod(0o700)
    shutil.rmtree(folder)


@posix
def test_what_is_not_the_users_to_write_is_refused(denied: Path) -> None:
    for check in CHECKS:
        assert check(denied / "own" / "new") == denied / "own" / "new"
        for named in ("new", "new/er", "closed/new", "closed/new/er"):
            with pytest.raises(UsageError, match=r"cannot be written: access is denied") as caught:
                check(denied / named)
            assert "permissions" in caught.value.do
    with pytest.raises(UsageError, match="access is denied"):
        replaceable_folder(denied / "own")
    assert list((denied / "own").iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs two users")
def test_what_is_anothers_in_a_folder_for_all_is_not_replaced(denied: Path) -> None:
    for check, named in ((replaceable_folder, "foreign"), (replaceable_file, "page")):
        with pytest.raises(UsageError, match="access is denied"):
            check(denied / "all" / named)
    assert fillable_folder(denied / "all" / "foreign")


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("mount -t tmpfs -o size=64k tmpfs DISK; head -c 65000 /dev/zero > DISK/filled 2>/dev/null", "StorageError"),
        ("mount -t tmpfs -o nr_inodes=2 tmpfs DISK; touch DISK/last", "StorageError"),
        ("mount -t tmpfs tmpfs DISK; mkdir DISK/old; mount -o remount,ro DISK", "UsageError"),
    ],
    ids=["full", "no inodes", "read-only"],
)  # fmt: skip
def test_a_full_or_read_only_disk_is_found_before_the_work(tmp_path: Path, mount: str, message: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    python = f"{sys.executable} -c '{ASKS}' {disk}/new {disk}/deep/er"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{mount.replace('DISK', str(disk))}; ls -R {disk} >&2; {python}; ls -R {disk} >&2"],
        capture_output=True, text=True, check=False,
    ) if shutil.which("unshare") else None  # fmt: skip
    if done is None or "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no namespaces here")
    lines = done.stdout.splitlines()
    assert len(lines) == 6
    for line in lines:
        assert line.startswith(message), line
        assert "cannot be written: " in line
        assert "is read-only" in line if message == "UsageError" else "room" in line or "are free" in line
        assert line.partition("|")[2].strip()
    before, after = done.stderr[: len(done.stderr) // 2], done.stderr[len(done.stderr) // 2 :]
    assert before == after, "looking left something"
