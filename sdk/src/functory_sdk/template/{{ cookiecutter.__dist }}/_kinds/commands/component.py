"""The verb: its arguments, its work, its output."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from functory_sdk import Command


class {{ cookiecutter.__class }}(Command):
    """Counts the words of texts."""

    help = "count the words of texts"
    example = 'functory {{ cookiecutter.__entry }} "one two three"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("texts", nargs="*", help="the texts")

    def run(self, args: Namespace) -> int:
        counts = {text: len(text.split()) for text in args.texts}
        if args.json:
            print(json.dumps(counts, ensure_ascii=False))
        else:
            for text, count in counts.items():
                print(f"{count}  {text}")
        return 0


COMMAND = {{ cookiecutter.__class }}()
