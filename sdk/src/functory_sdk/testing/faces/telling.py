"""What a face tells: its own paths, the same outputs as everywhere, each request its own, its part of the OpenAPI page."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from functory.contracts.face import Face
from functory.plugins import registry as plugins
from functory_sdk.testing.faces.altered import remembering
from functory_sdk.testing.faces.basis import FaceBasis
from functory_sdk.testing.faces.host import Question

AT_ONCE = 12
"""Requests that are sent together."""


class TellingChecks(FaceBasis):
    """The part that asks, and reads what is answered."""

    def test_it_is_a_face_with_help_and_paths(self) -> None:
        """It says in one line how one speaks to it, and at which paths.

        If this fails: derive the class from `functory_sdk.Face`, and set `help` and `paths`.
        """
        found = self.face
        assert found.help and "\n" not in found.help, f"its help is no line: {found.help!r}"
        assert found.paths, "it answers at no path."
        for path in self.each((*found.paths, *found.vacant)):
            assert re.fullmatch(r"(/[\w.~-]+)+", path), f"no path: {path!r}. Write /v1/shout, without an end and a pattern."

    def test_its_paths_are_no_others(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No path of it is the server's own or another installed face's, or lies below one, or above.

        If this fails: choose other paths; what may be another's is `vacant`.
        """
        own = self.face

        async def check() -> None:
            async with self.hosted():
                pass

        self.run(check)
        told = capsys.readouterr().err
        assert f"goes without the face {self.component}" not in told, told
        for entry in plugins.entries("faces"):
            other = plugins.load("faces", entry.qualified)
            if isinstance(other, Face) and type(other) is not type(own):
                clash = [(one, two) for one in own.paths for two in other.paths if f"{one}/".startswith(f"{two}/")
                         or f"{two}/".startswith(f"{one}/")]  # fmt: skip
                assert not clash, f"{clash[0][0]} is not beside {clash[0][1]}, where the face {entry.name} answers."

    def test_it_tells_what_python_gives(self) -> None:
        """What it tells of an output is, byte for byte, what a call gives in Python, for each function that it answers.

        If this fails: send what `Asked.answer` returns as it is, or parts of it; write no JSON of an output anew.
        """
        answered = self.answered()

        async def check() -> None:
            async with self.hosted() as host:
                for name, function in self.each(answered.items()):
                    for value in self.inputs(function):
                        heard = await host.hear(self.question(name, value))
                        assert self.outcome(heard) == "answered", f"{name} is not answered: {heard.status} {heard.words}"
                        expected = self.part(function(**dict(function.coerce(value))).json())
                        assert self.output(heard) == expected, f"of {value} it tells {self.output(heard)!r}, not {expected!r}."

        self.run(check)

    def test_requests_at_once_get_each_their_own(self) -> None:
        """Many requests at once have each the answer to their own input.

        If this fails: keep nothing of a request in the face; what belongs to one stays in its call.
        """
        name, function, _ = self.one()
        inputs = self.inputs(function)
        expected = [self.part(function(**dict(function.coerce(value))).json()) for value in inputs]

        async def check() -> None:
            async with self.hosted({name: remembering(function, inputs)}) as host:
                asked = [self.question(name, inputs[place % len(inputs)]) for place in range(AT_ONCE)]
                for place, heard in self.each(enumerate(await asyncio.gather(*map(host.hear, asked)))):
                    assert self.output(heard) == expected[place % len(inputs)], f"one gets another's answer: {heard.words}"

        self.run(check)

    def test_it_may_be_in_several_servers(self) -> None:
        """Two servers have it at once, and it goes on in one when the other has ended; then it may begin anew.

        If this fails: keep what belongs to one server inside `app`.
        """
        name, function, value = self.one()
        expected = self.part(function(**dict(function.coerce(value))).json())

        async def check() -> None:
            async with self.hosted({name: function}) as one:
                async with self.hosted({name: function}) as other:
                    answers = [await host.hear(self.question(name, value)) for host in (one, other)]
                answers.append(await one.hear(self.question(name, value)))
            async with self.hosted({name: function}) as again:
                answers.append(await again.hear(self.question(name, value)))
            for heard in self.each(answers):
                assert self.output(heard) == expected, f"it tells {self.output(heard)!r}, not {expected!r}."

        self.run(check)

    def test_it_stands_on_the_openapi_page(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What it says of itself is part of a sound OpenAPI page: its own paths, operations with answers, references that lead to
        a schema; and it says it without any function, too.

        If this fails: let `described` return ``{"paths": {"/shout/toy": {"post": {"responses": {"200": {…}}}}}}``.
        """
        page = self._page()
        own = {path: operations for path, operations in page["paths"].items() if self._is_own(path)}
        assert "stands on no OpenAPI page" not in (told := capsys.readouterr().err), told
        said = self.face.described(self.functions()).get("paths", {})
        assert said, "it says nothing of itself: override described()."
        lost = [path for path in said if path not in own]
        assert not lost, f"{lost[0]} is none of its paths."
        for path, operations in self.each(own.items()):
            for method, told in operations.items():
                assert told.get("responses"), f"{method} {path} has no answer."
        for reference in _references(own):
            assert _led(page, reference), f"{reference} leads nowhere."
        assert isinstance(self.face.described({}), dict)

    def test_it_keeps_to_its_openapi_page(self) -> None:
        """A request by which it is asked, and the JSON that it answers, fit the schemas that it gives of them.

        If this fails: look at the message for the place in the schema; say what is sent, and no more than that.
        """
        jsonschema = pytest.importorskip("jsonschema", reason="pip install functory-sdk[testing]")
        answered, page = self.answered(), self._page()

        def check_one(what: str, schema: Any, value: Any) -> None:
            validator = jsonschema.Draft202012Validator({"components": page["components"], **schema})
            fault = next(iter(validator.iter_errors(value)), None)
            assert fault is None, f"{what} is not what its page says, at {fault.json_path}: {fault.message[:500]}"

        async def check() -> None:
            async with self.hosted() as host:
                for name, function in self.each(answered.items()):
                    question = self.question(name, self.inputs(function)[0])
                    told = self._operation(page, question)
                    sent = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                    if sent is not None and question.body:
                        check_one("a request", sent, question.json)
                    heard = await host.hear(question)
                    answers = told["responses"]
                    answer = answers.get(str(heard.status), answers.get("default", {})).get("content", {})
                    medium = heard.headers.get("content-type", "").partition(";")[0]
                    assert not answer or medium in answer, f"its page knows no answer of {medium!r}: {', '.join(answer)}."
                    if medium == "application/json" and answer:
                        check_one("an answer", answer[medium].get("schema", {}), heard.json)

        self.run(check)

    def _page(self) -> dict[str, Any]:
        """Return the OpenAPI page of a server that has it."""

        async def asked() -> dict[str, Any]:
            async with self.hosted() as host:
                heard = await host.hear(Question("/openapi.json", method="GET", headers={}))
                found: dict[str, Any] = heard.json
                return found

        return self.run(asked)

    def _is_own(self, path: str) -> bool:
        places = (*self.face.paths, *self.face.vacant)
        return any(f"{path.rstrip('/')}/".startswith(f"{one}/") for one in places)

    def _operation(self, page: dict[str, Any], question: Question) -> dict[str, Any]:
        """Return the operation of the page by which a request is sent."""
        for path, operations in page["paths"].items():
            pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path))
            if re.fullmatch(pattern, question.path) and question.method.lower() in operations:
                found: dict[str, Any] = operations[question.method.lower()]
                return found
        raise AssertionError(f"{question.method} {question.path} does not stand on its page.")


def _references(value: Any) -> set[str]:  # Any: JSON
    if isinstance(value, list):
        return {one for part in value for one in _references(part)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {one for part in value.values() for one in _references(part)}


def _led(page: Any, reference: str) -> bool:
    """Return whether a reference leads to something on the page."""
    found = page
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found is not None
