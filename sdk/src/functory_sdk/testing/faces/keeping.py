"""What a face keeps to: the limits of the server, the functions of a token, a client's time, and that a client may go."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from functory_sdk.testing.faces.altered import Gate, Tap
from functory_sdk.testing.faces.basis import WORD, FaceBasis
from functory_sdk.testing.faces.host import PATIENCE

FEW_BYTES = 2000
SECONDS = 0.5
"""How long a client waits, who waits for nothing long."""
SECOND = "sorrel"
"""A word of another text."""


class KeepingChecks(FaceBasis):
    """The part that lets a client go, wait too short or send too much."""

    def test_a_long_body_is_refused(self) -> None:
        """A body beyond the server's limit is refused in the face's own format.

        If this fails: receive bodies by `Asked.json`, or by the `receive` that the face is given, until its end.
        """
        name, function, value = self.one()
        long = self.question(name, self.marked(function, value, WORD * FEW_BYTES))

        async def check() -> None:
            async with self.hosted({name: function}, limits={"body_bytes": FEW_BYTES}) as host:
                heard = await host.hear(long)
                assert self.outcome(heard) == "refused", f"it is {self.outcome(heard)}: {heard.status} {heard.words[:500]}"

        self.run(check)

    def test_a_token_has_its_own_functions_alone(self) -> None:
        """Without a token nobody is let in; with one that is for a function, no other is answered, nor computed.

        If this fails: take functions from `Asked.functions`, not from `Served.functions`, which are everyone's.
        """
        name, function, value = self.one()
        gate = Gate(WORD)
        gate.open()
        functions = {name: function, "another": gate.waiting(function)}
        token = {"name": "shop", "sha256": hashlib.sha256(b"word").hexdigest(), "functions": (name,)}

        async def check() -> None:
            async with self.hosted(functions, tokens=[token]) as host:
                own, another = (self.question(one, self.marked(function, value)) for one in (name, "another"))
                heard = await host.hear(own)
                assert heard.status == HTTPStatus.UNAUTHORIZED, f"without a token: {heard.status} {heard.words}"
                assert heard.headers.get("www-authenticate"), "it does not say by what one is let in (WWW-Authenticate)."
                heard = await host.hear(self.let_in(own, "word"))
                assert self.outcome(heard) == "answered", f"with its token: {heard.status} {heard.words}"
                heard = await host.hear(self.let_in(another, "word"))
                assert self.outcome(heard) == "refused", f"another's function: {heard.status} {heard.words}"
                assert not any(WORD in one.model_dump_json() for one in gate.seen), "it was computed."

        self.run(check)

    def test_a_clients_time_is_kept(self) -> None:
        """A client that says how long it waits (Request-Timeout) is told when the time is over, though the function computes on.

        If this fails: look at what is done while `Asked.answer` waits: its error must come to the client.
        """
        name, function, value = self.one()
        question = self.limited(self.question(name, self.marked(function, value)), SECONDS)

        async def check() -> None:
            with self._gated() as gate:
                async with self.hosted({name: gate.waiting(function)}) as host:
                    heard = await host.hear(question)
                    gate.open()
            assert self.outcome(heard) != "answered", f"it is answered: {heard.status} {heard.words}"
            assert heard.body.strip(), "nothing is said."

        self.run(check)

    def test_one_too_many_is_told_to_come_again(self) -> None:
        """Where the server has no room the face says so, and by HTTP's own header when to come again.

        If this fails: send the headers of `Asked.problem(error)` with its status.
        """
        name, function, value = self.one()
        first, second = (self.question(name, self.marked(function, value, word)) for word in (WORD, SECOND))

        async def check() -> None:
            with self._gated() as gate:
                async with self.hosted({name: gate.waiting(function)}, limits={"waiting": 1}) as host:
                    held = asyncio.ensure_future(host.hear(first))
                    await asyncio.to_thread(gate.begun.wait, PATIENCE)
                    heard = await host.hear(second)
                    gate.open()
                    await held
            assert self.outcome(heard) != "answered", f"it is answered: {heard.status} {heard.words}"
            if heard.status >= HTTPStatus.BAD_REQUEST:
                assert heard.status == HTTPStatus.TOO_MANY_REQUESTS, f"it is told otherwise: {heard.status} {heard.words}"
                assert heard.headers.get("retry-after"), "it does not say when to come again (Retry-After)."

        self.run(check)

    def test_what_a_client_left_is_not_computed(self) -> None:
        """A client that goes while others are computed is let go at once, and its input is never computed.

        If this fails: let `Asked.answer` be cancelled; what the face awaits besides ends with `functory_sdk.faces.while_there`.
        """
        name, function, value = self.one()
        first, second = (self.question(name, self.marked(function, value, word)) for word in (WORD, SECOND))

        async def check() -> None:
            with self._gated() as gate:
                async with self.hosted({name: gate.waiting(function)}) as host:
                    held = asyncio.ensure_future(host.hear(first))
                    await asyncio.to_thread(gate.begun.wait, PATIENCE)
                    leaves = asyncio.Event()
                    left = asyncio.ensure_future(host.hear(second, leaves=leaves))
                    await asyncio.sleep(SECONDS / 5)
                    leaves.set()
                    try:
                        await left  # while the first is still held
                    except TimeoutError:
                        raise AssertionError("the client is gone, and its request goes on.") from None
                    gate.open()
                    await held
                    await host.hear(self.question(name, value))
                assert not any(SECOND in one.model_dump_json() for one in gate.seen), "it was computed for nobody."

        self.run(check)

    def test_a_text_whose_client_is_gone_is_written_no_further(self) -> None:
        """A client that goes while its text is written leaves it: nothing more of it is written.

        If this fails: send a stream inside `functory_sdk.faces.while_there`, and close the `Writing` in any case.
        """
        asked = {name: self.streamed(name, self.inputs(one)[0]) for name, one in self.answered().items()}
        streamed = {name: question for name, question in asked.items() if question is not None}
        if not streamed:
            pytest.skip("it gives no text as it is written: streamed() returns None")

        async def check(name: str) -> None:
            tap = Tap()
            with tap.turned():
                async with self.hosted({name: self.functions()[name]}) as host:
                    tap.allow(1)
                    leaves, first = asyncio.Event(), asyncio.Event()
                    left = asyncio.ensure_future(host.hear(streamed[name], leaves=leaves, first=first))
                    await asyncio.wait_for(first.wait(), PATIENCE)
                    leaves.set()
                    heard = await left
                    assert self.outcome(heard) == "answered", f"it is {self.outcome(heard)}: {heard.status} {heard.words}"
                    tap.allow(100_000)
                    for _ in range(int(PATIENCE / 0.02)):
                        if tap.streams and all(one.finish is not None for one in tap.streams):
                            break
                        await asyncio.sleep(0.02)
            assert tap.streams, "no text was begun."
            for one in tap.streams:
                assert one.finish == "closed", f"the text went on, and ended by {one.finish!r}."

        for name in self.each(streamed):
            self.run(lambda name=name: check(name))  # type: ignore[misc]

    @contextmanager
    def _gated(self) -> Iterator[Gate]:
        """Give a gate that is open in the end, whatever happens: a thread waits at it."""
        gate = Gate(WORD)
        try:
            yield gate
        finally:
            gate.open()
