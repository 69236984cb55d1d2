"""``functory serve``: functions over HTTP."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk import Command, UsageError

if TYPE_CHECKING:
    from functory_sdk import Face, Function
    from functory_serve.configuration import Configuration


class Serve(Command):
    """Serve functions over HTTP."""

    help = "serve functions over HTTP, with typed routes and health checks"
    example = "functory serve sentiment/\nfunctory serve sentiment/ topics=./models/topics --port 8080"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("functions", nargs="*", metavar="FUNCTION",
            help="a saved function's folder, or an installed function's name; NAME=FOLDER names it")  # fmt: skip
        add("--config", type=Path, metavar="FILE", help="a serve.toml, which says all this, and tokens; what stands here wins")
        add("--host", help="the address to listen at; 127.0.0.1, this machine alone, when not given")
        add("--port", type=int, help="the port to listen at; 0 takes a free one (8080)")
        add("--workers", type=int, help="processes that take requests; one that ends is replaced (1)")
        add("--threads", type=int, help="threads of one forward pass; when not given the machine's cores, which workers share")
        add("--domain", action="append", default=[], metavar="NAME",
            help="a name by which it is reached, besides this machine's own; * for any")  # fmt: skip
        add("--proxy", action="append", default=[], metavar="ADDRESS",
            help="the address, or network, of a proxy that is believed for whom it asks")  # fmt: skip
        add("--limit", action="append", default=[], metavar="NAME=VALUE",
            help="what is taken on at most, as the README tells: wait_seconds=1, inputs=100 …")  # fmt: skip
        add("--face", action="append", metavar="NAME",
            help="a face by which it is spoken to besides; all that are installed when not given, none by --face ''")  # fmt: skip
        add("--pid-file", type=Path, metavar="FILE", help="write the process and its address there, for `functory reload FILE`")
        add("--traces", action="store_true", help="send a span of each request where the OTEL_… variables say")
        add("--log", action="store_true", help="write a line on stderr for each answer: its id, status and seconds")

    def app(
        self, functions: Mapping[str, Function], *, limits: Any = None, tokens: Sequence[Any] = (), **more: Any
    ) -> Any:  # Any: an ASGI application
        """Return functions as an ASGI application, for who hosts it otherwise and knows this distribution by its name alone.

        :param limits: and `tokens`: as a serve.toml has them, or as `functory_serve.app` takes them.
        :param more: as `functory_serve.app` takes it.
        :raises OptionError: for a limit or a token that is none.
        """
        from functory_sdk import read_options
        from functory_serve.access import Token
        from functory_serve.app import app
        from functory_serve.limits import Limits

        limits = read_options(Limits, limits, "the server's limits") if isinstance(limits, Mapping) else limits
        read = [read_options(Token, one, "a token") if isinstance(one, Mapping) else one for one in tokens]
        return app(functions, limits, tokens=read, **more)

    def run(self, args: Namespace) -> int:
        from functory_sdk import SessionOptions, cores, open_named
        from functory_serve.mounting import installed
        from functory_serve.running import serve

        said = _said(args)
        named = [f"{name}={place}" for name, place in said.functions.items()]
        threads = said.threads or (max(1, cores() // said.workers) if said.workers > 1 else 0)
        opened = open_named([*args.functions, *named], SessionOptions(threads=threads))
        functions = {name: one.function for name, one in opened.items()}
        faces = installed(said.faces)
        serve(functions, host=said.host, port=said.port, limits=said.limits, tokens=said.tokens, logs=said.logs,
              domains=said.domains, proxies=said.proxies, faces=faces,
              certificate=(said.certificate, said.key) if said.certificate else None,
              pid_file=args.pid_file, traces=said.traces or args.traces, workers=said.workers,
              shares_cores=not said.threads,
              reopen=lambda name: _open(opened[name].place, threads),
              started=lambda url, speaking: _tell(url, list(functions), speaking, [] if said.faces is None else faces,
                                                  args.json))  # fmt: skip
        return 0


def _said(args: Namespace) -> Configuration:
    """Return what the file and the arguments say, the arguments first.

    :raises UsageError: when they name no function.
    :raises OptionError: for what is not known, or out of range.
    """
    from functory_sdk import read_options
    from functory_serve.configuration import Configuration, configuration
    from functory_serve.limits import Limits

    said = configuration(args.config) if args.config is not None else Configuration()
    if not args.functions and not said.functions:
        raise UsageError("no function is named.", do="functory serve FOLDER, or a file with [functions]: --config serve.toml.")
    own = {name: value for name in ("host", "port", "workers", "threads") if (value := getattr(args, name)) is not None}
    own |= {name: value for name, value in (("domains", args.domain), ("proxies", args.proxy)) if value}
    if args.face is not None:
        own["faces"] = tuple(filter(None, args.face))
    limits = read_options(Limits, {**said.limits.model_dump(), **_assigned(args.limit)}, "the server's limits")
    given = {**said.model_dump(), **own, "limits": limits, "logs": said.logs or args.log}
    return read_options(Configuration, given, "the server")


def _assigned(said: list[str]) -> dict[str, str]:
    """Return the limits that assignments say.

    :raises OptionError: for what is none.
    """
    from functory_sdk import OptionError

    given = [one.partition("=") for one in said]
    wrong = next(("".join(one) for one in given if not all(one)), None)
    if wrong is not None:
        raise OptionError(f"--limit {wrong!r} is no assignment.", do="write --limit wait_seconds=1.")
    return {name.strip(): value for name, _, value in given}


def _open(place: str, threads: int) -> Function:
    """Return a function as it is saved now."""
    from functory_sdk import SessionOptions, open_artefact

    return open_artefact(place, session=SessionOptions(threads=threads))


def _tell(url: str, names: list[str], faces: Sequence[Face], wanted: Sequence[Face], as_json: bool) -> None:
    """Say what is served, where, and by which faces; and which of those that were asked for answer nothing of it."""
    from functory_sdk import tell

    for silent in [face.name for face in wanted if face not in faces]:
        tell(f"functory serve: the face {silent} answers for none of these functions.")
    if as_json:
        print(json.dumps({"url": url, "functions": names, "faces": [face.name for face in faces]}), flush=True)
        return
    print(f"serving at {url}", flush=True)
    for name in names:
        print(f"  {url}/v1/functions/{name}", flush=True)
    for face in faces:
        print(f"  {url}{face.paths[0]}  {face.help}", flush=True)


COMMAND = Serve()
