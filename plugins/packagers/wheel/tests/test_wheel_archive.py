"""The wheel's zip file: sound, the same each time, whole or not at all."""

from __future__ import annotations

import base64
import csv
import hashlib
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from functory_sdk import StorageError
from functory_wheel.archive import write
from functory_wheel.names import Names

NAMES = Names("my-sentiment", "my_sentiment", "0.1.0")
FILES = {"my_sentiment-0.1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n", "my_sentiment/__init__.py": b""}


@pytest.fixture
def member(tmp_path: Path) -> Path:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(bytes(range(256)) * 9000)  # more than one chunk
    return file


def test_record_holds_the_hash_and_size_of_every_file_and_stands_last(member: Path, tmp_path: Path) -> None:
    wheel = write(tmp_path / "dist", NAMES, FILES, {"my_sentiment/artefact/weights.safetensors": member}, compress=True)
    with ZipFile(wheel) as zipped:
        assert zipped.testzip() is None
        *others, last = zipped.namelist()
        assert last == "my_sentiment-0.1.0.dist-info/RECORD"
        rows = {path: (code, size) for path, code, size in csv.reader(zipped.read(last).decode().splitlines())}
        assert rows.pop(last) == ("", "")
        assert sorted(rows) == sorted(others)
        for path, (code, size) in rows.items():
            digest = hashlib.sha256(zipped.read(path)).digest()
            assert code == "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            assert int(size) == zipped.getinfo(path).file_size


@pytest.mark.parametrize("compress", [True, False])
def test_the_same_files_give_the_same_bytes_whenever_and_in_whatever_order(
    member: Path, tmp_path: Path, compress: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"my_sentiment/artefact/weights.safetensors": member}
    first = write(tmp_path / "one", NAMES, FILES, place, compress=compress)
    member.touch()
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    again = write(tmp_path / "two", NAMES, dict(reversed(FILES.items())), place, compress=compress)
    assert first.read_bytes() == again.read_bytes()


def test_a_write_that_fails_leaves_the_earlier_wheel_and_nothing_half_written(member: Path, tmp_path: Path) -> None:
    target = tmp_path / "dist"
    before = write(target, NAMES, FILES, {"a": member}, compress=True).read_bytes()
    with pytest.raises(StorageError, match="cannot be written: there is no such file") as caught:
        write(target, NAMES, FILES, {"a": member, "b": tmp_path / "gone"}, compress=True)
    assert caught.value.where == str(tmp_path / "gone")
    assert [path.name for path in target.iterdir()] == [NAMES.file]
    assert (target / NAMES.file).read_bytes() == before
