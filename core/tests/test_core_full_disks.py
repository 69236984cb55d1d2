"""A disk that fills up at any byte leaves what was there or what was to come, whole, nothing else, and a clear error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = 4096
FILLS = """
import json, os, sys
from pathlib import Path
from functory.errors import FunctoryError
from functory.machine.folders import file_written_whole, written_whole

disk, page, pages = Path(sys.argv[1]), 4096, int(sys.argv[2])
sizes = (100, 5000, 9000)


def fill(folder, text):
    with written_whole(folder) as made:
        (made / "sub").mkdir()
        for number, size in enumerate(sizes):
            (made / "sub" / str(number)).write_text(text * size)


def page_of(path, text):
    with file_written_whole(path) as made:
        made.write_text(text * 12000)


def content(path):
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    texts = [one.read_text() for one in files if one.is_file()]
    return "".join(sorted(set("".join(texts)))), [len(text) for text in texts]


def room(count):
    "Fill the disk so that so many pages are free."
    found = os.statvfs(disk)
    free = found.f_bavail * found.f_frsize // page
    (disk / "filler").write_bytes(bytes(max(0, free - count) * page))


results = []
for write, whole in ((fill, list(sizes)), (page_of, [12000])):
    for earlier in (False, True):
        for count in range(pages):
            place = disk / "out"
            if earlier:
                write(place, "a")
            room(count)
            try:
                write(place, "b")
                error = None
            except FunctoryError as caught:
                error = [type(caught).__name__, caught.what, caught.do]
            (disk / "filler").unlink()
            found = content(place) if place.exists() else None
            left = sorted(one.name for one in disk.iterdir() if one != place)
            state = [found == ("b", whole), found == ("a", whole), found is None]
            results.append([write.__name__, earlier, count, *state, error, left])
            os.system(f"rm -rf {place}")
print(json.dumps(results))
"""
LIMITS = """
import json, resource, signal, sys
from pathlib import Path
from functory.errors import FunctoryError
from functory.machine.folders import file_written_whole

place, results = Path(sys.argv[1]) / "out", []
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for limit in range(0, 700, 7):
    place.write_text("a" * 600)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with file_written_whole(place) as made:
            made.write_text("b" * 500)
        error = None
    except FunctoryError as caught:
        error = [type(caught).__name__, caught.what, caught.do]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    found = place.read_text()
    results.append([limit, found == "b" * 500, found == "a" * 600, error, len(list(place.parent.iterdir()))])
print(json.dumps(results))
"""


def test_a_disk_that_fills_up_at_any_page_leaves_old_or_new_and_says_so(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no namespaces here")
    pages = 14
    line = f"mount -t tmpfs -o size=256k tmpfs {tmp_path} && exec {sys.executable} -c \"$FILLS\" {tmp_path} {pages}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", line], capture_output=True, text=True, check=False, env={**os.environ, "FILLS": FILLS}
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr
    outcomes = set()
    for name, earlier, count, is_new, is_old, is_none, error, left in json.loads(done.stdout):
        about = f"{name}, {'over an earlier one' if earlier else 'fresh'}, {count} pages free: {error}"
        outcomes.add((name, is_new))
        assert is_new if error is None else (is_old if earlier else is_none), about
        assert left == [], about
        if error is not None:
            kind, what, do = error
            assert kind == "StorageError", about
            assert "out cannot be written: " in what, about
            assert "room" in what, about
            assert "free some space" in do, about
    assert len(outcomes) == 4, "each must fail and succeed at some page"


@pytest.mark.skipif(os.name != "posix", reason="there is no such limit here")
def test_a_limit_on_files_at_any_byte_leaves_old_or_new_and_says_so(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITS, str(tmp_path)], capture_output=True, text=True, check=True)
    for limit, is_new, is_old, error, count in json.loads(done.stdout):
        assert is_new == (limit >= 500), limit
        assert is_old == (limit < 500), limit
        assert (error is None) == is_new
        assert count == 1
        if error is not None:
            assert error[0] == "StorageError"
            assert "out cannot be written: the file would be larger" in error[1]
            assert "free some space" in error[2]
