"""``functory extract``: the fields of a text in one line, nothing built before."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from functory_sdk import Command, UsageError, read_json


class ExtractCommand(Command):
    """Take fields out of a text."""

    help = "take fields out of a text: words, numbers, dates, choices, lists, or a whole JSON Schema"
    example = (
        "functory extract \"Bob Smith ordered 3 chairs on 2024-05-02.\" customer=text chairs=whole date=date\n"
        "functory extract 李明买了两本书，一共付了30元。 顾客=text 金额=number\n"
        "functory extract \"…\" invoice.schema.json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", help="the text that is read")
        parser.add_argument(
            "fields", nargs="+", metavar="NAME=KIND",
            help="a field: text, number, whole, yes-no, date, list, or choices ('red, blue'), with what is meant after a colon "
            "('number: what must be paid'); or the file of a JSON Schema",
        )  # fmt: skip
        parser.add_argument("--backbone", default="", help="a backbone that writes; smollm2 when not given")

    def run(self, args: Namespace) -> int:
        from functory_extract.verb import extract

        found = extract(args.text, _model(args.fields), backbone=args.backbone)
        if args.json:
            print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
            return 0
        for name, value in found.fields.items():
            place = found.evidence.get(name)
            print(f"{name}: {_told(value)}" + (f" ({place.start}–{place.end})" if place else ""))
        return 0


def _model(fields: Sequence[str]) -> dict[str, Any]:
    """Return what the fields say.

    :raises UsageError: for one without a kind.
    """
    if len(fields) == 1 and fields[0].endswith(".json"):
        found = read_json(Path(fields[0]).parent, Path(fields[0]).name)
        if not found:
            raise UsageError(f"there is no JSON Schema in {fields[0]!r}.", do="name a file that holds an object.")
        return found
    named = [one.partition("=") for one in fields]
    wrong = next((one for one, (name, _, kind) in zip(fields, named, strict=True) if not name.strip() or not kind.strip()), None)
    if wrong is not None:
        raise UsageError(f"{wrong!r} is no field.", do="write NAME=KIND: customer=text, total=number, 'colour=red, blue'.")
    return {name.strip(): kind.strip() for name, _, kind in named}


def _told(value: Any) -> str:  # Any: JSON
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


COMMAND = ExtractCommand()
