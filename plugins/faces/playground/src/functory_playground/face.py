"""The face: a page at /play/ and at /play/NAME, and its files below /play/assets/.

The page holds nothing of the functions: its script asks the server's own routes, as any client does, so that tokens, limits
and errors are theirs. What it shows it makes of texts alone; its policy forbids all that is from elsewhere, and to read texts as
markup.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from functory_playground.files import PAGE, File, every
from functory_sdk import Face, Function, FunctoryError, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond
from functory_sdk.openapi import PROBLEM

ROOT = "/play"
ASSETS = "assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The page may load from its own server and ask it, and nobody else; the browser refuses to read a text as markup."""
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
Answer = tuple[HTTPStatus, dict[str, str], bytes]
"""A status, headers and a body."""


class Playground(Face):
    """A page for each function, to try it on."""

    help = "pages to try each function on, for people"
    paths = (ROOT,)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, headers, body = answered(scope, served)
            await respond(send, body, "", status, {**HEADERS, **headers}, has_body=scope["method"] != "HEAD")

        every()
        yield answer

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        page = {"200": {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}}
        wrong = {"default": {"description": "What is wrong.", "content": {PROBLEM: {"schema": {"type": "object"}}}}}
        gone = {"404": {"description": "A page that says so.", "content": {"text/html": {"schema": {"type": "string"}}}}}
        name = {"name": "name", "in": "path", "required": True, "schema": {"enum": [*functions]}}
        one = {"operationId": "play_one", "summary": "A page to try a function on", "parameters": [name],
               "responses": {**page, **gone, **wrong}}  # fmt: skip
        every_one = {"operationId": "play", "summary": "The pages to try functions on", "responses": {**page, **wrong}}
        return {"paths": {f"{ROOT}/": {"get": every_one}, **({f"{ROOT}/{{name}}": {"get": one}} if functions else {})}}


def answered(scope: Scope, served: Served) -> Answer:
    """Return what a request is answered."""
    if scope["method"] not in ("GET", "HEAD"):
        return _told(HTTPStatus.METHOD_NOT_ALLOWED, "a page is only looked at.", "send GET.", {"allow": "GET, HEAD"})
    name = scope["path"].removeprefix(ROOT)
    if not name:  # so that what the page names by relative paths lies beside it, whatever stands before /play
        return HTTPStatus.TEMPORARY_REDIRECT, {"location": f"{ROOT.strip('/')}/"}, b""
    folder, _, file = name.removeprefix("/").rpartition("/")
    if not folder:
        return _given(scope, every()[PAGE], HTTPStatus.OK if _is_there(file, scope, served) else HTTPStatus.NOT_FOUND)
    if folder == ASSETS and file in every():
        return _given(scope, every()[file], HTTPStatus.OK)
    return _told(HTTPStatus.NOT_FOUND, "there is no such page.", f"see {ROOT}/.")


def _is_there(name: str, scope: Scope, served: Served) -> bool:
    """Whether there is a page of that name, as far as the request may know: a browser opens it without a token."""
    try:
        return not name or name in served.asked(scope).functions
    except FunctoryError:
        return True


def _given(scope: Scope, file: File, status: HTTPStatus) -> Answer:
    """Return a file, or that the browser has it."""
    has = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"), "")
    headers = {"etag": file.mark, "content-type": file.medium}
    if status is HTTPStatus.OK and file.mark in [one.strip().removeprefix("W/") for one in has.split(",")]:
        return HTTPStatus.NOT_MODIFIED, headers, b""
    return status, headers, file.content


def _told(status: HTTPStatus, what: str, do: str, headers: dict[str, str] | None = None) -> Answer:
    """Return what is wrong, as a problem document."""
    document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": what, "what": what, "do": do}
    return status, {"content-type": PROBLEM, **(headers or {})}, json.dumps(document).encode()
