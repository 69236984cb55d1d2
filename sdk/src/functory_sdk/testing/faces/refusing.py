"""What a face refuses: what it does not answer, inputs that are none, bodies that are no request; each in its own format, with
what is wrong and what to do, and never as a fault of the server's.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from functory_sdk.testing.faces.altered import failing
from functory_sdk.testing.faces.basis import WORD, FaceBasis
from functory_sdk.testing.faces.host import Question

DEEP = 100_000
"""Lists within one another."""
NONE: dict[str, bytes] = {
    "no JSON": b"{",
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "half of a character": b'{"text": "\xe5\xa5"}',
    "lists in lists": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a number that nothing holds": b'{"a": 1e999}',
    "a number of many digits": b'{"a": ' + b"9" * 10_000 + b"}",
    "no number": b'{"a": NaN}',
}
"""Bodies that are nobody's request, and what each is."""
OTHERS: tuple[Any, ...] = (None, True, 7, -0.5, [], {}, [[]], {"a": {"b": []}}, "", "\ud800", "x\x00y", [None], "a" * 3000)
"""What a field may be sent as that is another thing."""
MEDIA = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "image/png")


class RefusingChecks(FaceBasis):
    """The part that sends what is wrong."""

    def test_a_function_that_it_does_not_answer_is_refused_by_name(self) -> None:
        """What it cannot be asked for, and what there is not, is refused; the answer names it, or those that there are.

        If this fails: look the name up in `Asked.functions`, and raise an error that says which there are.
        """
        answered, functions = self.answered(), self.functions()
        _, _, value = self.one()
        others = {name: self.inputs(one)[0] for name, one in functions.items() if name not in answered}

        async def check() -> None:
            async with self.hosted() as host:
                for name, own in self.each({**others, "no-such-function": value}.items()):
                    heard = await host.hear(self.question(name, own))
                    assert self.outcome(heard) == "refused", f"{name} is {self.outcome(heard)}: {heard.status} {heard.words}"
                    told = heard.words
                    assert any(one in told for one in (name, *answered)), f"the refusal of {name!r} names nothing: {told}"

        self.run(check)

    def test_what_is_wrong_is_told_with_what_to_do(self) -> None:
        """An input that is none is refused in the face's own format, with the words of the error: what is wrong, and what to do.

        If this fails: tell what `Asked.problem(error)` says, its ``what``, ``where`` and ``do``.
        """
        question, words = self.wrong() if self.answered() else (None, ())
        assert question is not None

        async def check() -> None:
            async with self.hosted() as host:
                heard = await host.hear(question)
                assert self.outcome(heard) == "refused", f"it is {self.outcome(heard)}: {heard.status} {heard.words}"
                for word in self.each(words):
                    assert word in heard.words, f"it does not say {word!r}: {heard.words}"

        self.run(check)

    def test_a_body_that_is_no_request_is_refused(self) -> None:
        """What is no JSON, no UTF-8, or a bomb of lists is refused, and said to be; so is another medium, and a compressed body.

        If this fails: read bodies by `Asked.json`, and let its errors go where the face's errors go.
        """
        name, function, value = self.one()
        whole = self.question(name, value)
        bodies = {what: replace(whole, body=body) for what, body in NONE.items()}
        bodies |= {medium: replace(whole, headers={**whole.headers, "content-type": medium}) for medium in MEDIA}
        packed = replace(whole, body=gzip.compress(whole.body), headers={**whole.headers, "content-encoding": "gzip"})
        bodies["a compressed body"] = packed

        async def check() -> None:
            async with self.hosted({name: function}) as host:
                for what, question in self.each(bodies.items()):
                    heard = await host.hear(question)
                    assert self.outcome(heard) == "refused", f"{what} is {self.outcome(heard)}: {heard.status} {heard.words}"
                    assert heard.body.strip(), f"of {what} nothing is said."

        self.run(check)

    def test_a_field_that_is_another_thing_is_no_fault_of_the_servers(self) -> None:
        """Whatever stands in a field of a request, the face answers or refuses: nothing of it is a fault of the server's.

        If this fails: check what you take of a body, each field's type too, and raise `InputError` with its place.
        """
        name, function, value = self.one()
        whole = self.question(name, value)

        async def check() -> None:
            async with self.hosted({name: function}) as host:
                for changed in self.each(_changed(json.loads(whole.body))):
                    body = json.dumps(changed).encode()
                    heard = await host.hear(replace(whole, body=body))
                    assert self.outcome(heard) != "failed", f"{body[:300]!r} is a fault: {heard.status} {heard.words}"

        self.run(check)

    def test_another_path_or_method_is_no_fault_of_the_servers(self) -> None:
        """What lies below its paths and is nothing, and methods that it does not take, are refused; a refused method names those
        that there are (RFC 9110: Allow).

        If this fails: compare the whole path, and refuse with 405 and the header Allow.
        """
        places: dict[str, tuple[str, ...]] = dict.fromkeys(self.face.paths, ("DELETE", "PUT", "PATCH", "TRACE"))
        places |= dict.fromkeys((f"{path}/no/such/thing" for path in self.face.paths), ("GET", "POST"))

        async def check() -> None:
            async with self.hosted() as host:
                for path, methods in self.each(places.items()):
                    for method in methods:
                        heard = await host.hear(Question(path, method=method))
                        assert 400 <= heard.status < 500, f"{method} {path} is answered by {heard.status} {heard.words}"
                        assert heard.status != 405 or heard.headers.get("allow"), f"{method} {path}: 405 without Allow."

        self.run(check)

    def test_a_function_that_fails_is_told_without_its_secrets(self) -> None:
        """What a function raises that nobody knows is told as a fault, without the error's words, a path or a line of code.

        If this fails: tell of errors what `Asked.problem(error)` says, never the error itself.
        """
        name, function, value = self.one()
        broken = failing(function, WORD, RuntimeError(f"/secret/place of {WORD}"))
        question = self.question(name, self.marked(function, value))

        async def check() -> None:
            async with self.hosted({name: broken}) as host:
                heard = await host.hear(question)
                assert self.outcome(heard) == "failed", f"it is {self.outcome(heard)}: {heard.status} {heard.words}"
                for word in self.each(("secret", "Traceback", ".py", "RuntimeError")):
                    assert word not in heard.words, f"it tells {word!r}: {heard.words}"

        self.run(check)

    def test_no_text_stands_in_the_log(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Whatever comes of a request, nothing of its text is printed or logged.

        If this fails: print nothing, and log no body, no error's words.
        """
        name, function, value = self.one()
        broken = failing(function, "medlar", RuntimeError(f"{WORD} is wrong"))
        texts = (WORD, f"{WORD} medlar")
        asked = [self.question(name, self.marked(function, value, word)) for word in texts]
        asked += [self.wrong()[0], replace(asked[0], body=asked[0].body[:-1]), self.question(f"no-such-{WORD}", value)]

        async def check() -> None:
            async with self.hosted({name: broken}, logs=True) as host:
                for question in self.each(asked):
                    await host.hear(question)

        with logged() as lines:
            self.run(check)
        captured = capsys.readouterr()
        for where, told in (("stdout", captured.out), ("stderr", captured.err), ("the log", "\n".join(lines))):
            assert WORD not in told, f"a client's text stands on {where}: {told[:2000]}"


@contextmanager
def logged() -> Iterator[list[str]]:
    """Give what is logged in the block, whoever logs it."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(handler)


def _changed(body: Any) -> Iterator[Any]:  # Any: JSON
    """Give a request with each of its fields as another thing, or left out; those of the objects within it likewise."""
    if not isinstance(body, dict):
        yield from OTHERS
        return
    for name, value in body.items():
        yield {key: one for key, one in body.items() if key != name}
        for other in OTHERS:
            yield {**body, name: other}
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            for one in _changed(inner):
                yield {**body, name: [one] if isinstance(value, list) else one}
