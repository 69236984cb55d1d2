"""``functory client``: a small typed client of served functions, for programs that have no functory."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from functory_sdk import Command


class Client(Command):
    """Write a client of served functions."""

    help = "write a small typed client of served functions, which needs Python alone"
    example = (
        "functory client http://127.0.0.1:8080 --output my_client.py\n"
        "functory client http://127.0.0.1:8080/sentiment --output sentiment.py"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", metavar="URL", help="the server, for all its functions, or one of them: http://host:8080/NAME")
        parser.add_argument("--output", "-o", type=Path, metavar="FILE.py", help="the module to write; stdout when not given")

    def run(self, args: Namespace) -> int:
        from functory_remote.client import client
        from functory_remote.options import options_of
        from functory_remote.place import place_of
        from functory_sdk import file_written_whole

        source = client(place_of(args.url, is_server="/" not in args.url.split("://")[-1].strip("/")), options_of({}))
        if args.output is None:
            print(json.dumps({"source": source}) if args.json else source, end="" if not args.json else "\n")
            return 0
        with file_written_whole(args.output) as part:
            part.write_text(source, encoding="utf-8")
        print(json.dumps({"output": str(args.output)}) if args.json else f"written: {args.output}")
        return 0


COMMAND = Client()
