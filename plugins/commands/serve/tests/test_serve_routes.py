"""What a client gets: the same bytes as in Python, typed pages, and problems that say what, where and do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functory.cli import main
from functory_sdk.testing import toy_function
from functory_serve import Limits

TEXTS = ["we saw the good film", "bad", "it was 好 and very fine", "the poor book in the rain " * 20]
AT = "/v1/functions/toy"


def test_one_input_gets_the_same_bytes_as_in_python_as_a_text_or_by_its_fields(client: Any, toy: Any) -> None:
    for text in TEXTS:
        expected = toy(text).json().encode()
        assert client.ask(AT, text).body == expected
        assert client.ask(AT, {"text": text}).body == expected


def test_a_list_gets_an_output_for_each_input_in_its_order(client: Any, toy: Any) -> None:
    asked = [TEXTS[number % len(TEXTS)] if number % 2 else {"text": TEXTS[number % len(TEXTS)]} for number in range(41)]
    got = client.ask(AT, asked)
    assert got.status == 200
    found = json.loads(got.body)
    expected = [one.model_dump(mode="json") for one in toy.map(asked)]
    assert [one["label"] for one in found] == [one["label"] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)
    assert client.ask(AT, []).body == b"[]"


def test_many_clients_at_once_each_get_their_own(client: Any, toy: Any) -> None:
    asked = [f"{text} {word}" for text in TEXTS for word in ("film", "book", "rain", "night", "day") for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: client.ask(AT, text), asked))
    assert {one.status for one in found} == {200}
    assert [one.json["label"] for one in found] == [one.label for one in toy.map(asked)]


def test_what_is_told_of_a_function_is_its_types_and_examples_and_nothing_of_the_machine(client: Any, toy: Any) -> None:
    told = client.ask(AT).json
    assert told["signature"] == toy.signature
    assert told["golden"][0] == {"input": toy.golden[0].value, "output": toy.golden[0].output}
    assert told["name"] == "toy"
    assert not told.keys() & {"recipe", "data", "versions"}
    listed = client.ask("/v1/functions").json["functions"]
    assert [one["url"] for one in listed] == [AT]
    assert client.ask(listed[0]["url"]).json["version"] == listed[0]["version"]


def test_the_openapi_page_holds_each_functions_schemas_and_its_examples_fit_them(client: Any, toy: Any) -> None:
    page = client.ask("/openapi.json").json
    schemas = page["components"]["schemas"]
    for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', client.ask("/openapi.json").body.decode())):
        found = page
        for part in reference.split("/"):
            found = found[part]
    assert schemas["toy.Output"]["properties"]["label"]["enum"] == ["no", "yes"]
    call = page["paths"][AT]["post"]
    body = call["requestBody"]["content"]["application/json"]
    answer = call["responses"]["200"]["content"]["application/json"]
    assert body["examples"]
    for kind, examples in ((body["schema"], body["examples"]), (answer["schema"], answer["examples"])):
        whole = {**kind, "components": page["components"]}
        for one in examples.values():
            jsonschema.validate(one["value"], whole)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"texd": "good"}, {**body["schema"], "components": page["components"]})
    jsonschema.validate(client.ask(AT, "good").json, {**answer["schema"], "components": page["components"]})


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "line 1, column 2"),
        (b'"\xff"', 400, "byte 2 is 0xff"),
        (b"NaN", 400, "NaN"),
        (b"[" * 100_000, 400, "deep"),
        (b"1" * 5000, 400, "digits"),
        (b'"a" "b"', 400, "line 1"),
        ({"texd": "good"}, 422, "texd"),
        ({"text": 3}, 422, "text"),
        ({}, 422, "text"),
        (3, 422, "a number"),
        (None, 422, "null"),
        ([["good"]], 422, "input 1"),
        (["good", {"text": None}], 422, "input 2"),
        (b'"\\ud83d"', 422, "surrogate"),
        (["good"] * 1025, 413, "1,025"),
        ("good " * 250_000, 413, "characters"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_with_where_and_do(client: Any, body: Any, status: int, told: str) -> None:
    got = client.ask(AT, json.dumps(body).encode() if body is None else body)
    problem = got.json
    assert got.status == problem["status"] == status
    assert got.headers["content-type"] == "application/problem+json"
    assert got.headers["x-request-id"] == problem["request"]
    assert problem["detail"] == problem["what"]
    assert told in " ".join(str(problem.get(part, "")) for part in ("what", "where", "do"))
    assert "/work" not in got.body.decode()
    assert "Traceback" not in got.body.decode()


def test_what_http_refuses_is_a_problem_too(client: Any) -> None:
    assert client.ask("/v1/functions/nobody", "good").json["do"] == "there are: toy."
    assert client.ask("/v1/functions/nobody", "good").status == client.ask("/nowhere").status == 404
    assert client.ask("/nowhere").headers["content-type"] == "application/problem+json"
    assert client.ask(AT, "good", method="DELETE").headers["allow"] == "GET, HEAD, POST"
    assert client.ask("/healthz", "good").headers["allow"] == "GET, HEAD"
    assert client.ask(AT, "good", method="DELETE").status == 405
    assert client.ask(AT, "good", headers={"Content-Type": "text/plain"}).status == 415
    assert client.ask(AT, b"\x1f\x8b", headers={"Content-Encoding": "gzip"}).status == 415
    assert client.ask(AT, "good", headers={"Request-Timeout": "soon"}).status == 400
    assert client.ask(AT, "good", headers={"Request-Timeout": "1e-9"}).json["error"] == "Late"


def test_a_request_keeps_the_id_that_its_client_gives_where_it_is_harmless(client: Any) -> None:
    assert client.ask(AT, "good", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert client.ask(AT, "good", headers={"X-Request-Id": "a b"}).headers["x-request-id"] != "a b"


def test_it_is_alive_at_once_and_ready_when_its_golden_examples_came_out_as_they_should(client: Any) -> None:
    assert client.ask("/healthz").json == {"status": "alive"}
    assert client.ask("/readyz").json == {"status": "ready", "functions": {"toy": "ready"}}


def test_a_function_that_answers_otherwise_here_is_served_but_never_called_ready(
    toy: Any, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    changed = toy.replaced(golden=[*toy.golden[:1], *(replace_label(one) for one in toy.golden[1:])])
    with serve({"toy": changed}) as found:
        found.until(lambda: found.ask("/readyz").json["functions"]["toy"] != "warming")
        got = found.ask("/readyz")
        assert (got.status, got.json["functions"]) == (503, {"toy": "failing"})
    assert "golden example 2" in capfd.readouterr().err


def test_a_function_that_raises_what_nobody_knows_while_it_is_proven_is_failing_and_not_warming_for_ever(
    toy: Any, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(function: Any) -> Any:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr("functory_serve.service.warmed", raises)
    with serve({"toy": toy}) as found:
        found.until(lambda: found.ask("/readyz").json["functions"]["toy"] == "failing")
    assert "toy is not ready" in capfd.readouterr().err


def replace_label(golden: Any) -> Any:
    from dataclasses import replace

    other = {"yes": "no", "no": "yes"}[golden.output["label"]]
    return replace(golden, output={**golden.output, "label": other})


def test_a_body_that_is_too_long_is_refused_before_it_is_there(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(body_bytes=1000)) as found:
        assert found.ask(AT, "good " * 1000).status == 413
        assert found.ask(AT, "good").status == 200


def test_a_function_of_several_fields_is_called_by_their_names(toy: Any, serve: Callable[..., Any]) -> None:
    many = toy_function(task="toy-many")
    asked = {"question": "what was it", "options": ["the good film", "rain"]}
    with serve({"many": many, "toy": toy}) as found:
        assert found.ask("/v1/functions/many", asked).body == many(**asked).json().encode()
        assert found.ask("/v1/functions/many", "what was it").status == 422
        assert [one["name"] for one in found.ask("/v1/functions").json["functions"]] == ["many", "toy"]


def test_an_output_is_explained_as_in_python_and_what_cannot_be_is_told(client: Any, toy: Any) -> None:
    text = "we saw the good film"
    told = client.ask(f"{AT}/explain?target=yes", text).json
    expected = toy.explain(text, target="yes").model_dump(mode="json")
    assert [one["text"] for one in told["pieces"]] == [one["text"] for one in expected["pieces"]]
    assert max(told["pieces"], key=lambda one: one["weight"])["text"] == "good"
    assert client.ask(f"{AT}/explain?method=guessing", text).status == 422
    assert client.ask(f"{AT}/explain?colour=red", text).status == 400
    assert client.ask(f"{AT}/explain", {"texd": 1}).status == 422
    client.until(lambda: client.service.servings["toy"].explanations == 0)
    client.service.servings["toy"].explanations = 2
    assert client.ask(f"{AT}/explain", text).status == 429
    client.service.servings["toy"].explanations = 0


def test_the_canonical_json_is_that_of_the_shell_too(
    client: Any, toy: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = toy.save(tmp_path / "toy")
    assert main(["run", str(folder), "good", "--json"]) == 0
    shell = capsys.readouterr().out.strip()
    assert shell == '{"row":1,' + client.ask(AT, "good").body.decode()[1:]
