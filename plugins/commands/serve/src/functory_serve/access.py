"""Who may ask for what: tokens, of which the server knows hashes alone, with the functions and the pace that each may have."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from http import HTTPStatus

from pydantic import Field

from functory_sdk import Options
from functory_serve.admission import Overloaded
from functory_serve.problems import Refusal

SCHEME = "bearer"


class Token(Options):
    """A word that lets a client in."""

    name: str = Field(default="", max_length=100, description="Whose it is.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the word, in hexadecimal.")
    functions: tuple[str, ...] = Field(default=(), description="The functions that it is for; all when empty.")
    reload: bool = Field(default=False, description="Whether it may have the server take in its functions anew.")
    per_second: float = Field(default=0.0, ge=0, description="Requests that it may send in a second; any number when 0.")


class Access:
    """Lets requests in by their tokens; everyone, where there are none.

    Pure: it is told the time.

    :param reloader: the SHA-256 of one more word, which lets its holder reload and nothing else.
    """

    def __init__(self, tokens: Sequence[Token], reloader: str = "") -> None:
        self._tokens, self._reloader = tokens, reloader
        self._left = [(_burst(token), 0.0) for token in tokens]

    def functions(self, header: str, known: Collection[str]) -> list[str]:
        """Return which of the functions a request may have.

        :param header: its Authorization.
        :raises Refusal: when no token lets it in.
        """
        found = self._found(header)
        allowed = self._tokens[found].functions if found is not None else ()
        return [name for name in known if not allowed or name in allowed]

    def spend(self, header: str, now: float) -> None:
        """Count a request of a token.

        :param now: in seconds, of a clock that does not jump.
        :raises Refusal: when no token lets it in.
        :raises Overloaded: when its token has sent too many.
        """
        found = self._found(header)
        if found is None or not self._tokens[found].per_second:
            return
        token = self._tokens[found]
        left, since = self._left[found]
        left = min(_burst(token), left + max(0.0, now - since) * token.per_second)
        if left < 1:
            self._left[found] = left, now
            raise Overloaded("there were more requests than this token may send.", (1 - left) / token.per_second)
        self._left[found] = left - 1, now

    def check_reload(self, header: str, is_near: bool) -> None:
        """Let a request reload the functions, or not.

        :param header: its Authorization.
        :param is_near: whether it comes from this machine.
        :raises Refusal: when nothing lets it.
        """
        if self._reloader and hmac.compare_digest(_hashed(header), self._reloader):
            return
        found = self._found(header)
        if not (is_near if found is None else self._tokens[found].reload):
            do = "send a token that has reload = true, or use the server's pid file."
            raise Refusal(HTTPStatus.FORBIDDEN, "this request may not reload the functions.", do=do)

    def _found(self, header: str) -> int | None:
        """Return which token a request has; None where none is needed."""
        if not self._tokens:
            return None
        scheme, hashed = header.partition(" ")[0], _hashed(header)
        matches = [hmac.compare_digest(hashed, token.sha256) for token in self._tokens]
        if scheme.lower() != SCHEME or not any(matches):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "no token lets this request in.", do="send Authorization: Bearer TOKEN.")
        return matches.index(True)


def _hashed(header: str) -> str:
    """Return the SHA-256 of the word that an Authorization holds."""
    return hashlib.sha256(header.partition(" ")[2].strip().encode()).hexdigest()


def _burst(token: Token) -> float:
    """Return how many requests a token may send at once."""
    return max(1.0, token.per_second)
