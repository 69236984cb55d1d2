"""The Containerfile: what an OCI builder does, step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence

from functory_container.locking import Locked

USER = 10001
"""Who runs it: nobody that any system knows, and not the first user, whom many do."""
IGNORED = "*\n!requirements.txt\n!wheels\n"
"""What a builder leaves out of the context: all but what is copied."""
HEALTH = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/readyz', timeout=4)"

_TEXT = """\
# {name}: a function, served. Built by any OCI builder in this folder: podman build -t {name} .
FROM {base}
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
ENV HF_HUB_OFFLINE=1 FUNCTORY_QUIET=1 FUNCTORY_CACHE=/srv/cache
WORKDIR /srv
COPY requirements.txt wheels /srv/install/
RUN {install} && rm -rf /srv/install
RUN mkdir -p /srv/cache && chown {user}:{user} /srv/cache
USER {user}:{user}
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 CMD {health}
CMD {serve}
"""


def containerfile(name: str, base: str, port: int, domains: Sequence[str], found: Sequence[Locked]) -> str:
    """Return the Containerfile of an image that serves a function.

    :param name: by which the function is installed.
    :param base: the image to begin with.
    :param found: what is installed: by hash alone, where each has one.
    """
    is_whole = all(one.hashes for one in found)
    serve = ["functory", "serve", name, "--host", "0.0.0.0", "--port", str(port)]
    serve += [part for domain in domains for part in ("--domain", domain)]
    return _TEXT.format(
        name=name, base=base, port=port, user=USER, serve=json.dumps(serve), install=install("/srv/install", is_hashed=is_whole),
        health=json.dumps(["python", "-c", HEALTH.format(port=port)]),
    )  # fmt: skip


def install(folder: str, *, is_hashed: bool) -> str:
    """Return the line that installs.

    :param folder: of the requirements and the wheels.
    :param is_hashed: whether nothing is installed that has another hash.
    """
    hashed = " --require-hashes" if is_hashed else ""
    return f"python -m pip install --no-deps --only-binary :all:{hashed} --find-links {folder} -r {folder}/requirements.txt"
