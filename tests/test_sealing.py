"""One digest covers every byte of an artefact: nothing that was changed loads, and whoever names a digest gets that function."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory import errors
from functory.artefact.checking import check
from functory.artefact.finding import find
from functory.artefact.installed import InstalledFunction, Packaged
from functory.artefact.members import DIGEST, MANIFEST
from functory.artefact.opening import verify
from functory.artefact.sealing import unsealed, write_digest
from functory.cli import main
from functory.plugins.registry import registered
from functory.using.packaging import package
from functory_sdk.testing.toybox import kit, toy_function


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    with kit():
        yield


@pytest.fixture(scope="module")
def saved(toys: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_function().save(tmp_path_factory.mktemp("functions") / "toy")


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "toy"))


def forge(folder: Path, **changes: Any) -> str:
    """Change a manifest and write a digest that fits, as whoever can write the folder can."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}), encoding="utf-8")
    return write_digest(folder)


def flips(content: bytes, step: int = 1) -> Iterator[bytes]:
    """Give some bytes with each bit flipped, or every so many of them."""
    for bit in range(0, len(content) * 8, step):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def test_no_flipped_bit_of_the_manifest_or_its_digest_is_read(saved: Path) -> None:
    content, digest = (saved / MANIFEST).read_bytes(), (saved / DIGEST).read_bytes()
    changed = [(one, digest) for one in flips(content)] + [(content, one) for one in flips(digest)]
    assert len(changed) == 8 * (len(content) + len(digest))
    assert unsealed(content, digest, "")[0] == json.loads(content)
    for pair in changed:
        with pytest.raises(errors.ArtefactCorrupt):
            unsealed(*pair, "")


def test_no_flipped_bit_of_another_member_passes(copy: Path) -> None:
    others = sorted(set(copy.iterdir()) - {copy / MANIFEST, copy / DIGEST})
    assert {file.name for file in others} == {"weights.safetensors", "golden.jsonl", "report.json", "README.md"}
    for file in others:
        content = file.read_bytes()
        for changed in flips(content, step=max(1, len(content) * 8 // 61)):
            file.write_bytes(changed)
            with pytest.raises(errors.ArtefactCorrupt, match=file.name):
                check(copy)
        file.write_bytes(content)
    check(copy)


def test_a_digest_is_the_line_that_sha256sum_writes_and_nothing_else(copy: Path) -> None:
    if shutil.which("sha256sum"):
        said = subprocess.run(["sha256sum", MANIFEST], cwd=copy, capture_output=True, check=True).stdout
        assert (copy / DIGEST).read_bytes() == said
        subprocess.run(["sha256sum", "--check", "--strict", DIGEST], cwd=copy, capture_output=True, check=True)
    line = (copy / DIGEST).read_bytes()
    dos, binary = line.replace(b"\n", b"\r\n"), line.replace(b"  ", b" *")
    for other in (b"", line[:-1], line + b"\n", dos, binary, line.upper(), line * 2, b"\xff"):
        (copy / DIGEST).write_bytes(other)
        with pytest.raises(errors.ArtefactCorrupt, match="sha256sum"):
            functory.load(copy)
    (copy / DIGEST).unlink()
    with pytest.raises(errors.ArtefactCorrupt, match=r"function\.json\.sha256 is missing"):
        functory.load(copy)


def test_the_digest_that_is_asked_for_is_the_one_that_loads(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = verify(copy).sha256
    assert digest == (copy / DIGEST).read_text().split()[0]
    assert functory.load(copy, sha256=digest.upper()).name == "toy"
    forged = forge(copy, licence="Apache-2.0")
    assert verify(copy).sha256 == forged != digest, "whoever can write the folder can write its digest"
    for refused in (
        lambda: functory.load(copy, sha256=digest), lambda: verify(copy, sha256=digest),
        lambda: package(copy, "my-toy", copy / "dist", sha256=digest),
    ):  # fmt: skip
        with pytest.raises(errors.ArtefactCorrupt, match=f"its sha256 is {forged}, and not {digest}"):
            refused()
    assert main(["package", str(copy), "--output", str(copy.parent / "dist"), "--sha256", digest]) == 1
    for verb in (["run", str(copy), "a film"], ["verify", str(copy)]):
        assert main([*verb, "--sha256", forged]) == 0
        assert main([*verb, "--sha256", digest]) == 1
    assert "not the one that was asked for" in capsys.readouterr().err
    assert main(["verify", str(copy)]) == 0
    assert f"sha256 {forged}" in capsys.readouterr().out
    assert main(["verify", str(copy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == forged


def test_each_of_several_functions_has_a_digest_of_its_own(copy: Path, saved: Path, tmp_path: Path) -> None:
    digest = verify(saved).sha256
    forged = forge(copy, licence="Apache-2.0")
    data = [{"text": "good", "label": "yes"}, {"text": "bad", "label": "no"}]
    assert functory.compare(saved, copy, data, sha256=(digest, forged)).examples == 2
    assert functory.compare(saved, copy, data, sha256=digest).examples == 2
    for refused in (
        lambda: functory.compare(saved, copy, data, sha256=(digest, digest)),
        lambda: functory.compare(copy, saved, data, sha256=digest),
        lambda: package(saved, "my-toy", tmp_path / "dist", also=[copy], sha256=(digest, digest)),
    ):
        with pytest.raises(errors.ArtefactCorrupt, match=f"its sha256 is {forged}, and not {digest}"):
            refused()
    with pytest.raises(errors.UsageError, match="2 digests are given for 1 function"):
        package(saved, "my-toy", tmp_path / "dist", sha256=(digest, digest))
    assert main(["package", str(saved), "--also", str(copy), "--sha256", digest, "--sha256", digest]) == 1


@pytest.mark.parametrize("wrong", ["0" * 63, "0" * 65, "g" * 64, f"sha256:{'0' * 64}", f"{'0' * 64}\n", "٠" * 64, b"0" * 64])
def test_what_is_no_whole_digest_is_refused_before_anything_is_read(wrong: Any, saved: Path, tmp_path: Path) -> None:
    for folder in (saved, tmp_path):
        for ask in (functory.load, verify):
            with pytest.raises(errors.UsageError, match="is no digest") as caught:
                ask(folder, sha256=wrong)
            assert "64 hexadecimal digits" in caught.value.do


def test_a_function_of_the_first_format_is_refused_with_what_to_do(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": 1}), encoding="utf-8")
    (copy / DIGEST).unlink()
    for read in (functory.load, verify, check):
        with pytest.raises(errors.ArtefactVersion, match="format 1; this functory reads 3") as caught:
            read(copy)
        assert 'build it again: its recipe stands in its function.json, under "recipe"' in caught.value.do
    assert [one.trouble for one in find(copy.parent)] == ["the function has format 1; this functory reads 3."]
    for version, told in ((4, "install a functory"), (True, "install a functory"), ("3", "install a functory"), (3.0, "install")):
        forge(copy, format=version)
        with pytest.raises(errors.ArtefactVersion) as caught:
            check(copy)
        assert told in caught.value.do


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"name": "x"}', b"[" * 100_000, b"9" * 5000])
def test_what_is_no_manifest_is_no_function_whether_its_digest_fits_or_lacks(content: bytes, copy: Path) -> None:
    (copy / MANIFEST).write_bytes(content)
    (copy / DIGEST).unlink()
    for _ in range(2):
        with pytest.raises(errors.ArtefactCorrupt, match=r"function\.json (cannot be read|is no function's)"):
            check(copy)
        [found] = find(copy)
        assert found.trouble.startswith(("function.json cannot be read", "function.json is no function's"))
        write_digest(copy)


def test_what_lists_functions_says_that_one_was_changed(copy: Path) -> None:
    (copy / MANIFEST).write_text((copy / MANIFEST).read_text().replace('"toy"', '"boy"'))
    [found] = find(copy)
    assert found.trouble.startswith("function.json was changed")


def test_an_installed_function_is_the_one_that_was_packaged(copy: Path) -> None:
    packaged = Packaged(copy, verify(copy).sha256)
    with registered("functions", "my-toy", packaged, distribution="my-toy", version="0.1.0"):
        assert functory.load("my-toy").name == InstalledFunction(packaged).name == "toy"
        forge(copy, metrics={"accuracy": {"value": 1.0}})
        for use in (
            lambda: functory.load("my-toy"), lambda: verify("my-toy"), lambda: InstalledFunction(packaged).name,
            lambda: functory.load("my-toy").package("again"),
        ):  # fmt: skip
            with pytest.raises(errors.ArtefactCorrupt, match="not the one that was asked for") as caught:
                use()
            assert "pip install --force-reinstall" in caught.value.do
        assert main(["info", "my-toy"]) == main(["run", "my-toy", "a film"]) == 1
