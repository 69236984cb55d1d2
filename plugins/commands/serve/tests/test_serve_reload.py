"""A reload takes a new version in between two requests, and leaves things as they were where it fails. Nothing is lost."""

from __future__ import annotations

import gc
import hashlib
import json
import stat
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_sdk import StorageError
from functory_sdk.testing import CommandSuite, toy_function
from functory_serve.access import Token
from functory_serve.pidfile import PidFile
from functory_serve.settling import settle

AT = "/v1/functions/toy"


class TestReload(CommandSuite):
    component = "reload"


@pytest.fixture
def folder(toy: Any, tmp_path: Path) -> Path:
    return toy.save(tmp_path / "toy")


def turned(toy: Any) -> Any:
    """The toy function with its labels the other way round, as a version of its own."""
    from dataclasses import replace

    state = toy.state.model_copy(update={"labels": tuple(reversed(toy.state.labels))})
    made = toy.replaced(state=state, about=replace(toy.about, version="0.2.0"))
    made.golden = [replace(one, output=made(**one.value).model_dump(mode="json")) for one in toy.golden]
    return made


def reloaded(found: Any) -> dict[str, str]:
    told = found.ask("/v1/reload", method="POST").json["functions"]["toy"]
    assert ("error" in told) == ("what" in told)
    assert "error" not in told or told["version"] == told["was"]
    return told


def test_a_new_version_takes_over_while_requests_go_on_and_none_is_lost(
    toy: Any, folder: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    statuses: list[int] = []
    labels: list[list[str]] = [[] for _ in range(3)]
    is_over = threading.Event()

    def ask(client: Any, own: list[str]) -> None:
        while not is_over.is_set():
            got = client.ask(AT, "we saw the good film")
            statuses.append(got.status)
            own.append(got.json.get("label"))

    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(folder)) as found:
        found.ready()
        asking = [threading.Thread(target=ask, args=(found, own)) for own in labels]
        for one in asking:
            one.start()
        found.until(lambda: len(statuses) > 10)
        folder.rename(tmp_path / "old")
        turned(toy).save(folder)
        assert reloaded(found) == {"version": "0.2.0", "was": "0.1.0"}
        count = len(statuses)
        found.until(lambda: len(statuses) > count + 10)
        is_over.set()
        for one in asking:
            one.join()
        assert set(statuses) == {200}
        assert all(own == sorted(own, key=["yes", "no"].index) for own in labels)  # of one client: others may run between
        assert found.ask(AT).json["version"] == "0.2.0"
        assert found.ask("/readyz").status == 200


def test_what_lives_when_a_function_is_taken_in_is_searched_for_garbage_once_and_again_at_the_next(
    toy: Any, folder: Path, serve: Callable[..., Any]
) -> None:
    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(folder)) as found:
        found.ready()
        found.service.settle = settle
        try:
            reloaded(found)
            assert gc.get_freeze_count() > 10_000
            gone = weakref.ref(cycle := Cycle())
            del cycle
            gc.freeze()
            assert gone() is not None
            reloaded(found)
            assert gone() is None
        finally:
            gc.unfreeze()


class Cycle:
    """An object that only a search for cycles frees."""

    def __init__(self) -> None:
        self.own = self


def test_what_cannot_be_taken_in_leaves_what_is_served_as_it_was(
    toy: Any, folder: Path, tmp_path: Path, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    places = {"toy": folder}
    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(places[name])) as found:
        found.ready()
        golden = folder / "golden.jsonl"
        golden.write_bytes(golden.read_bytes().replace(b"yes", b"yss"))
        assert reloaded(found)["error"] == "ArtefactCorrupt"
        places["toy"] = toy_function(task="toy-many").save(tmp_path / "many")
        assert reloaded(found)["error"] == "NotSupported"
        places["toy"] = tmp_path / "nowhere"
        assert reloaded(found)["error"] == "ArtefactError"
        assert found.ask(AT, "good").body == toy("good").json().encode()
        assert found.ask("/readyz").status == 200
    assert "stays as it was" in capfd.readouterr().err
    with serve({"toy": toy}) as found:
        found.ready()
        assert reloaded(found)["error"] == "NotSupported"


def test_only_who_may_has_a_server_reload(toy: Any, folder: Path, serve: Callable[..., Any]) -> None:
    def word(said: str, **more: Any) -> Token:
        return Token(sha256=hashlib.sha256(said.encode()).hexdigest(), **more)

    def status(found: Any, said: str = "", **headers: str) -> int:
        told = {"Authorization": f"Bearer {said}"} if said else {}
        return found.ask("/v1/reload", method="POST", headers={**told, **headers}).status

    functions = {"toy": functory.load(folder)}
    more = {"reopen": lambda name: functory.load(folder), "reloader": hashlib.sha256(b"of the file").hexdigest()}
    with serve(functions, tokens=[word("asks"), word("reloads", reload=True)], **more) as found:
        assert [status(found, said) for said in ("", "wrong", "asks", "reloads", "of the file")] == [401, 401, 403, 200, 200]
        assert found.ask(AT, headers={"Authorization": "Bearer of the file"}).status == 401
    with serve(functions, **more) as found:
        assert status(found) == 200
        assert [status(found, **{name: "203.0.113.9"}) for name in ("X-Forwarded-For", "Forwarded", "Via")] == [403] * 3
        assert status(found, Origin="https://elsewhere.example") == 403
        assert found.ask("/v1/reload").status == 405


def test_the_verb_says_what_took_over_and_what_stayed_as_it_was(
    toy: Any, folder: Path, tmp_path: Path, serve: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(folder)) as found:
        url = f"http://127.0.0.1:{found.port}"
        assert main(["reload", url]) == 0
        assert capsys.readouterr().out == "toy: 0.1.0 took over, read anew\n"
        folder.rename(tmp_path / "old")
        turned(toy).save(folder)
        assert main(["reload", f"{url}/", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["functions"] == {"toy": {"version": "0.2.0", "was": "0.1.0"}}
        golden = folder / "golden.jsonl"
        golden.write_bytes(golden.read_bytes().replace(b"yes", b"yss"))
        assert main(["reload", url]) == 1
        assert capsys.readouterr().out.startswith("toy: stays at 0.2.0: ")


@pytest.mark.parametrize(
    ("target", "text", "told"),
    [
        ("http://127.0.0.1:9/", None, "did not answer"),
        ("nowhere.pid", None, "neither a file nor the address"),
        ("{file}", "123\n", "none that a server wrote"),
        ("{file}", "123\nhttp://127.0.0.1:9\nword\n", "did not answer"),
    ],
)
def test_what_cannot_be_reloaded_is_told_with_what_to_do(
    target: str, text: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "serve.pid"
    if text is not None:
        file.write_text(text)
    assert main(["reload", target.format(file=file)]) in (1, 2)
    error = capsys.readouterr().err
    assert told in error
    assert "do:" in error


def test_a_pid_file_is_for_its_own_user_and_names_an_address_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "serve.pid"
    file.write_text("an older one")
    PidFile.new("https://0.0.0.0:8443", "word").write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PidFile.read(file).url == "https://127.0.0.1:8443"
    assert [one.name for one in tmp_path.iterdir()] == ["serve.pid"]
    with pytest.raises(StorageError, match="cannot be written"):
        PidFile.new("http://[::]:1", "word").write(tmp_path / "nowhere" / "serve.pid")
