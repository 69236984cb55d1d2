"""``functory new plugin``: a complete repository of a plugin, from the SDK's template."""

from __future__ import annotations

import re
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from functory.cli import SUMMARIES
from functory.cli.output import print_json
from functory.contracts.command import Command
from functory.errors import NotSupported, UsageError
from functory.machine.distributions import GROUPS
from functory.machine.folders import written_whole
from functory.machine.targets import fillable_folder
from functory.wording.kinds import one_of

LIKE = {
    "labels": "one text, one label",
    "pairs": "two texts, one label",
    "spans": "a text, and typed stretches of it",
    "writes": "a text in, a text out",
}
"""What a task may be like, and what that is."""
DEFAULT = "labels"


class New(Command):
    """Render the template."""

    help = SUMMARIES["new"]
    example = (
        'functory new plugin --kind adaptations --name my-method --author "Ada Lovelace"\n'
        "functory new plugin --kind tasks --like pairs --name answers"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("plugin",), help="what to start")
        parser.add_argument("--kind", required=True, choices=GROUPS, metavar="KIND", help=f"one of {', '.join(GROUPS)}")
        parser.add_argument("--like", choices=tuple(LIKE), help=f"for a task: {_told()}; {DEFAULT} when not given")
        parser.add_argument("--name", required=True, help="the component's name, as users will type it")
        parser.add_argument("--author", default="Your Name", help="who writes it")
        parser.add_argument("--licence", default="Apache-2.0", help="its licence, SPDX")
        parser.add_argument("--output", "-o", type=Path, default=Path(), help="the folder to put the repository into")

    def run(self, args: Namespace) -> int:
        made = render(args.kind, args.name, args.output, author=args.author, licence=args.licence, like=args.like or "")
        if args.json:
            print_json({"folder": str(made)})
        else:
            steps = [f"cd {quote(str(made))}", "pip install --editable '.[test]'", "pytest"]
            steps += [f"functory build --task {args.name} --train {table.name}" for table in made.glob("examples.*")]
            print(f"{made} is a complete plugin. Next:", *steps, sep="\n  ")
        return 0


def _told() -> str:
    """Return what a task may be like, in words."""
    return ", ".join(f"{name} ({what})" for name, what in LIKE.items())


def render(kind: str, name: str, output: Path, *, author: str, licence: str, like: str = "") -> Path:
    """Write a plugin's repository and return its folder.

    :param like: what a task is like, a key of `LIKE`; labels when empty. For tasks alone.
    :raises UsageError: for a name that cannot be one, a folder that is there already, or `like` beside another kind.
    :raises NotSupported: for packaged functions, which `functory package` makes, verbs, pipelines and forms; or without
        the template.
    """
    if kind == "functions":
        raise NotSupported("a packaged function is not written by hand.", do="functory package FOLDER --name NAME makes it.")
    if kind == "forms":
        raise NotSupported("a form is not made from a template.", do="derive it from functory_sdk.Form: see docs/sdk.md.")
    if kind in ("verbs", "pipelines"):
        raise NotSupported(f"a {one_of(kind)} comes with the task it is for.", do="add it to a task's plugin: see docs/sdk.md.")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UsageError(
            f"the name {name!r} is not possible.", do="small letters, digits and single hyphens, a letter first: my-method."
        )
    if like and kind != "tasks":
        raise UsageError(f"--like is for tasks, and the kind is {kind}.", do="leave it out, or ask for --kind tasks.")
    fillable_folder(output)
    folder = output / f"functory-{name}"
    if folder.exists():
        raise UsageError(f"{folder} is there already.", do="choose another name, or another --output.")
    try:
        from cookiecutter.main import cookiecutter
    except ImportError as error:
        raise NotSupported("the template needs cookiecutter.", do="pip install 'functory-sdk[template]'.") from error
    answers = {"kind": kind, "like": like or DEFAULT, "name": name, "author": author, "licence": licence}
    with TemporaryDirectory() as own, written_whole(folder) as made:
        places = {"replay_dir": own, "cookiecutters_dir": own}  # cookiecutter would keep the answers in the user's home
        rendered = cookiecutter(
            str(template()), no_input=True, extra_context=answers, output_dir=f"{own}/rendered", default_config=places
        )
        shutil.copytree(rendered, made, dirs_exist_ok=True)
    return folder


def template() -> Path:
    """Return the template's folder, which the SDK brings.

    :raises NotSupported: without the SDK.
    """
    from importlib.util import find_spec

    spec = find_spec("functory_sdk")
    if spec is None or not spec.submodule_search_locations:
        raise NotSupported("the template comes with the SDK, which is not installed.", do="pip install 'functory-sdk[template]'.")
    return Path(spec.submodule_search_locations[0]) / "template"


COMMAND = New()
