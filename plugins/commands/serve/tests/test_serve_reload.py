"""A reload takes a new version in between two requests, and leaves things as they were where it fails. Nothing is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk.testing import toy_function

AT = "/v1/functions/toy"


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


def reloaded(found: Any, loops: Any) -> dict[str, str]:
    return asyncio.run_coroutine_threadsafe(found.service.reload(), loops).result(60)


def loop_of(found: Any) -> Any:
    return found.service.servings["toy"]._loop


def test_a_new_version_takes_over_while_requests_go_on_and_none_is_lost(
    toy: Any, folder: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    statuses: list[int] = []
    labels: list[str] = []
    is_over = threading.Event()

    def ask(client: Any) -> None:
        while not is_over.is_set():
            got = client.ask(AT, "we saw the good film")
            statuses.append(got.status)
            labels.append(got.json.get("label"))

    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(folder)) as found:
        found.ready()
        asking = [threading.Thread(target=ask, args=(found,)) for _ in range(3)]
        for one in asking:
            one.start()
        found.until(lambda: len(labels) > 10)
        folder.rename(tmp_path / "old")
        turned(toy).save(folder)
        assert reloaded(found, loop_of(found)) == {"toy": "0.2.0"}
        count = len(labels)
        found.until(lambda: len(labels) > count + 10)
        is_over.set()
        for one in asking:
            one.join()
        assert set(statuses) == {200}
        assert labels == sorted(labels, key=["yes", "no"].index)
        assert found.ask(AT).json["version"] == "0.2.0"
        assert found.ask("/readyz").status == 200


def test_what_cannot_be_taken_in_leaves_what_is_served_as_it_was(
    toy: Any, folder: Path, tmp_path: Path, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    places = {"toy": folder}
    with serve({"toy": functory.load(folder)}, reopen=lambda name: functory.load(places[name])) as found:
        found.ready()
        golden = folder / "golden.jsonl"
        golden.write_bytes(golden.read_bytes().replace(b"yes", b"yss"))
        assert reloaded(found, loop_of(found)) == {"toy": "ArtefactCorrupt"}
        places["toy"] = toy_function(task="toy-many").save(tmp_path / "many")
        assert reloaded(found, loop_of(found)) == {"toy": "NotSupported"}
        places["toy"] = tmp_path / "nowhere"
        assert reloaded(found, loop_of(found)) == {"toy": "ArtefactError"}
        assert found.ask(AT, "good").body == toy("good").json().encode()
        assert found.ask("/readyz").status == 200
    assert "stays as it was" in capfd.readouterr().err
    with serve({"toy": toy}) as found:
        found.ready()
        assert reloaded(found, loop_of(found)) == {"toy": "NotSupported"}
