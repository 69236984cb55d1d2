"""The cache is a help, never a need: what it holds, and whether it can be written, changes no function."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORK = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path

    import functory
    from functory.cli import main
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    base = Path(sys.argv[1])

    def built():
        return functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", seed=3)

    with kit():
        os.environ["FUNCTORY_CACHE"] = str(base / "good")
        first = built()
        first.save(base / "function")
        expected = first("good").model_dump()
        for trouble in sys.argv[2:]:
            os.environ["FUNCTORY_CACHE"] = str(base / trouble)
            print(f"-- {trouble}", file=sys.stderr, flush=True)
            again = built()
            assert again("good").model_dump() == expected
            assert functory.load(base / "function")("good").model_dump() == expected
            assert str(functory.load(base / "function").explain("good", method="occlusion"))
            for verb in ("verify", "run", "info", "explain"):
                words = ["good"] if verb in ("run", "explain") else []
                assert main([verb, str(base / "function"), *words]) == 0, verb
            assert main(["list"]) == 0
            assert main(["cache"]) == 0
    """
)
MOUNT = """
set -e
mkdir -p {0}/full {0}/read-only
mount -t tmpfs -o size=64k tmpfs {0}/full
mount -t tmpfs -o size=64k tmpfs {0}/read-only
mount -o remount,ro {0}/read-only
dd if=/dev/zero of={0}/full/all bs=4k count=64 2>/dev/null || true
exec "$@"
"""


def test_a_cache_that_cannot_be_written_fails_nothing_and_is_said_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORK, str(tmp_path), "a-file", "below-a-file/cache"]
    (tmp_path / "a-file").write_text("somebody's")
    (tmp_path / "below-a-file").write_text("somebody's")
    if can_mount():
        script = MOUNT.format(tmp_path)
        command = ["unshare", "-rm", "sh", "-c", script, "sh", *command, "full", "read-only"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "FUNCTORY_QUIET": "1"}, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for told in done.stderr.split("-- ")[1:]:
        trouble, _, notes = told.partition("\n")
        assert notes.count(f"note: the cache at {tmp_path / trouble} cannot be written: ") == 1, told
    assert "no room is left on the disk; going on without." in done.stderr or not can_mount()
    assert (tmp_path / "a-file").read_text() == "somebody's"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "one flipped bit": lambda sound: sound[:-9] + bytes([sound[-9] ^ 32]) + sound[-8:],
    "zeros": lambda sound: sound[:128] + bytes(len(sound) - 128),
    "cut": lambda sound: sound[: len(sound) // 2],
    "empty": lambda sound: b"",
    "foreign": lambda sound: b"\x89PNG" + sound,
}


def test_a_build_on_damaged_features_is_the_build_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import functory
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))

    def built() -> dict[str, Any]:
        function = functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", seed=3)
        return {name: value.tobytes() for name, value in function.form.engine.phi(function.form.program.model).items()}

    with kit():
        whole = built()
        for name, damage in DAMAGES.items():
            files = list((tmp_path / "features").glob("*/*.npy"))
            assert files
            for file in files:
                file.write_bytes(damage(file.read_bytes()))
            capsys.readouterr()
            assert built() == whole, name
            assert capsys.readouterr().err.count("are damaged (pooled.npy is not what was written)") == len(files), name


def can_mount() -> bool:
    """Say whether this system lets a user mount a disk of their own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0

