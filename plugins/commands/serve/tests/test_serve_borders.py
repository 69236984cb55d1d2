"""Whom the server hears: no page of another site, no name that only leads here, no word of a proxy that nobody named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import OptionError
from functory_serve.borders import Borders
from functory_serve.configuration import configuration
from functory_serve.problems import Refusal

AT = "/v1/functions/toy"


@pytest.mark.parametrize("medium", ["application/json", "", "text/plain"])
def test_no_page_of_another_site_has_anything_computed(client: Any, medium: str) -> None:
    told = {"Content-Type": medium}
    foreign = [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{client.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in foreign:
        for path in (AT, f"{AT}/stream", f"{AT}/explain"):
            got = client.ask(path, "good", headers={**told, **headers})
            assert (got.status, got.json["error"]) == (403, "Refusal")
            assert got.headers["content-type"] == "application/problem+json"
            assert not [name for name in got.headers if name.startswith("access-control")]


def test_a_page_of_the_server_itself_asks_as_any_program_does(client: Any) -> None:
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert client.ask(AT, "good", headers=own).status == 200
    assert client.ask(AT, "good", headers={"Sec-Fetch-Site": "none"}).status == 200
    assert client.ask(AT, "good", headers={"Content-Type": ""}).status == 200  # of a program
    assert client.ask(AT, headers={"Origin": "https://elsewhere.example"}).status == 200  # no page can read it
    before = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    asked = client.ask(AT, method="OPTIONS", headers=before)
    assert not [name for name in asked.headers if name.startswith("access-control")]


def test_a_name_that_only_leads_here_is_none_of_the_servers(client: Any) -> None:
    port = client.port
    for host in ("rebound.example", f"rebound.example:{port}", "127.0.0.1.rebound.example", "203.0.113.1", "[2001:db8::1]"):
        for path in (AT, "/openapi.json", "/metrics", "/healthz"):
            got = client.ask(path, headers={"Host": host})
            assert (got.status, got.json["where"]) == (421, "the header Host")
    for host in ("localhost", f"LOCALHOST:{client.port}", "127.0.0.1", "[::1]:80", "toy.localhost"):
        assert client.ask(AT, headers={"Host": host}).status == 200


def scope(host: str, server: str, **more: str) -> dict[str, Any]:
    headers = {"host": host, **{name.replace("_", "-"): value for name, value in more.items()}}
    return {"type": "http", "method": "POST", "server": (server, 80),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip


def is_heard(borders: Borders, asked: dict[str, Any]) -> bool:
    try:
        borders.check(asked)
    except Refusal:
        return False
    return True


def test_names_that_a_server_is_given_are_its_own_and_then_the_only_ones() -> None:
    def app(*_: Any) -> Any:
        raise AssertionError

    anywhere, named, open_ = Borders(app), Borders(app, ["Shop.example", "api.example:8443"]), Borders(app, ["*"])
    assert is_heard(anywhere, scope("whatever.example", "10.0.0.7"))
    assert not is_heard(anywhere, scope("whatever.example", "127.0.0.1"))
    assert is_heard(named, scope("shop.example", "127.0.0.1"))
    assert is_heard(named, scope("shop.example:443", "10.0.0.7"))
    assert is_heard(named, scope("localhost", "10.0.0.7"))
    assert is_heard(named, scope("api.example:8443", "10.0.0.7"))
    assert not is_heard(named, scope("whatever.example", "10.0.0.7"))
    assert is_heard(open_, scope("whatever.example", "127.0.0.1"))
    assert is_heard(named, scope("localhost:8080", "127.0.0.1", origin="https://shop.example"))  # its proxy names another host
    assert not is_heard(named, scope("localhost:8080", "127.0.0.1", origin="https://shop.example.evil.example"))
    assert not is_heard(open_, scope("a.example", "10.0.0.7", origin="https://b.example"))


def test_only_a_proxy_that_is_named_is_believed_for_whom_it_asks(
    toy: Any, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    for proxies, client in (((), "127.0.0.1"), (("127.0.0.0/8",), "203.0.113.9"), (("10.0.0.0/8",), "127.0.0.1")):
        with serve({"toy": toy}, logs=True, proxies=proxies) as found:
            found.ready()
            capfd.readouterr()
            found.ask(AT, "good", headers=said)
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert [one["client"] for one in lines if one["function"]] == [client]


def test_a_file_says_its_names_and_proxies_and_what_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('domains = ["shop.example", "[::1]:80", "*"]\nproxies = ["10.0.0.0/8", "::1"]\n')
    assert configuration(file).proxies == ("10.0.0.0/8", "::1")
    for wrong in ('domains = ["https://shop.example"]', 'proxies = ["10.0.0.0/99"]', 'proxies = ["proxy"]'):
        file.write_text(wrong)
        with pytest.raises(OptionError, match=wrong.split()[0]):
            configuration(file)
