"""``functory info NAME``: what a component does, its options, its source."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from functory.cli import SUMMARIES
from functory.cli.output import print_columns, print_json
from functory.contracts.command import Command
from functory.errors import UnknownComponent
from functory.machine.distributions import GROUPS, Entry
from functory.plugins import registry as plugins
from functory.plugins.importing import CLASSES


class Info(Command):
    """Import one component and tell about it."""

    help = SUMMARIES["info"]
    example = "functory info lora"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a component's name, or distribution:name")
        parser.add_argument(
            "--kind", choices=GROUPS, metavar="KIND", help="where several kinds have the name"
        )

    def run(self, args: Namespace) -> int:
        told = [describe(entry) for entry in _meant(args.name, args.kind)]
        if args.json:
            print_json(told)
        else:
            for position, facts in enumerate(told):
                if position:
                    print()
                _print(facts)
        return 0


def describe(entry: Entry) -> dict[str, Any]:  # Any: JSON
    """Import a component and return what there is to tell about it.

    :raises PluginError: it cannot be imported.
    """
    facts: dict[str, Any] = {
        "name": entry.name,
        "kind": entry.kind,
        "distribution": entry.distribution,
        "version": entry.version,
        "value": entry.value,
    }
    if entry.kind == "functions":  # importing one opens its model
        return facts | {"summary": entry.summary, "examples": [f"functory run {entry.name} …"]}
    component = plugins.load(entry.kind, entry.qualified)
    if entry.kind == "commands":
        return facts | {"summary": component.help, "examples": component.example.strip().splitlines()}
    if entry.kind not in CLASSES:
        owner = component if isinstance(component, type) else type(component)
        doc = (getattr(component, "__doc__", None) or owner.__doc__ or "").strip()
        return facts | {"summary": doc.split("\n\n")[0].replace("\n", " ")}
    return facts | {
        "summary": component.summary(),
        "paper": component.paper,
        "examples": list(component.examples),
        "options": [_option(component.Options, name) for name in component.Options.model_fields],
        "schema": component.Options.model_json_schema(),
    }


def _option(model: Any, name: str) -> dict[str, Any]:  # Any: a pydantic model class, and JSON
    """Return one option: its name, what it may be, what it is for."""
    from functory.contracts.component import describe_range

    field = model.model_fields[name]
    annotation = getattr(field.annotation, "__name__", str(field.annotation))
    allowed = describe_range(model, name)
    if field.is_required():
        allowed += ", must be given"
    return {
        "name": name,
        "type": annotation,
        "allowed": allowed or annotation,
        "description": field.description or "",
    }


def _meant(name: str, kind: str | None) -> list[Entry]:
    """Return the entry that a name means in each kind that has it.

    :raises UnknownComponent: no kind has it.
    :raises AmbiguousComponent: two distributions claim it.
    """
    if kind is not None:
        return [plugins.find(kind, name)]
    found = []
    for group in GROUPS:
        try:
            found.append(plugins.find(group, name))
        except UnknownComponent:
            continue
    if not found:
        known = {other: dist for names in plugins.known().values() for other, dist in names.items()}
        raise UnknownComponent("components", name, {entry.name for entry in plugins.entries()}, known)
    return found


def _print(facts: dict[str, Any]) -> None:
    """Print what `describe` found, for people."""
    print(f"{facts['name']}  ({facts['kind'].removesuffix('s')}, {facts['distribution']} {facts['version']})")
    if facts["summary"]:
        print(f"\n{facts['summary']}")
    if facts.get("options"):
        print("\noptions")
        print_columns(
            (option["name"], option["allowed"], option["description"]) for option in facts["options"]
        )
    if facts.get("paper"):
        print(f"\npaper\n  {facts['paper']}")
    if facts.get("examples"):
        print("\nexamples")
        for line in facts["examples"]:
            print(f"  {line}")


COMMAND = Info()
