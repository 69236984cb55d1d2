"""``functory ray``: functions served by Ray Serve."""

from __future__ import annotations

import json
import re
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from functory_sdk import Command, UsageError

NAME = re.compile(r"[A-Za-z0-9][\w.@-]*", re.ASCII)


class Ray(Command):
    """Serve functions by Ray Serve."""

    help = "serve functions by Ray Serve, with as many replicas as there is work for"
    example = "functory ray sentiment=/shared/sentiment --replicas 2-8\nfunctory ray my-sentiment --address auto --port 8000"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("functions", nargs="+", metavar="NAME=FOLDER",
            help="a name with a folder that every machine of the cluster reaches, or an installed function's name")  # fmt: skip
        add("--replicas", type=_between, default=(1, 4), metavar="FEWEST-MOST", help="how many replicas (1-4)")
        add("--threads", type=int, default=1, help="threads, and processors, of one replica (1)")
        add("--port", type=int, default=8000, help="the port of Ray Serve's proxies (8000)")
        add("--host", default="127.0.0.1", help="the address that they listen at (127.0.0.1)")
        add("--address", default=None, help="the cluster: auto, ray://host:10001; one of this machine alone when not given")

    def run(self, args: Namespace) -> int:
        from functory_ray.engine import ray
        from functory_ray.serving import application

        functions = dict(_named(one) for one in args.functions)
        serve = ray("serve")
        made = application(functions, replicas=args.replicas, threads=args.threads)
        ray().init(address=args.address, ignore_reinit_error=True, log_to_driver=False)
        serve.start(http_options={"host": args.host, "port": args.port})
        try:
            serve.run(made, route_prefix="/")
            url = f"http://{args.host}:{args.port}"
            print(json.dumps({"url": url, "functions": [*functions]}) if args.json else f"serving at {url}", flush=True)
            _wait()
        finally:
            serve.shutdown()
            ray().shutdown()
        return 0


def _between(text: str) -> tuple[int, int]:
    """Read ``2-8``, or ``3``.

    :raises ArgumentTypeError: for anything else.
    """
    low, _, high = text.partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not how many: write 2-8, or 3")
    return int(low), int(high or low)


def _named(said: str) -> tuple[str, str]:
    """Return the name under which a function is served, and where it is.

    :raises UsageError: when a name is none for a path.
    """
    name, equals, place = said.partition("=")
    if NAME.fullmatch(name) is None or (equals and not place):
        raise UsageError(f"{said!r} names no function for a path.", do="write NAME=FOLDER, or an installed function's name.")
    return name, place or name


def _wait() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    ended = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: ended.set())
    ended.wait()


COMMAND = Ray()
