"""Runs a server in this process, until it is told to end: what waits is answered first."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.applications import Starlette

from functory_sdk import Face, Function, FunctoryError, StorageError
from functory_serve import log
from functory_serve.access import Token
from functory_serve.app import app
from functory_serve.connections import connections_within
from functory_serve.cores import Cores
from functory_serve.limits import Limits
from functory_serve.pidfile import PidFile, removed
from functory_serve.service import Reopen, Service
from functory_serve.settling import settle
from functory_serve.tracing import Traces

KEEP_ALIVE_SECONDS = 15
"""How long a connection may be silent between two requests."""
ASKED_SECONDS = 0.1
"""How often it is looked whether a server that begins is still there."""
ENDING_SECONDS = 5.0
"""How much longer than a request workers may take to end."""
BACKLOG = 2048
"""Connections that the system holds until they are taken."""


class Server(uvicorn.Server):
    """uvicorn, which says when it takes requests, reloads at SIGHUP, and drains when it is told to end: no failure.

    :param started: told when it takes requests.
    """

    def __init__(self, config: uvicorn.Config, service: Service, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._told = service, started
        self._reloads: list[asyncio.Task[dict[str, dict[str, str]]]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or ():  # asyncio takes as many connections at once as it lets wait
            one.listen(BACKLOG)
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        self._told()

    def _reload(self) -> None:
        """Begin to take in what is saved now."""
        self._reloads.append(asyncio.ensure_future(self._service.reload()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.drain()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and Ctrl-C as the word to end; uvicorn's own would raise them again after that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def serve(
    functions: Mapping[str, Function],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    limits: Limits | None = None,
    reopen: Reopen | None = None,
    tokens: Sequence[Token] = (),
    logs: bool = False,
    certificate: tuple[str, str] | None = None,
    domains: Collection[str] = (),
    proxies: Sequence[str] = (),
    faces: Sequence[Face] | None = None,
    pid_file: Path | None = None,
    traces: bool = False,
    workers: int = 1,
    shares_cores: bool = False,
    started: Callable[[str, Sequence[Face]], None] = lambda url, faces: None,
) -> None:
    """Serve functions until SIGTERM or Ctrl-C; then answer what is here, and end. SIGHUP takes in what is saved now.

    :param functions: by the names under which they are served.
    :param host: an address of this machine; the default takes requests from this machine alone.
    :param port: 0 takes a free one.
    :param reopen: opens what is served under a name again, for SIGHUP.
    :param tokens: who may ask; everyone when empty.
    :param logs: whether each answer is written down on stderr, and not failures alone.
    :param certificate: the files of a TLS certificate and its key, with which it speaks https alone.
    :param domains: names by which it is reached, besides this machine's own; others are refused where they lead to the loopback.
    :param proxies: addresses, or networks, of proxies that are believed for whom, and by which scheme, they ask.
    :param faces: by which it is spoken to besides; all that are installed when None.
    :param pid_file: where this process, its address and a word that lets one reload are written, for `functory reload`.
    :param traces: whether a span of each request is sent where the variables of OpenTelemetry say.
    :param workers: how many processes take requests; each opens the functions for itself, and one that ends is replaced. What
        tokens may send in a second is shared out among them.
    :param shares_cores: whether a batch takes as many threads as there are cores for each worker that computes just then, where
        its engine can be told so; those of the functions' sessions otherwise.
    :param started: told the server's address when it takes requests, and the faces that answer for some of the functions.
    :raises StorageError: when the address is taken, or is not this machine's.
    :raises NotSupported: for several workers, on systems that have none; when traces are asked for and OpenTelemetry is not
        installed.
    :raises FunctoryError: when all workers end before they take requests.
    """
    limits = limits or Limits()
    word = secrets.token_urlsafe(32)
    with listening(host, port) as taken, removed(pid_file):
        url = spoken(address(host, taken), certificate)
        if pid_file is not None:
            PidFile.new(url, word).write(pid_file)
        tokens = [one.model_copy(update={"per_second": one.per_second / workers}) for one in tokens]
        made = app(functions, limits, reopen=reopen, tokens=tokens, logs=logs, domains=domains, proxies=proxies, faces=faces,
                   reloader=hashlib.sha256(word.encode()).hexdigest(), traces=Traces.exported() if traces else None)  # fmt: skip
        made.state.service.settle = settle
        begun = partial(_begun, made, url, started)
        if workers == 1:
            open_server(made, limits, begun, certificate).run([taken])
        else:
            made.state.service.cores = Cores(workers) if shares_cores else None
            _several(workers, made, limits, taken, begun, certificate)


def _begun(made: Starlette, url: str, started: Callable[[str, Sequence[Face]], None]) -> None:
    """Say that a server takes requests."""
    started(url, made.state.faces())


def _several(
    count: int, made: Starlette, limits: Limits, taken: socket.socket, started: Callable[[], None],
    certificate: tuple[str, str] | None,
) -> None:  # fmt: skip
    """Serve by several processes on one socket."""
    from functory_serve.siblings import RELOADED, Siblings
    from functory_serve.workers import Supervisor, Worker

    service: Service = made.state.service

    with TemporaryDirectory(prefix="functory-serve-") as folder:

        def work(worker: Worker) -> None:
            service.siblings = Siblings(Path(folder), worker.number, count)
            if service.cores is not None:
                service.cores.take(worker.number)
            service.is_replacing = not worker.is_first
            if service.is_replacing and (Path(folder) / RELOADED).exists():
                service.reopen()
            open_server(made, limits, worker.started, certificate, is_shared=True).run([taken])

        settle()  # what is here is searched for garbage by no worker: its memory stays shared
        supervisor = Supervisor(count, work, limits.timeout_seconds + ENDING_SECONDS)
        supervisor.run(started, (Path(folder) / RELOADED).touch, taken.close)


@contextmanager
def served(
    functions: Mapping[str, Function], *, limits: Limits | None = None, faces: Sequence[Face] | None = None
) -> Iterator[str]:
    """Serve functions on a free port of this machine while the block runs; give the server's address.

    :param functions: by the names under which they are served.
    :param faces: by which it is spoken to besides; all that are installed when None.
    :raises FunctoryError: when the server ends before it takes requests.
    """
    limits = limits or Limits()
    with meanwhile(app(functions, limits, faces=faces), limits) as (url, _):
        yield url


@contextmanager
def meanwhile(
    made: Starlette, limits: Limits, certificate: tuple[str, str] | None = None
) -> Iterator[tuple[str, Server]]:  # fmt: skip
    """Let an application that `app` gave answer on a free port of this machine while the block runs; give its address and server.

    :param certificate: the files of a TLS certificate and its key, with which it speaks https alone.
    :raises FunctoryError: when the server ends before it takes requests.
    """
    begun = threading.Event()
    with listening("127.0.0.1", 0) as taken:
        server = open_server(made, limits, begun.set, certificate)
        thread = threading.Thread(target=server.run, args=([taken],), name="functory-serve", daemon=True)
        thread.start()
        try:
            while not begun.wait(ASKED_SECONDS):
                if not thread.is_alive():
                    raise FunctoryError("the server ended before it took requests.", do="look at what it wrote on stderr.")
            yield spoken(address("127.0.0.1", taken), certificate), server
        finally:
            server.should_exit = True
            thread.join()


def open_server(
    made: Starlette,
    limits: Limits,
    started: Callable[[], None],
    certificate: tuple[str, str] | None = None,
    *,
    is_shared: bool = False,
) -> Server:
    """Return a server for an application that `app` gave; `run` lets it work on a socket.

    :param started: told when it takes requests.
    :param is_shared: whether others take connections from the same socket: each takes one at a time then.
    """
    log.take("uvicorn")
    file, key = certificate or (None, None)
    config = uvicorn.Config(
        made, loop="asyncio", http=connections_within(limits), lifespan="on", ws="none", backlog=1 if is_shared else BACKLOG,
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        ssl_certfile=file, ssl_keyfile=key,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=int(limits.timeout_seconds) + 1,
    )  # fmt: skip
    return Server(config, made.state.service, started)


def spoken(url: str, certificate: tuple[str, str] | None) -> str:
    """Return a URL as it is for a server with a certificate, or without one."""
    return url if certificate is None else url.replace("http:", "https:", 1)


def address(host: str, taken: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    return f"http://{f'[{host}]' if ':' in host else host}:{taken.getsockname()[1]}"


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    :raises StorageError: when the system refuses it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, for asyncio then sends without delay
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        what = f"nothing can listen at {host}, port {port}: {getattr(error, 'strerror', None) or error}."
        raise StorageError(what, do="name another --port, or 0 for a free one; --host is an address of this machine.") from None
    return made
