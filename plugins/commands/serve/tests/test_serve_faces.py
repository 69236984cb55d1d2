"""Faces of strangers: they answer at their paths within the server's limits, and a broken one breaks nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

import functory
from functory.plugins.registry import registered
from functory_sdk import Face, PluginError, Served, load
from functory_sdk.faces import App, Receive, Scope, Send
from functory_serve import Limits, mounting
from functory_serve.access import Token
from functory_serve.mounting import installed

TEXT = "we saw the good film"


class Shout(Face):
    """Says what the function below its path says, in capitals; a text that is written, piece by piece."""

    help = "what is served, in capitals"
    paths = ("/shout", "/v1/shouted/")

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked, name = served.asked(scope), scope["path"].rpartition("/")[2]
            body = await asked.json()
            if isinstance(body, dict) and "written" in body:
                text = await asked.write(name, body["written"], **body.get("decoding", {}))
                await send({"type": "http.response.start", "status": 200, "headers": []})
                async for piece in text:
                    await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
                await send({"type": "http.response.body", "body": str(text.finish).encode()})
                return
            asks, decoding = (body["all"], body["decoding"]) if isinstance(body, dict) and "all" in body else ([body], {})
            outputs = await asked.answer(name, asks, **decoding)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"\n".join(outputs).upper()})

        assert served.functions
        yield answer

    def described(self, functions: Mapping[str, Any]) -> dict[str, Any]:
        loud = {"post": {"responses": {"200": {"description": "Loud."}}}}
        stolen = {"/v1/functions": {"get": {"responses": {"200": {"description": "Mine."}}}}}
        return {"paths": {**{f"/shout/{name}": loud for name in functions}, **stolen}}


class Raw(Face):
    """Reads bodies by itself, and fails where it finds the word."""

    help = "bodies as they are"
    paths = ("/raw",)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            if b"fail" in body:
                raise RuntimeError("a secret of /home/me/code.py")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

        yield answer


class Thief(Raw):
    paths = ("/v1/functions", "/thief")


class Burrower(Raw):
    paths = ("/v1/functions/toy/deep",)


class Modest(Raw):
    """Wants what another has, and something else, only where they are free."""

    paths = ("/modest",)
    vacant = ("/shout", "/left/over")

    def described(self, functions: Mapping[str, Any]) -> dict[str, Any]:
        raise RuntimeError("no page")


class Stillborn(Raw):
    paths = ("/stillborn",)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        raise RuntimeError("no such database")
        yield


@pytest.fixture(scope="module")
def writer(toy: Any) -> Any:  # whose kit has the decoder
    return functory.build(task="text-generation", backbone="tiny-decoder", max_new_tokens=8)


@pytest.fixture(scope="module")
def spoken(serve: Callable[..., Any], toy: Any, writer: Any) -> Iterator[Any]:
    faces = [Modest(), Shout(), Raw(), Thief(), Burrower(), Stillborn()]
    for face in faces:
        face.name = type(face).__name__.lower()
    limits = Limits(body_bytes=1000, receive_seconds=0.5, streams=2)
    with serve({"toy": toy, "writer": writer}, limits, faces=faces) as client:
        client.ready()
        yield client


def test_a_face_answers_at_its_paths_with_the_function_and_the_id_of_the_request(spoken: Any, toy: Any) -> None:
    for path in ("/shout/toy", "/v1/shouted/toy"):
        got = spoken.ask(path, TEXT, headers={"X-Request-Id": "mine"})
        assert (got.status, got.body) == (200, toy(TEXT).json().upper().encode())
        assert got.headers["x-request-id"] == "mine"
    assert spoken.ask("/shouting", TEXT).status == 404


def test_a_face_stands_on_the_page_with_its_own_paths_and_one_that_fails_to_say_them_without(spoken: Any) -> None:
    paths = spoken.ask("/openapi.json").json["paths"]
    assert paths["/shout/toy"]["post"]["tags"] == ["shout"]
    assert paths["/v1/functions"]["get"]["summary"] == "List the functions"
    assert not any(path.startswith("/modest") for path in paths)


def test_what_a_face_wants_where_it_is_free_is_no_others_then(spoken: Any, toy: Any) -> None:
    assert spoken.ask("/shout/toy", TEXT).body == toy(TEXT).json().upper().encode()
    assert spoken.ask("/left/over", b"x").body == b"x"


def test_what_a_face_asks_is_counted_as_the_function_s(spoken: Any) -> None:
    def counted(status: int) -> float:
        page = spoken.ask("/metrics").body.decode()
        found = [line for line in page.splitlines() if f'functory_requests_total{{function="toy",status="{status}"}}' in line]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    before = counted(200), counted(422)
    assert spoken.ask("/shout/toy", TEXT).status == 200
    assert spoken.ask("/shout/toy", {"txet": TEXT}).status == 422
    assert (counted(200), counted(422)) == (before[0] + 1, before[1] + 1)


def test_a_face_streams_a_text_which_may_be_written_otherwise(spoken: Any, writer: Any) -> None:
    assert spoken.ask("/shout/writer", {"written": "the good"}).body.decode() == f"{writer('the good').text}length"
    three = writer.using(max_new_tokens=3)("the good").text
    got = spoken.ask("/shout/writer", {"written": "the good", "decoding": {"max_new_tokens": 3}})
    assert got.body.decode() == f"{three}length"
    wrong = spoken.ask("/shout/writer", {"written": "the good", "decoding": {"heat": 1}})
    assert wrong.status == 422
    assert "heat" in wrong.json["what"]
    assert spoken.ask("/shout/toy", {"written": "the good"}).status == 422


def test_a_request_for_more_texts_than_are_written_at_once_has_all_of_them(spoken: Any, writer: Any) -> None:
    texts = ["the good", "a film", "we saw", "bad", "it was fine"]
    got = spoken.ask("/shout/writer", {"all": texts, "decoding": {"max_new_tokens": 3}})
    written = [writer.using(max_new_tokens=3)(text).json().upper() for text in texts]
    assert (got.status, got.body.decode().split("\n")) == (200, written)


def test_a_long_list_of_texts_leaves_room_for_others(serve: Callable[..., Any], writer: Any) -> None:
    class Slow:
        """Writes each text in its own time."""

        def __getattr__(self, name: str) -> Any:
            return getattr(writer, name)

        def using(self, **decoding: Any) -> Any:
            return self

        def map(self, values: Any, *, progress: bool | None = None) -> Any:
            time.sleep(0.2)
            return writer.map(values, progress=progress)

    with serve({"writer": Slow()}, Limits(texts=4), faces=[Shout()]) as client, ThreadPoolExecutor() as pool:
        asked = {"all": ["the good"] * 20, "decoding": {"max_new_tokens": 3}}
        many = pool.submit(client.ask, "/shout/writer", asked)
        client.until(lambda: client.service.servings["writer"].batcher.running > 0)
        assert client.ask("/shout/writer", {**asked, "all": ["a film"]}).status == 200
        assert not many.done()
        assert many.result().status == 200


def test_bodies_that_a_face_reads_by_itself_keep_the_server_s_limits(spoken: Any) -> None:
    assert spoken.ask("/raw", b"x" * 1000).body == b"x" * 1000
    assert spoken.ask("/raw", b"x" * 1001).status == 413


def test_what_a_face_raises_is_told_without_a_word_of_where_it_lies(spoken: Any, capfd: pytest.CaptureFixture[str]) -> None:
    got = spoken.ask("/raw", b"fail")
    assert got.status == 500
    assert b"secret" not in got.body
    assert b"code.py" not in got.body
    assert got.json["request"] == got.headers["x-request-id"]
    missing = spoken.ask("/shout/none", TEXT)
    assert (missing.status, missing.json["what"]) == (404, "there is no function of that name here.")


def test_a_face_that_wants_a_taken_path_or_fails_to_begin_is_left_out(spoken: Any, toy: Any) -> None:
    assert spoken.ask("/v1/functions/toy", TEXT).body == toy(TEXT).json().encode()
    assert spoken.ask("/thief", b"x").status == 404
    assert spoken.ask("/v1/functions/toy/deep", b"x").status == 404
    assert spoken.ask("/stillborn", b"x").status == 404


def test_a_token_lets_a_face_use_its_functions_alone(serve: Callable[..., Any], toy: Any, writer: Any) -> None:
    import hashlib

    token = Token(name="shop", sha256=hashlib.sha256(b"word").hexdigest(), functions=("toy",))
    with serve({"toy": toy, "writer": writer}, tokens=[token], faces=[Shout()]) as client:
        client.ready()
        let = {"Authorization": "Bearer word"}
        assert client.ask("/shout/toy", TEXT).status == 401
        assert client.ask("/shout/toy", TEXT, headers=let).status == 200
        assert client.ask("/shout/writer", TEXT, headers=let).status == 404


def test_installed_faces_are_found_and_one_that_does_not_load_is_told_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with registered("faces", "shout", Shout), registered("faces", "raw", Raw):
        assert {"raw", "shout"} <= {one.name for one in installed()}
        assert [one.name for one in installed(["shout"])] == ["shout"]
        with pytest.raises(functory.errors.FunctoryError, match="shuot"):
            installed(["shuot"])

        def loaded(kind: str, name: str) -> Any:
            if name == "raw":
                raise PluginError("raw cannot be imported.")
            return load(kind, name)

        monkeypatch.setattr(mounting, "load", loaded)
        assert "raw" not in {one.name for one in installed()}
    assert "goes without the face raw" in capsys.readouterr().err


def test_a_face_is_announced_where_it_can_be_asked_for_some_function_and_has_begun(
    serve: Callable[..., Any], toy: Any, writer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    class Choosy(Raw):
        paths = ("/choosy",)

        def answers(self, function: Any) -> bool:
            return bool(function.form.is_written)

    faces = [Shout(), Choosy(), Stillborn(), Thief()]
    for face in faces:
        face.name = type(face).__name__.lower()
    for functions, expected in (({"toy": toy}, ["shout"]), ({"toy": toy, "writer": writer}, ["shout", "choosy"])):
        with serve(functions, faces=faces) as client:
            assert client.ask("/healthz").status == 200
            assert sorted(face.name for face in client.faces()) == sorted(expected)
