"""Options that several verbs share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functory.errors import OptionError

if TYPE_CHECKING:
    from functory.function import Function


def add_function(parser: ArgumentParser) -> None:
    """Declare the function and how it is opened."""
    parser.add_argument("function", help="a saved function's folder, or an installed function's name")
    parser.add_argument("--form", help="which of its forms: 'torch fp32', 'openvino int8' …")
    parser.add_argument(
        "--threads", type=int, default=0, help="threads of one forward pass; the machine's cores when not given"
    )
    parser.add_argument("--device", default="cpu", help="where it runs: cpu, cuda …")
    add_components(parser)


def add_components(parser: ArgumentParser) -> None:
    """Declare the files of components that are no plugins."""
    parser.add_argument(
        "--component",
        action="append",
        default=[],
        metavar="FILE.py:CLASS",
        help="a component that was in a file when the function was built; the file is run",
    )


def open_function(args: Namespace) -> Function:
    """Return the function that the arguments name."""
    from functory.function import load

    return load(args.function, form=args.form, threads=args.threads, device=args.device, components=args.component)


def count(text: str) -> int:
    """Read how many of something are to be listed.

    :raises ArgumentTypeError: when it is no whole number from 0 to 1,000.
    """
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) > 1000:
        raise ArgumentTypeError(f"{text!r} is no whole number from 0 to 1,000")
    return int(text)


def pairs(assignments: Sequence[str], option: str) -> dict[str, str]:
    """Return ``a=b`` assignments as a mapping.

    :raises OptionError: when one is no assignment.
    """
    found = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name or not value:
            raise OptionError(f"{option} {assignment!r} is no assignment.", do=f"write {option} text=review.")
        found[name] = value
    return found


def values(assignments: Sequence[str]) -> dict[str, Any]:
    """Return ``option=value`` assignments with values read as TOML, for a component's options."""
    from functory.recipe import set_option

    fields: dict[str, Any] = {}
    for assignment in assignments:
        set_option(fields, assignment)
    return fields
