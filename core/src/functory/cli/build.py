"""``functory build``: from a recipe, or from options, to a saved function."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from shlex import quote
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.options import add_data, count, data, reading
from functory.cli.output import print_json, say
from functory.cli.written import tried
from functory.contracts.command import Command


class Build(Command):
    """Build a function and save it."""

    help = SUMMARIES["build"]
    example = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --output sentiment\n"
        "functory build recipe.toml --set adaptation.rank=8 --output sentiment"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", nargs="?", help="a recipe file (TOML)")
        for name, meaning in (
            ("task", "what is to be computed: text-classification, ner …"),
            ("backbone", "the pretrained model: minilm, e5, hf:org/name, ./folder …"),
            ("adaptation", "how it is fitted: head, lora, full …"),
            ("put", "how the task is put to the backbone: features, vectors, plain, prompt"),
            ("name", "the function's name"),
        ):
            parser.add_argument(f"--{name}", help=meaning)
        for name, meaning in (
            ("train", "training data: a file, a pattern such as 'data/*.csv', or samples:NAME; several when given again"),
            ("dev", "data for choices while training; split off the training data when not given"),
            ("test", "data for the report; split off the training data when not given"),
            ("untouched", "rows that calibrate scores and bear promises; split off the training data when not given"),
        ):
            parser.add_argument(f"--{name}", action="append", metavar="DATA", help=meaning)
        parser.add_argument(
            "--output", "-o", type=Path, help="the folder to save into; its name is the function's, where none is given"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="PART.OPTION=VALUE", help="any other field or option"
        )
        add_data(parser)
        parser.add_argument("--seed", type=int, help="governs everything random")
        parser.add_argument("--limit", type=int, help="keep so many training examples at most, each label by its share")
        for flag, meaning in (
            ("--abstain-at", "decline where it is not sure enough: at most this share of its answers is wrong (0.05)"),
            ("--sets-at", "give a set of labels with each answer: at most this share of them lacks the right one (0.1)"),
        ):
            parser.add_argument(flag, type=float, metavar="SHARE", help=meaning)
        parser.add_argument(
            "--doubt", type=count, default=0, metavar="FOLDS",
            help="look for training labels that look wrong, by building again on so many folds: 5",
        )  # fmt: skip
        parser.add_argument(
            "--curve", type=count, default=0, metavar="HALVINGS",
            help="the learning curve: build again on a half of the training data, a quarter …, with so many halvings: 3",
        )  # fmt: skip
        parser.add_argument("--hook", action="append", default=[], metavar="NAME", help="a hook plugin that takes part")
        parser.add_argument("--run", type=Path, metavar="FOLDER", help="the folder of checkpoints, to go on from")

    def run(self, args: Namespace) -> int:
        from functory.artefact.writing import target
        from functory.build import build
        from functory.machine.targets import link_note
        from functory.recipe import Recipe, read_toml, set_option
        from functory.terminal import show

        if args.output:
            target(args.output)
        fields: dict[str, Any] = read_toml(Path(args.recipe))[0] if args.recipe else {}
        for name in ("task", "backbone", "adaptation", "put", "name", "seed", "limit", "abstain_at", "sets_at"):
            if getattr(args, name) is not None:
                set_option(fields, f"{name}={_quoted(getattr(args, name))}")
        fields |= {name: data(getattr(args, name)) for name in ("train", "dev", "test", "untouched") if getattr(args, name)}
        said = reading(args)
        fields |= said | {"columns": {**fields.get("columns", {}), **said.get("columns", {})}}
        if args.hook:
            fields["hooks"] = args.hook
        for assignment in args.set:
            set_option(fields, assignment)
        recipe = Recipe.make(args.recipe, **fields) if args.recipe else Recipe.make(fields)
        if args.output and not recipe.name:  # `--output spam` makes a function that calls itself spam
            recipe = Recipe.make(recipe, name=args.output.resolve().name)
        folder = args.output or Path(recipe.name or recipe.task.name.rpartition(":")[2])
        function = build(
            recipe, output=folder, run=args.run, doubt=args.doubt, curve=args.curve,
            tell=lambda note: say(f"note: {note}", sys.stderr),
        )  # fmt: skip
        if args.json:
            report = function.report.model_dump(mode="json") if function.report else None
            print_json({"folder": str(folder), "report": report, "info": function.info()})
            return 0
        if function.report:
            show(function.report)
        command = f"functory run {quote(str(folder))} {tried(function.signature)}"
        say(f"saved to {folder}{link_note(folder)}. Try it: {command}")
        return 0


def _quoted(value: object) -> str:
    """Return a value as TOML, so that a name of digits stays a name."""
    import json

    return json.dumps(value, ensure_ascii=False)


COMMAND = Build()
