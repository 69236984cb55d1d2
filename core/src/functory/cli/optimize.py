"""``functory optimize``: a smaller or faster function, with a report of what it cost."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from functory.cli import SUMMARIES
from functory.cli.options import add_data, add_function, data, open_function, reading, values
from functory.cli.output import print_json, say
from functory.contracts.command import Command


class Optimize(Command):
    """Optimize a function and save what was kept."""

    help = SUMMARIES["optimize"]
    example = "functory optimize sentiment --data test.csv --output sentiment-fast --max-drop 0.005"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_function(parser)
        parser.add_argument(
            "--data", required=True, action="append", help="data with answers that the function was not trained on"
        )
        parser.add_argument("--output", "-o", type=Path, required=True, help="the folder to save into")
        parser.add_argument("--method", default="int8", help="an optimization's name (int8)")
        parser.add_argument("--max-drop", type=float, help="the loss in the task's metric that is borne")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="any other option")
        add_data(parser)

    def run(self, args: Namespace) -> int:
        from functory.artefact.keeping import save_or_keep
        from functory.artefact.writing import target
        from functory.machine.targets import link_note
        from functory.measuring.evaluation import read_examples
        from functory.terminal import show

        target(args.output)
        function = open_function(args)
        options = values(args.set)
        if args.max_drop is not None:
            options["max_drop"] = args.max_drop
        examples = read_examples(function.task, function.state, data(args.data), **reading(args))
        made = function.optimize(args.method, examples, **options)
        folder = save_or_keep(made, args.output)
        if args.json:
            report = made.optimization.model_dump(mode="json") if made.optimization else None
            print_json({"folder": str(folder), "form": made.form.name, "report": report})
        else:
            show(made.optimization)
            say(f"saved to {folder}{link_note(folder)}: {made.form.name}")
        return 0


COMMAND = Optimize()
