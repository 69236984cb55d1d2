"""The page for people, at /docs: one file, drawn in the browser from openapi.json, with nothing from elsewhere.

Its only script and style are named by their hashes, so that no text of a function's ever becomes another.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.responses import Response

FILE = files("functory_serve") / "page" / "docs.html"


def document() -> Response:
    """Return the page."""
    content, policy = _read()
    told = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=told, media_type="text/html")


@cache
def _read() -> tuple[bytes, str]:
    """Return the page, and what it may do: run its own script, and ask this server."""
    content = FILE.read_bytes()
    own = {tag: _hash(content, tag) for tag in ("script", "style")}
    allowed = "; ".join(f"{tag}-src '{hashed}'" for tag, hashed in own.items())
    rest = "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return content, f"default-src 'none'; {allowed}; {rest}"


def _hash(content: bytes, tag: str) -> str:
    [inside] = re.findall(rb"<%b>(.*?)</%b>" % (tag.encode(), tag.encode()), content, re.DOTALL)
    return f"sha256-{base64.b64encode(hashlib.sha256(inside).digest()).decode()}"
