"""The contract of faces: one more way in which others speak to functions that are served.

A face is an ASGI application; the server gives it what is served, and puts it at its paths. It needs no library of the server,
and the server knows it by its name alone::

    [project.entry-points."functory.faces"]
    shout = "functory_shout:Shout"

    class Shout(Face):
        help = "what is served, in capitals"
        paths = ("/shout",)

        @asynccontextmanager
        async def app(self, served: Served) -> AsyncIterator[App]:
            async def answer(scope: Scope, receive: Receive, send: Send) -> None:
                asked = served.asked(scope)
                [output] = await asked.answer(scope["path"].rpartition("/")[2], [await asked.json()])
                await respond(send, output.upper(), "application/json")

            yield answer
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory.contracts.decoding import Finish
    from functory.contracts.explanation import Attribution
    from functory.function import Function

Scope = MutableMapping[str, Any]
"""What an ASGI server tells of a request."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client may know it: nothing of where functions lie, or of code.

    :param status: of HTTP.
    :param document: the problem document (RFC 9457), with ``error``, ``what``, ``where``, ``do`` and ``request``.
    :param headers: such as Retry-After.
    """

    status: int
    document: dict[str, Any]  # Any: JSON
    headers: dict[str, str] = field(default_factory=dict)


class Writing(ABC):
    """A text while it is written: ``async for piece in writing``. Closing it leaves off, and nothing more is computed."""

    finish: Finish | None = None
    """Why the text ended; None while it goes on."""
    tokens: int = 0
    """How many tokens the text has, once it has ended."""
    likelihoods: Sequence[tuple[str, float]] = ()
    """What each token of the pieces so far adds to the text, and its log-probability; where it is written with likelihoods."""

    @abstractmethod
    def __aiter__(self) -> AsyncGenerator[str]:
        """Give the pieces, which together are the text.

        :raises FunctoryError: where the function fails on the way.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Leave off."""


class Asked(ABC):
    """One request to a face, within the server's limits. What it takes of functions is counted, logged and measured as theirs."""

    id: str
    """The request's id, as the client's X-Request-Id says or as nobody's is; the answer's header has it already."""

    @property
    @abstractmethod
    def functions(self) -> Mapping[str, Function]:
        """The functions that the request may use, by the names under which they are served.

        :raises FunctoryError: when no token lets it in.
        """

    @abstractmethod
    async def json(self) -> Any:  # Any: JSON
        """Return the JSON that the body is; once.

        :raises FunctoryError: when it is none, too long, of another medium, or does not come in time.
        """

    @abstractmethod
    async def answer(self, name: str, inputs: Sequence[Any], **decoding: Any) -> list[bytes]:
        """Return the output for each input as JSON, the same bytes as everywhere.

        They are computed together with what others ask. When the client goes, they are not computed.

        :param name: under which the function is served.
        :param inputs: a text or an object of fields each, as JSON has them.
        :param decoding: how a text is written otherwise, as `Function.using` takes it; for functions that write.
        :raises FunctoryError: what is wrong with the first input that has no output; ``where`` says which one it is of several.
        """

    @abstractmethod
    async def write(self, name: str, value: Any, **decoding: Any) -> Writing:
        """Begin to write the text for one input, together with those of others.

        :param decoding: as for `answer`.
        :raises FunctoryError: when the function writes none, the input is none, or there is no room.
        """

    @abstractmethod
    async def explain(self, name: str, value: Any, **how: str) -> Attribution:
        """Return why the output for one input is what it is.

        :param how: method and target, as `Function.explain` takes them.
        :raises FunctoryError: as `answer`.
        """

    @abstractmethod
    def problem(self, error: BaseException) -> Problem:
        """Return how an error is told; one that is nobody's fault but ours goes into the log besides."""


class Served(ABC):
    """What a server serves, for its faces."""

    @property
    @abstractmethod
    def functions(self) -> Mapping[str, Function]:
        """All functions, by name, as they are now: a reload puts others in their place."""

    @abstractmethod
    def asked(self, scope: Scope) -> Asked:
        """Return the request that a scope tells of."""

    def added(self, path: str, functions: Mapping[str, Function]) -> dict[str, Any]:  # Any: JSON
        """Return the fields that other faces add to the JSON object at a path of one: those that have the path `vacant`.

        :param functions: those that the request may use, by name.
        """
        return {}


class Face(ABC):
    """One more way to speak to what is served."""

    name: str = ""
    """The entry point's name; set by the loader."""
    help: str
    """One line, that says what speaks so: ``as a chat server that clients of OpenAI know``."""
    paths: tuple[str, ...]
    """Where it answers: ``/v1/models``, with all that lies below."""
    vacant: tuple[str, ...] = ()
    """Where it answers besides, as long as it is no other face's place: what several formats have alike, as a list of models.
    Where it is another's, `added` says what it adds there."""

    @abstractmethod
    def app(self, served: Served) -> AbstractAsyncContextManager[App]:
        """Return the application, entered when the server starts and left when it ends. ``scope["path"]`` is the whole path, and
        ``receive`` keeps the server's limits on bodies. What it raises before its answer begins is told as a problem document.

        One face may be in several servers at once.
        """

    def answers(self, function: Function) -> bool:
        """Return whether it can be asked for what a function gives: of every one, by default. A face that can be asked for
        nothing of what is served is not announced.
        """
        return True

    def added(self, functions: Mapping[str, Function]) -> dict[str, Any]:  # Any: JSON
        """Return the fields that it adds to the JSON object at a `vacant` place that another face answers; none by default.

        :param functions: those that the request may use, by name.
        """
        return {}

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:  # Any: JSON
        """Return what stands of it on the OpenAPI page: ``paths``, all of them its own, and, where they refer to some,
        ``components`` with ``schemas``, whose names begin with its own; nothing by default.

        :param functions: those that the reader may use, by name.
        """
        return {}
