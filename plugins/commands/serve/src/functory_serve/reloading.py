"""``functory reload``: a running server takes in its functions as they are saved now, and it is told what came of each."""

from __future__ import annotations

import json
import os
import ssl
from argparse import ArgumentParser, Namespace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from functory_sdk import Command, FunctoryError, StorageError, UsageError

ROUTE = "/v1/reload"
TOKEN = "FUNCTORY_TOKEN"
"""The variable of the environment that holds a server's token."""
SECONDS = 600
"""For which an answer is waited for: golden examples are replayed."""


class NotReloaded(FunctoryError):
    """A server did not reload, or cannot be reached."""


class Reload(Command):
    """Let a running server take in its functions as they are saved now."""

    help = "let a running server take in its functions as they are saved now"
    example = "functory reload http://127.0.0.1:8080\nfunctory reload serve.pid"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("server", metavar="URL|FILE",
            help="the server's address, or the file that `functory serve --pid-file FILE` wrote")  # fmt: skip
        add("--token-file", type=Path, metavar="FILE",
            help=f"a file that holds a token with `reload = true`; the variable {TOKEN} when not given")  # fmt: skip

    def run(self, args: Namespace) -> int:
        url, word = _where(args.server, args.token_file)
        told = reload(url, word)
        if args.json:
            print(json.dumps({"url": url, "functions": told}))
        else:
            for name, one in told.items():
                print(_line(name, one))
        return 1 if any("error" in one for one in told.values()) else 0


def reload(url: str, word: str = "") -> dict[str, dict[str, str]]:
    """Let a server reload; return for each function its ``version``, the one that it ``was``, and where it stayed as it was
    the ``error`` with ``what`` it is.

    :param word: the token.
    :raises UsageError: when the URL is none.
    :raises NotReloaded: when the server does not reload, or is not there.
    """
    if not url.lower().startswith(("http://", "https://")):
        what = f"{url!r} is neither a file nor the address of a server."
        raise UsageError(what, do="give http://127.0.0.1:8080, or its pid file.")
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {word}"} if word else {})}
    try:
        with urlopen(Request(url.rstrip("/") + ROUTE, b"", headers), timeout=SECONDS, context=_context(url)) as answer:
            found: dict[str, dict[str, str]] = json.loads(answer.read())["functions"]
            return found
    except HTTPError as error:
        raise _refused(error, url) from None
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        what = f"the server did not answer as one of functory: {getattr(error, 'reason', None) or error}."
        raise NotReloaded(what, where=url, do="look whether it runs, and whether this is its address.") from None


def _refused(error: HTTPError, url: str) -> NotReloaded:
    """Return what a server says why it does not."""
    try:
        told: dict[str, Any] = json.loads(error.read())
        return NotReloaded(str(told["what"]), where=url, do=str(told.get("do", "")))
    except (ValueError, KeyError, TypeError, OSError):
        do = "look whether this is the address of a server of functory."
        return NotReloaded(f"the server answered {error.code}.", where=url, do=do)


def _context(url: str) -> ssl.SSLContext | None:
    """Return how a certificate is checked: not at all over the loopback, to which no certificate is made out."""
    from urllib.parse import urlsplit

    from functory_serve.borders import is_loopback

    if url.lower().startswith("https://") and is_loopback(urlsplit(url).hostname or ""):
        return ssl._create_unverified_context()
    return None


def _where(server: str, token_file: Path | None) -> tuple[str, str]:
    """Return a server's address, and the word by which it lets one reload.

    :raises UsageError: when a file is none that a server wrote.
    :raises StorageError: when a file cannot be read.
    """
    from functory_serve.pidfile import PidFile

    if "://" not in server and Path(server).exists():
        found = PidFile.read(Path(server))
        return found.url, found.word
    if token_file is None:
        return server, os.environ.get(TOKEN, "")
    try:
        return server, token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"the token cannot be read: {getattr(error, 'strerror', None) or error}."
        raise StorageError(what, where=str(token_file), do="name a file that holds it.") from None


def _line(name: str, one: dict[str, str]) -> str:
    """Return in words what came of one function."""
    if "error" in one:
        return f"{name}: stays at {one['was']}: {one['what']}"
    return f"{name}: {one['version']} took over" + (f" from {one['was']}" if one["was"] != one["version"] else ", read anew")


COMMAND = Reload()
