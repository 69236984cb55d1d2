"""What a browser is given: the page and its files, that nothing else is reached, and what it is forbidden."""

from __future__ import annotations

import hashlib
import http.client
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import functory_playground
from functory_playground.files import every
from functory_sdk import Function

MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|style=\"|onclick=\""
PAGE = Path(functory_playground.__file__).parent / "page"


@pytest.fixture(scope="module")
def url(toy: Function, serve: Callable[..., Any]) -> Iterator[str]:
    with serve({"toy": toy}) as found:
        yield found


def get(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = line.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    line.close()
    return found


def test_every_function_has_a_page_and_no_other_name_has_one(url: str) -> None:
    assert [get(url, path)[0] for path in ("/play/", "/play/toy", "/play/nothing")] == [200, 200, 404]
    assert get(url, "/play/toy")[2] == get(url, "/play/nothing")[2] == every()["index.html"].content
    assert get(url, "/play")[:2][1]["location"] == "play/"
    assert get(url, "/play/toy", "HEAD")[2] == b""
    status, headers, _ = get(url, "/play/toy", "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_files_are_given_by_name_and_no_path_leads_elsewhere(url: str) -> None:
    for name, file in every().items():
        status, headers, body = get(url, f"/play/assets/{name}")
        assert (status, body) == (200, file.content)
        assert headers["content-type"] == file.medium
        assert get(url, f"/play/assets/{name}", If_None_Match=headers["etag"])[::2] == (304, b"")
    for path in (
        "../face.py",
        "..%2fface.py",
        "%2e%2e/face.py",
        "x/../play.js",
        "/etc/passwd",
        "py.typed",
        "play.js/x",
    ):
        assert get(url, f"/play/assets/{path}")[0] == 404, path


def test_the_page_may_ask_its_own_server_alone_and_read_no_text_as_markup(url: str) -> None:
    policy = get(url, "/play/toy")[1]["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"} <= set(policy.split("; "))
    assert not re.search(r"https?:|\*|unsafe", policy)


def test_no_file_names_a_resource_of_elsewhere_or_has_a_way_to_write_markup() -> None:
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[^\s\"'`]+", text)) <= {"http://www.w3.org/2000/svg"}, file.name
        assert not re.search(MARKUP, text), file.name


def test_what_is_imported_is_there_and_what_is_there_is_imported() -> None:
    named = set(
        re.findall(
            r'(?:from "\./|assets/)([\w.]+)"', "".join(one.read_text(encoding="utf-8") for one in PAGE.iterdir())
        )
    )
    assert named | {"index.html"} == set(every())


def test_a_browser_without_a_token_gets_the_page_that_asks_for_one(toy: Function, serve: Callable[..., Any]) -> None:
    from functory_serve.access import Token

    with serve({"toy": toy}, tokens=[Token(sha256=hashlib.sha256(b"word").hexdigest())]) as url:
        assert get(url, "/play/toy")[0] == get(url, "/play/nothing")[0] == 200  # nothing is told of what there is
        assert get(url, "/play/nothing", Authorization="Bearer word")[0] == 404
