"""Options that several verbs share."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.errors import OptionError

if TYPE_CHECKING:
    from functory.contracts.engine import SessionOptions
    from functory.function import Function


def add_function(parser: ArgumentParser) -> None:
    """Declare the function and how it is opened."""
    parser.add_argument("function", help="a saved function's folder, an installed function's name, or the URL of a served one")
    parser.add_argument("--form", help="which of its forms: 'torch fp32', 'openvino int8' …")
    parser.add_argument(
        "--threads", type=int, default=0, help="threads of one forward pass; the machine's cores when not given"
    )
    parser.add_argument("--device", default="cpu", help="where it runs: cpu, cuda …")
    parser.add_argument(
        "--precision", choices=("auto", "bf16"), default="auto",
        help="in what its maps are multiplied: its own, or bf16, faster where the processor has instructions for it",
    )  # fmt: skip
    add_opening(parser)
    add_digest(parser)


def add_digest(parser: ArgumentParser) -> None:
    """Declare the digest that a function must have."""
    parser.add_argument(
        "--sha256", default="", metavar="DIGEST", help="the digest that the function must have, as `functory verify` prints it"
    )


def add_digests(parser: ArgumentParser) -> None:
    """Declare the digests that several functions must have."""
    parser.add_argument(
        "--sha256", action="append", default=[], metavar="DIGEST",
        help="the digest that the first function must have, as `functory verify` prints it; again for each further one",
    )  # fmt: skip


def add_opening(parser: ArgumentParser) -> None:
    """Declare what a saved function needs besides its folder; `opening` gives what was said."""
    parser.add_argument(
        "--component",
        action="append",
        default=[],
        metavar="FILE.py:CLASS",
        help="a component that was in a file when the function was built; the file is run",
    )
    add_whereabouts(parser)


def add_whereabouts(parser: ArgumentParser) -> None:
    """Declare where the backbones of a saved function may be looked for, besides where it says."""
    parser.add_argument(
        "--backbone", action="append", default=[], metavar="FOLDER", help="where its backbone lies now, when it moved since"
    )
    parser.add_argument(
        "--hub", action="append", default=[], metavar="NAME",
        help="a hub that may be asked for what the function names and is not on this machine: hf",
    )  # fmt: skip


def opening(args: Namespace) -> dict[str, Any]:  # Any: lists of names
    """Return what the options of `add_opening` say, as keyword arguments: components, backbone, hubs."""
    return {"components": args.component, "backbone": args.backbone, "hubs": args.hub}


def open_function(args: Namespace) -> Function:
    """Return the function that the arguments name."""
    from functory.artefact.loading import load

    return load(
        args.function, form=args.form, sha256=args.sha256, session=_session(args), **opening(args)
    )  # fmt: skip


def _session(args: Namespace) -> SessionOptions | None:
    """Return how the arguments say to open a function; None where they say nothing."""
    from functory.contracts.engine import SessionOptions

    said = SessionOptions.of({"threads": args.threads, "device": args.device, "precision": args.precision})
    return None if said == SessionOptions() else said


def add_decoding(parser: ArgumentParser) -> None:
    """Declare how a function that writes is to write; `decoded` gives it."""
    parser.add_argument(
        "--decode", action="append", default=[], metavar="OPTION=VALUE",
        help="how a function that writes writes this time: temperature=0.7, stop='.', max_new_tokens=20 …",
    )  # fmt: skip


def decoded(function: Function, args: Namespace) -> Function:
    """Return a function that writes as the arguments say.

    :raises NotSupported: where they say how, and the function does not write.
    :raises OptionError: for an unknown option, or a value out of range.
    """
    return function.using(**values(args.decode)) if args.decode else function


def file(text: str) -> Path:
    """Read the place of a file that is to be written.

    :raises ArgumentTypeError: when it is spelled as a folder.
    """
    from argparse import ArgumentTypeError

    if not text or text.endswith(("/", os.sep)):
        raise ArgumentTypeError(f"{text!r} names a folder, and no file")
    return Path(text)


def count(text: str) -> int:
    """Read how many of something are to be listed.

    :raises ArgumentTypeError: when it is no whole number from 0 to 1,000.
    """
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) > 1000:
        raise ArgumentTypeError(f"{text!r} is no whole number from 0 to 1,000")
    return int(text)


def add_data(parser: ArgumentParser, *, keeps: bool = False) -> None:
    """Declare how data are read; `reading` gives what was said. The option that names the data is each verb's own.

    :param keeps: whether a bad row may be kept, with what is wrong in the place of its answer.
    """
    add = parser.add_argument
    add("--column", action="append", default=[], metavar="FIELD=COLUMN",
        help="which column, or path into one (passage.text), holds which field; several where it is named so often")  # fmt: skip
    if keeps:
        add("--on-bad-row", choices=("stop", "skip", "keep"),
            help="stop when rows are bad, skip and count them, or keep them with an error (stop; keep on stdin)")  # fmt: skip
    else:
        add("--on-bad-row", choices=("stop", "skip"), help="stop when rows are bad, or skip and count them (stop)")
    add("--format", metavar="NAME", help="the reader of the files: csv, jsonl … (functory list --kind readers)")
    add("--read", action="append", default=[], metavar="OPTION=VALUE", help="an option of the reader: delimiter='|'")
    add("--no-header", action="store_true", help="the first line is an example: the columns are 1, 2, 3 …")
    add("--encoding", metavar="NAME", help="the files' encoding, where their bytes do not tell: gb18030, cp1252 …")


def reading(args: Namespace) -> dict[str, Any]:  # Any: texts and options
    """Return what the options of `add_data` say, as keyword arguments: columns, on_bad_row, format, encoding.

    :raises OptionError: when one is no assignment.
    """
    said: dict[str, Any] = {}
    if args.column:
        said["columns"] = pairs(args.column, "--column")
    if args.on_bad_row:
        said["on_bad_row"] = args.on_bad_row
    options = {**values(args.read), **({"header": False} if args.no_header else {})}
    if args.format or options:
        said["format"] = {"name": args.format or "", **options}
    if args.encoding:
        said["encoding"] = args.encoding
    return said


def data(named: Sequence[str]) -> str | list[str]:
    """Return the data that an option named, once or several times."""
    return named[0] if len(named) == 1 else list(named)


def pairs(assignments: Sequence[str], option: str) -> dict[str, str | list[str]]:
    """Return ``a=b`` assignments as a mapping; what is assigned to several times gets them all.

    :raises OptionError: when one is no assignment.
    """
    found: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name or not value:
            raise OptionError(f"{option} {assignment!r} is no assignment.", do=f"write {option} text=review.")
        found.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in found.items()}


def values(assignments: Sequence[str]) -> dict[str, Any]:
    """Return ``option=value`` assignments with values read as TOML, for a component's options."""
    from functory.recipe import set_option

    fields: dict[str, Any] = {}
    for assignment in assignments:
        set_option(fields, assignment)
    return fields
