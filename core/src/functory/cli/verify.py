"""``functory verify``: a function's files are as they were written, and it still gives the same outputs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from functory.cli import SUMMARIES
from functory.cli.options import add_digest, add_opening, opening
from functory.cli.output import print_json, say
from functory.contracts.command import Command


class Verify(Command):
    """Check files and replay golden examples."""

    help = SUMMARIES["verify"]
    example = "functory verify sentiment"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("function", help="a saved function's folder, or an installed function's name")
        add_opening(parser)
        add_digest(parser)

    def run(self, args: Namespace) -> int:
        from functory.artefact.opening import verify

        manifest = verify(args.function, sha256=args.sha256, **opening(args))
        if args.json:
            print_json(
                {
                    "name": manifest.name,
                    "version": manifest.version,
                    "members": len(manifest.members),
                    "sha256": manifest.sha256,
                    "sound": True,
                }
            )
        else:
            say(f"{manifest.name} {manifest.version}: {len(manifest.members)} files are as they were written, "
                "and the golden examples come out the same.")  # fmt: skip
            print(f"sha256 {manifest.sha256}")
        return 0


COMMAND = Verify()
