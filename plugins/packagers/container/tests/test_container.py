"""A folder that an OCI builder takes: what is in it, and that its steps give a server that answers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.using.packaging import package
from functory_container import Container
from functory_container.locking import locked
from functory_sdk import NotSupported, UsageError, closure
from functory_sdk.testing import PackagerSuite, converted, kit, toy_function

ROOT = Path(__file__).resolve().parents[4]


class TestContainer(PackagerSuite):
    component = "container"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy function, packaged."""
    place = tmp_path_factory.mktemp("container")
    with kit():
        artefact = toy_function().save(place / "toy")
        Container().configure({"port": 9000}).package(artefact, "my-toy", place / "image")
    return place / "image"


def test_it_is_served_by_nobody_special_with_a_health_check_and_drains(folder: Path) -> None:
    steps = dict(re.findall(r"^([A-Z]+) (.*)$", (folder / "Containerfile").read_text(), re.MULTILINE))
    assert steps["USER"] == "10001:10001"
    assert json.loads(steps["CMD"])[:3] == ["functory", "serve", "my-toy"]
    assert "--host 0.0.0.0 --port 9000" in " ".join(json.loads(steps["CMD"]))
    assert "127.0.0.1:9000/readyz" in steps["HEALTHCHECK"]
    assert (steps["STOPSIGNAL"], steps["EXPOSE"]) == ("SIGTERM", "9000")
    assert "--require-hashes" not in (folder / "Containerfile").read_text(), "not every hash is known"
    assert (folder / ".containerignore").read_text().startswith("*\n")


def test_all_that_is_needed_is_pinned_and_what_is_at_hand_has_its_hash(folder: Path) -> None:
    [wheel] = (folder / "wheels").iterdir()
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert lines[1] == "my-toy==0.1.0 \\"
    assert lines[2].strip() == f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    pins = {line.partition("==")[0]: line.partition("==")[2] for line in lines[3:]}
    assert pins.keys() >= {"functory", "functory-sdk", "functory-serve", "numpy", "starlette", "uvicorn"}
    assert all(re.fullmatch(r"[\w.!]+", version) for version in pins.values()), "no version has a local part"


def test_what_cannot_be_locked_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [wheel] = (folder / "wheels").iterdir()
    (tmp_path / "odd.whl").touch()
    with pytest.raises(NotSupported, match="named as no wheel"):
        locked(wheel, [tmp_path / "odd.whl"])
    monkeypatch.setattr("functory_container.locking.SERVER", "functory-hats")
    with pytest.raises(NotSupported, match="needs functory-hats, which is not installed here"):
        locked(wheel, [wheel])
    packager = Container().configure({"wheels": str(tmp_path / "none")})
    with kit(), pytest.raises(UsageError, match="no wheel in that folder"):
        packager.package(toy_function().save(tmp_path / "toy"), "a", tmp_path / "b")


@pytest.mark.slow
def test_the_steps_of_the_containerfile_give_a_server_that_answers_and_drains(tmp_path: Path) -> None:
    rows = [{"text": f"the {word} {thing}", "label": label} for word, label in (("good", "yes"), ("bad", "no"))
            for thing in ("film", "book", "day", "rain")]  # fmt: skip
    with kit():
        made = functory.build(task="text-classification", train=rows * 4, backbone="tiny-encoder", adaptation="head",
                              dev_share=0, test_share=0, report=False, name="mood")  # fmt: skip
        function = converted(made, tmp_path / "files", engine="onnxruntime", precision="fp32")
        artefact = function.save(tmp_path / "mood")
    files = [file for pattern in ("*", "plugins/*/*") for file in ROOT.glob(f"{pattern}/pyproject.toml")]
    folders = {_name(file): file.parent for file in files}
    wanted = closure(["functory-serve", "functory-text-classification", "functory-onnxruntime"])
    needed = [str(folders[name]) for name in wanted if name in folders]
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "wheels"), *needed])
    image = tmp_path / "image"
    options = {"wheels": str(tmp_path / "wheels"), "index": True}
    package(artefact, "my-mood", image, method="container", **options)
    steps = (image / "Containerfile").read_text()
    assert "--require-hashes" in steps

    bare, install = tmp_path / "bare", tmp_path / "srv" / "install"
    venv.create(bare, with_pip=True)
    install.mkdir(parents=True)
    for file in (image / "requirements.txt", *(image / "wheels").iterdir()):  # as COPY does
        shutil.copy(file, install)
    line = re.search(r"^RUN (python -m pip install .*)$", steps, re.MULTILINE)
    assert line
    kept = {name: os.environ[name] for name in ("LANG", "PIP_CONFIG_FILE", "PIP_INDEX_URL") if name in os.environ}
    there = {**kept, "PATH": f"{bare / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path / "srv"), "HF_HUB_OFFLINE": "1",
             "FUNCTORY_CACHE": str(tmp_path / "srv" / "cache")}  # fmt: skip
    run(["sh", "-c", line[1].replace("/srv/install", str(install))], env=there)
    assert not install.exists()

    [command] = (json.loads(one) for one in re.findall(r"^CMD (.*)$", steps, re.MULTILINE))
    [health] = (json.loads(one) for one in re.findall(r"^HEALTHCHECK .* CMD (.*)$", steps, re.MULTILINE))
    port = str(free_port())
    command, health = ([part.replace("8080", port) for part in some] for some in (command, health))
    command[0], health[0] = str(bare / "bin" / command[0]), str(bare / "bin" / health[0])
    server = subprocess.Popen(command, env=there, cwd=tmp_path / "srv", stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            if subprocess.run(health, env=there, capture_output=True, check=False).returncode == 0:
                break
            assert server.poll() is None, "the server ended"
            time.sleep(0.2)
        else:
            raise AssertionError("it was never healthy")
        [name] = json.loads(asked(f"http://127.0.0.1:{port}/v1/functions"))["functions"]
        answer = asked(f"http://127.0.0.1:{port}/v1/functions/{name['name']}", b'"the good book"')
        assert json.loads(answer)["label"] == function("the good book").label
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


def run(command: list[str], **more: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr


def asked(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=60) as answer:
        return bytes(answer.read())


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _name(file: Path) -> str:
    found = re.search(r'^name = "([^"]+)"', file.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""
