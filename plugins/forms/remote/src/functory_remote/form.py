"""A function that is served elsewhere, as a form: it is asked over HTTP, and answers with the task's own types."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError

from functory_remote.asking import Asking
from functory_remote.card import Card, Listed, check_same, read, task_of
from functory_remote.connections import Answer
from functory_remote.errors import FunctionChanged, OtherServer, RequestRefused
from functory_remote.events import pieces
from functory_remote.options import options_of
from functory_remote.parts import in_order, parted
from functory_remote.place import place_of
from functory_sdk import About, Form, Function, FunctoryError, Golden, NotSupported, Stream, UsageError, complaint

DIGEST = "functory-digest"
"""The header by which a server says which function answered."""
SHOWN = 80
"""Bytes of an input that an error shows."""
ROUNDS = 3
"""How often inputs are asked for again that another function answered than the rest."""


@dataclass(frozen=True)
class _Answered:
    """A part of the inputs, with which function answered, and what."""

    digest: str
    outputs: list[Any]


class RemoteForm(Form):
    """A function that is served elsewhere.

    :param there: where, and how it is asked.
    :param card: what the server says of it.
    :param sha256: the digest that it must have; any when empty.
    """

    kind: ClassVar[str] = "remote"
    schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    def __init__(self, there: Asking, card: Card, sha256: str) -> None:
        self.there, self.card, self._sha256 = there, card, sha256
        self.tolerance = card.tolerance
        self._lock = threading.Lock()

    @classmethod
    def reach(cls, url: str, options: Mapping[str, Any], sha256: str) -> Function:
        """Return the function that is served at a URL; at a server's that serves one alone, that.

        :raises RemoteError: when there is none, or it cannot be asked.
        :raises UnknownComponent: when its task is not installed here.
        :raises UsageError: when the URL names no function.
        """
        place, chosen = place_of(url), options_of(options)
        if not place.name:
            names = [one.name for one in read(Listed, Asking(place, chosen).list(), place.server).functions]
            if len(names) != 1:
                raise UsageError("the URL names no function.", where=url, do=f"add one: {', '.join(names) or 'none is served'}.")
            place = place.named(names[0])
        there = Asking(place, chosen)
        card = read(Card, there.card(), place.url)
        check_digest(card, sha256, place.url)
        task, state = task_of(card, place.url)
        golden = [Golden(one.input, one.output, []) for one in card.golden]
        function = Function(task, state, cls(there, card, sha256), about_of(card), golden=golden)
        function.sha256 = card.sha256
        return function

    @property
    def name(self) -> str:
        return f"remote {self.there.place.url}"

    @property
    def is_written(self) -> bool:
        return self.card.writes

    @property
    def is_streamed(self) -> bool:
        return self.card.writes

    @property
    def is_awaited(self) -> bool:
        return True

    def outputs(self, function: Function, values: Sequence[Any], told: Callable[[float], None] | None = None) -> list[Any]:
        """Return the typed output of each Input, all by one function: where another takes over meanwhile, what the old one said
        is asked for again.

        :raises FunctionChanged: when it has other types or another digest than was asked for, or there is no end of it.
        :raises FunctoryError: what the function, or the server, refuses.
        """
        parts = parted([_json(value) for value in values], self.there.options.batch)
        answered: dict[int, _Answered] = {}
        wanted = list(range(len(parts)))
        for round_ in range(ROUNDS):
            for place, one in zip(wanted, self._asked(function, [parts[place] for place in wanted]), strict=True):
                answered[place] = one
                if told is not None and not round_:
                    told(len(one.outputs) / len(values))
            self._follow(function, {one.digest for one in answered.values()})
            wanted = [place for place, one in answered.items() if one.digest != self.card.digest]
            if not wanted:
                return [output for place in range(len(parts)) for output in answered[place].outputs]
        raise FunctionChanged("another function took over again and again.", where=self.there.place.url, do="try again.")

    def stream(self, function: Function, value: Any) -> Stream:
        """Return what is written for one Input, as it is written.

        :raises NotSupported: by a function that does not write.
        """
        if not self.card.writes:
            raise NotSupported(f"{function.name} does not write, and has no text to stream.", do="call it.")
        return Stream(pieces(self.there, _json(value)))

    def without_program(self, function: Function) -> NotSupported:
        do = f"call it; for the rest load it where it lies: it is {self.card.form} there."
        return NotSupported(f"{function.name} is served elsewhere, at {self.there.place.url}, and has no program here.", do=do)

    def described(self) -> dict[str, Any]:
        return {"url": self.there.place.url, "form there": self.card.form, "digest": self.card.digest}

    def _asked(self, function: Function, parts: Sequence[list[bytes]]) -> Sequence[_Answered]:
        """Return what is answered to each part; many are asked for at once."""
        if len(parts) == 1:
            return [self._answered(function, parts[0], threading.Event())]
        work = lambda part, stop: self._answered(function, part, stop)  # noqa: E731 - it binds the function alone
        return list(in_order(work, parts, self.there.options.connections))

    def _answered(self, function: Function, part: list[bytes], stop: threading.Event) -> _Answered:
        """Ask for a part of the inputs; one alone is asked for as one, so that nothing of it is told as being the first."""
        try:
            answer = self.there.post(part[0] if len(part) == 1 else b"[" + b",".join(part) + b"]", stop)
        except FunctoryError as error:
            raise _shown(error, part) from error.__cause__
        return _Answered(answer.headers.get(DIGEST, self.card.digest), self._read(function, answer, part))

    def _read(self, function: Function, answer: Answer, part: list[bytes]) -> list[Any]:
        where, output = self.there.place.url, function.task.Output
        try:
            if len(part) == 1:
                return [output.model_validate_json(answer.body)]
            found = json.loads(answer.body)
            if isinstance(found, list) and len(found) == len(part):
                return [output.model_validate_json(json.dumps(one)) for one in found]
        except ValidationError as error:
            if answer.headers.get(DIGEST, self.card.digest) != self.card.digest:
                return [None] * len(part)  # another function's, which `_follow` looks at
            what = f"an answer is no {output.__name__}: {complaint(error)}."
            raise OtherServer(what, where=where, do="load it again.") from None
        except ValueError:
            pass
        what = f"it did not answer with {len(part)} output{'' if len(part) == 1 else 's'} in JSON."
        raise OtherServer(what, where=where, do="look at what stands between this program and the server.")

    def _follow(self, function: Function, digests: set[str]) -> None:
        """Take in what is served now, where answers come from another function than the one that is known.

        :raises FunctionChanged: when it is not one that may stand in its place.
        """
        if digests <= {self.card.digest}:
            return
        with self._lock:
            where = self.there.place.url
            card = read(Card, self.there.card(), where)
            if card.digest == self.card.digest:
                return
            try:
                check_digest(card, self._sha256, where)
            except RequestRefused as error:
                raise FunctionChanged(error.what, where=where, do=error.do) from None
            check_same(self.card, card, where)
            self.card, self.tolerance = card, card.tolerance
            function.state = function.task.State.model_validate(card.state)
            function.about, function.sha256 = about_of(card), card.sha256


def _shown(error: FunctoryError, part: Sequence[bytes]) -> FunctoryError:
    """Return an error that tells an input of a part by its number with how that input begins instead."""
    before, number = error.where.rpartition(", input ")[::2]
    if number.isdecimal() and 0 < int(number) <= len(part):
        error.where = f"{before}, the input {part[int(number) - 1][:SHOWN].decode(errors='ignore')} …"
    return error


def check_digest(card: Card, sha256: str, where: str) -> None:
    """Refuse a function that is not the one that was asked for.

    :raises RequestRefused: naming both digests.
    """
    if sha256 and card.sha256 != sha256.lower():
        has = f"has the digest {card.sha256}" if card.sha256 else "was never saved, and has no digest"
        what = f"what is served there {has}; {sha256} was asked for."
        raise RequestRefused(what, where=where, do="look at what is served, or ask for what it is now.")


def about_of(card: Card) -> About:
    """Return what a server says of a function as what the function says of itself."""
    return About(name=card.name, version=card.version, licence=card.licence, metrics=card.metrics, notes=card.notes)


def _json(value: Any) -> bytes:  # Any: the task's Input
    text: str = value.model_dump_json()
    return text.encode()
