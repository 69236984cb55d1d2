"""Folders and files appear whole or not at all, whoever is killed, and whoever writes there at the same moment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from functory.errors import FunctoryError, StorageError, UsageError
from functory.machine import folders, unfinished
from functory.machine.folders import file_written_whole, written_whole

needs_kill = pytest.mark.skipif(os.name != "posix", reason="there is no kill -9 here")
HOLDS = """
import sys, time
from pathlib import Path
from functory.machine.unfinished import unfinished
with unfinished(Path(sys.argv[1]), is_file=sys.argv[2] == "file") as made:
    print(made, flush=True)
    time.sleep(60)
"""
WRITES = """
import sys, time
from pathlib import Path
from functory.machine.folders import written_whole
place, own, begin, rounds, pause = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
for number in range(rounds):
    time.sleep(max(0.0, begin + number * pause - time.time()))
    with written_whole(place / str(number)) as made:
        for name in "abc":
            (made / name).write_text(own)
"""


def holding(target: Path, what: str) -> tuple[subprocess.Popen[str], Path]:
    """Return a process that has something unfinished beside a target, and what it is."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(target), what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@needs_kill
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_a_killed_process_left_is_swept_and_what_a_live_one_holds_is_not(tmp_path: Path, what: str) -> None:
    process, made = holding(tmp_path / "out", what)
    try:
        with written_whole(tmp_path / "other"):
            assert made.exists(), "it is being written"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert made.exists(), "nothing was left, so that nothing is told here"
        with file_written_whole(tmp_path / "page"):
            assert not made.exists()
    finally:
        process.kill()
        process.communicate()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "page"]


@pytest.mark.parametrize("days", [0, 2])
def test_what_another_kernel_marked_goes_when_a_day_has_passed_over_all_of_it(
    tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_kernel", lambda: "0" * 8)
    with unfinished.unfinished(tmp_path / "out") as left:
        (left / "weights").write_text("x")
        monkeypatch.setattr(unfinished, "_kernel", lambda: "1" * 8)
        os.utime(left, (0, 0))
        then = time.time() - days * unfinished.DAY
        os.utime(left / "weights", (then, then))
        unfinished.sweep(tmp_path)
        assert left.exists() == (days == 0)


def test_what_only_looks_unfinished_is_left_alone(tmp_path: Path) -> None:
    for name in (".out.part", "out.part", ".out.abcdefgh.part", ".download.functory.part"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    before = sorted(tmp_path.iterdir())
    unfinished.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_processes_that_write_one_new_folder_at_the_same_moment_leave_one_of_theirs_whole(tmp_path: Path) -> None:
    rounds, pause = 30, 0.02
    begin = str(time.time() + 0.7)
    command = [sys.executable, "-c", WRITES, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, own, begin, str(rounds), str(pause)], stderr=subprocess.PIPE, text=True)
        for own in ("one", "two", "three")
    ]
    said = [writer.communicate(timeout=60)[1] for writer in writers]
    assert said == ["", "", ""]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    for number in range(rounds):
        texts = {(tmp_path / str(number) / name).read_text() for name in "abc"}
        assert len(texts) == 1, f"round {number} is a mix"
    assert len(list(tmp_path.iterdir())) == rounds, "something was left"


@pytest.mark.parametrize("can_exchange", [True, False])
def test_others_that_come_between_are_met_whether_or_not_the_system_can_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(folders, "_exchange", lambda made, folder: False)
    out = tmp_path / "out"
    with written_whole(out) as made:
        (made / "new").write_text("one")
    with written_whole(out) as made:
        (made / "new").write_text("two")
    assert (out / "new").read_text() == "two"

    renamed, others = folders._renamed, ["three", "four"]
    shutil.rmtree(out)

    def late(made: Path, folder: Path) -> bool:
        if others and not folder.exists():
            folder.mkdir()
            (folder / "new").write_text(others.pop())
        return renamed(made, folder)

    monkeypatch.setattr(folders, "_renamed", late)
    with written_whole(out) as made:
        (made / "new").write_text("last")
    assert (out / "new").read_text() == "last"
    assert len(others) < 2
    assert list(tmp_path.iterdir()) == [out]

    monkeypatch.setattr(folders, "_exchange", lambda made, folder: False)

    def broken(made: Path, folder: Path) -> bool:
        if not folder.exists():
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(folders, "_renamed", broken)
    with pytest.raises(KeyboardInterrupt), written_whole(out) as made:
        (made / "new").write_text("never")
    assert (out / "new").read_text() == "last"
    assert list(tmp_path.iterdir()) == [out]


def test_who_never_gets_in_between_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda made, folder: False)
    monkeypatch.setattr(folders, "_renamed", lambda made, folder: False)
    with pytest.raises(StorageError, match="written by others all the time"), written_whole(tmp_path / "out"):
        pass


@needs_kill
def test_what_stood_aside_when_its_replacer_died_comes_back(tmp_path: Path) -> None:
    for is_there in (False, True):
        aside = tmp_path / f".out.functory-{unfinished._kernel()}-abcdefgh.old"
        (aside / "out").mkdir(parents=True)
        (aside / "out" / "function.json").write_text("old")
        if is_there:
            (tmp_path / "out" / "function.json").write_text("new")
        unfinished.sweep(tmp_path)
        assert (tmp_path / "out" / "function.json").read_text() == ("new" if is_there else "old")
        assert not aside.exists()


def test_links_stay_and_what_they_lead_to_is_written(tmp_path: Path) -> None:
    real, page = tmp_path / "real", tmp_path / "page.html"
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "shown").symlink_to(page)
    for text in ("one", "two"):
        with written_whole(tmp_path / "link") as made:
            (made / "a").write_text(text)
        with file_written_whole(tmp_path / "shown") as file:
            file.write_text(text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "shown").is_symlink()
        assert (real / "a").read_text() == page.read_text() == text


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "a\udcffb"])
def test_every_name_that_the_system_takes_is_written(tmp_path: Path, name: str) -> None:
    if sys.platform == "darwin" and "\udcff" in name:
        pytest.skip("no name here")
    with written_whole(tmp_path / "folder" / name) as made:
        (made / "a").write_text("x")
    with file_written_whole(tmp_path / name) as file:
        file.write_text("x")
    assert (tmp_path / "folder" / name / "a").read_text() == (tmp_path / name).read_text() == "x"


def test_places_that_are_none_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    places = [tmp_path / "x" / ("y" * 256), tmp_path / "circle", tmp_path / "file" / "below", tmp_path / "circle" / "below"]
    before = sorted(tmp_path.rglob("*"))
    for place in places:
        for whole in (written_whole, file_written_whole):
            with pytest.raises(UsageError, match="cannot be written: ") as caught, whole(place):
                pass
            assert caught.value.do
            assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(UsageError, match="null"), written_whole(tmp_path / "a\0b"):
        pass


def test_a_folder_or_a_device_is_no_file_to_replace(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(UsageError, match="cannot be written"), file_written_whole(place):
            pass
    assert Path(os.devnull).is_char_device()
    assert (tmp_path / "pipe").is_fifo()


def test_folders_made_on_the_way_go_again_where_the_work_fails(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="work"), written_whole(tmp_path / "a" / "b" / "c" / "out"):
        raise ValueError("work")
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_what_the_system_refuses_within_is_told_of_the_path_that_the_user_knows(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(StorageError, match=r"out cannot be written: ") as caught, written_whole(out) as made:
        (made / "a").read_text()
    assert caught.value.where == str(out / "a")
    with pytest.raises(FunctoryError, match="^mine$"), written_whole(out):
        raise FunctoryError("mine")


def test_read_only_folders_in_what_is_replaced_leave_nothing_behind(tmp_path: Path) -> None:
    for _ in range(2):
        with written_whole(tmp_path / "out") as made:
            (made / "a" / "b").mkdir(parents=True)
            (made / "a" / "b" / "c").write_text("x")
        (tmp_path / "out" / "a" / "b").chmod(0o500)
        (tmp_path / "out" / "a").chmod(0o500)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("is_written_down", [True, False])
def test_threads_that_write_at_once_leave_the_mask_of_the_process_and_their_files_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written_down: bool
) -> None:
    if not is_written_down:
        monkeypatch.setattr(folders.Path, "read_text", lambda self: "")
    before, ask = os.umask(0o027), os.umask

    def slow(mask: int) -> int:
        found = ask(mask)
        time.sleep(0.0005)  # others come between
        return found

    monkeypatch.setattr(os, "umask", slow)

    def write(number: int) -> None:
        for _ in range(5):
            with written_whole(tmp_path / str(number)) as made:
                (made / "a").touch()

    try:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        after = ask(before)
    assert after == 0o027
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*/a")} == {0o640}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o750}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_that_has_the_name_of_what_is_unfinished_is_swept_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / f".it.functory-{unfinished._kernel()}-abcdefgh.part"
    os.mkfifo(pipe)
    unfinished.sweep(tmp_path)
    assert not os.path.lexists(pipe)
