"""A function saved, packaged or built onto a disk that fills up at any page: what was there stays, or what came is whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
SAVES = """
import json, os, re, sys
from pathlib import Path

import functory
from functory.cli import main
from functory.errors import FunctoryError
from functory.using.packaging import package
from functory_sdk import hookimpl
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

disk, page, pages = Path(sys.argv[1]), 4096, int(sys.argv[2])
base = dict(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head")


def room(count):
    found = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(max(0, found.f_bavail * found.f_frsize // page - count) * page))


def told(work):
    try:
        work()
    except FunctoryError as error:
        return [type(error).__name__, error.what, error.do]


def seed_of(place):
    functory.verify(place)
    return json.loads((place / "function.json").read_text())["recipe"]["seed"]


def clear(*keep):
    for one in disk.iterdir():
        if one not in keep:
            os.system(f"rm -rf '{one}'")


class Filler:
    @hookimpl
    def progress(self, run, event):
        if event.kind == "done":
            room(1)


results = {"save": [], "package": []}
with kit():
    first, second = (functory.build(**base, seed=seed, report=False) for seed in (1, 2))
    out, source = disk / "out", Path(sys.argv[3])
    second.save(source)
    [wheel] = package(source, "full-toy", source.parent / "whole")
    for earlier in (False, True):
        for count in range(pages):
            if earlier:
                first.save(out)
            room(count)
            error = told(lambda: second.save(out))
            (disk / "filler").unlink()
            found = seed_of(out) if out.exists() else None
            results["save"].append([earlier, count, found, error, sorted(one.name for one in disk.iterdir() if one != out)])
            clear()
    for count in range(pages):
        room(count)
        error = told(lambda: package(source, "full-toy", disk / "dist"))
        made = disk / "dist" / wheel.name
        is_whole = made.exists() and made.read_bytes() == wheel.read_bytes()
        left = sorted(str(one.relative_to(disk)) for one in disk.rglob("*") if one.is_file() and one != made)
        results["package"].append([count, made.exists(), is_whole, error, left])
        clear()
    error = told(lambda: functory.build(**base, output=out, hooks=[Filler()]))
    kept = re.search(r"kept in (\\S+):", error[2])[1]
    results["build"] = [error, functory.load(kept)("good").label, [one.name for one in disk.iterdir()]]
print(json.dumps(results))
"""


def test_saves_packages_and_builds_leave_old_or_new_and_what_was_trained_is_kept(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no namespaces here")
    disk, pages = tmp_path / "disk", 16
    disk.mkdir()
    line = f"mount -t tmpfs -o size=512k tmpfs {disk} && exec {sys.executable} -c \"$SAVES\" {disk} {pages} {tmp_path / 'source'}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", line], capture_output=True, text=True, check=False,
        env={**os.environ, "SAVES": SAVES, "XDG_DATA_HOME": str(tmp_path / "home"), "FUNCTORY_QUIET": "1"},
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(done.stdout.splitlines()[-1])
    outcomes = set()
    for earlier, count, found, error, left in results["save"]:
        about = f"{'over an earlier one' if earlier else 'fresh'}, {count} pages free: {error}, {left}"
        outcomes.add((earlier, found == 2))
        assert found == (2 if error is None else 1 if earlier else None), about
        assert left == [], about
        assert error is None or error[0] == "StorageError", about
        assert error is None or ("out cannot be written" in error[1] and "free some space" in error[2]), about
    assert len(outcomes) == 4, "each must fail and succeed at some page"
    outcomes = set()
    for count, is_there, is_whole, error, left in results["package"]:
        outcomes.add(is_whole)
        assert is_there == is_whole == (error is None), (count, error)
        assert set(left) <= {"filler"}, (count, left)
        assert error is None or (error[0] == "StorageError" and "cannot be written" in error[1]), error
    assert len(outcomes) == 2
    error, label, left = results["build"]
    assert error[0] == "StorageError"
    assert "out cannot be written" in error[1]
    assert label == "yes"
    assert left == ["filler"]
