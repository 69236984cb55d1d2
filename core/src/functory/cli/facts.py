"""How `info` lays out what there is to tell about a component or a saved function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from typing import Any

from functory.cli.output import print_columns, print_paragraphs, say, size
from functory.cli.written import tried
from functory.wording.kinds import one_of

MANY_LABELS = 30


def print_component(facts: Mapping[str, Any]) -> None:  # Any: JSON
    """Print what `telling.describe` found."""
    say(f"{facts['name']}  ({one_of(facts['kind'])}, {facts['distribution']} {facts['version']})")
    if facts["summary"]:
        say(f"\n{facts['summary']}")
    if "input" in facts:
        _print_task(facts)
    if facts.get("options"):
        say("\noptions")
        print_paragraphs((option["name"], option["allowed"], option["description"]) for option in facts["options"])
    if facts.get("paper"):
        say(f"\npaper\n  {facts['paper']}")
    _print_examples(facts.get("examples", ()))


def print_function(facts: Mapping[str, Any]) -> None:
    """Print what `summary.summarise` found."""
    source = f", {facts['distribution']}" if facts.get("distribution") else ""
    say(f"{facts['name']} {facts['version']}  (function{source}, {size(facts['bytes'])}, {facts['folder']})")
    say(f"\n{facts['summary']}")
    if facts["trouble"]:
        say(f"\nIT IS DAMAGED: {facts['trouble']} functory verify {quote(str(facts['folder']))} says what to do.")
    _print_call(facts)
    labels = facts["state"].get("labels", ())
    if labels:
        more = f" and {len(labels) - MANY_LABELS:,} more" if len(labels) > MANY_LABELS else ""
        _print_pairs("labels", [(", ".join(map(str, labels[:MANY_LABELS])) + more,)])
    _print_measured(facts)
    say("\nforms")
    print_paragraphs((form["name"], _made_of(form)) for form in facts["forms"])
    from functory.artefact.card import data_line

    _print_pairs("recipe", flat(facts["recipe"]))
    _print_pairs("data", ((name, data_line(value)) for name, value in facts["data"].items()))
    _print_pairs("notes", (("-", note) for note in facts["notes"]))
    _print_pairs("licences", (("-", one) for one in dict.fromkeys([facts["licence"], *facts["licences"]]) if one))
    made_with = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    _print_pairs("made with", [(made_with,)] if made_with else [])
    _print_pairs("files", [(f"{facts['files']} files, {size(facts['bytes'])}, {_soundness(facts)}",)])
    say(f"  sha256 {facts['sha256']} (of function.json, which holds every other file's)")
    name = facts["name"] if facts.get("distribution") else facts["folder"]
    _print_examples([f"functory run {quote(str(name))} {tried(facts['signature'])}"])


def flat(recipe: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give the keys and values of nested data, as a recipe is changed by ``--set``: ``adaptation.penalty``."""
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{'' if key == 'options' else key + '.'}")
        elif value not in ("", [], None):
            yield prefix + key if key != "name" or not prefix else prefix.rstrip("."), str(value)


def _print_task(facts: Mapping[str, Any]) -> None:
    """Print a task's fields, the columns that they are read from, its output and its metrics."""
    columns = facts["columns"]
    for title, fields in (("input", facts["input"]), ("learned from, and measured against", facts["gold"])):
        _print_pairs(title, ((field["name"], field["type"], _told(field, columns)) for field in fields))
    _print_pairs("output", ((field["name"], field["type"], field["description"]) for field in facts["output"]))
    _print_pairs("metrics", (
        (f"{name} *" if name == facts["metric"] else name, what) for name, what in facts["metrics"].items()
    ))  # fmt: skip
    if facts["metric"]:
        say("  * by this one functions are chosen and compared")
    _print_pairs("built with, where none is named", map(_suited, facts["suits"]))
    _print_pairs("made of the functions", ((name, task or "any task") for name, task in facts["parts"].items()))


def _suited(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what suits a task with examples, or without: backbone and adaptation, and why."""
    foreign = ", ".join(filter(None, (one["multilingual"], one["multilingual_adaptation"])))
    other = f" ({foreign} where the texts are not English)" if foreign else ""
    parts = f"{one['backbone']}{other}, {one['adaptation']}" if one["backbone"] else "-"
    return "with examples" if one["examples"] else "without", parts, one["why"]


def _told(field: Mapping[str, Any], columns: Mapping[str, list[str]]) -> str:
    """Return what a field is, whether it may be left out, and which columns are taken for it."""
    names = columns.get(field["name"], ())
    known = f" Columns: {', '.join(names)}." if names else ""
    return f"{field['description']}{'' if field['required'] else ' May be left out.'}{known}"


def _print_call(facts: Mapping[str, Any]) -> None:
    """Print how the function is called, and what comes back."""
    signature = facts["signature"]
    given, output = signature.get("input", {}), signature.get("output", {})
    required = given.get("required", [])
    names = [*signature.get("shorthand", []), *(name for name in given.get("properties", {})
             if name not in signature.get("shorthand", []))]  # fmt: skip
    arguments = ", ".join(name if name in required else f"{name}=…" for name in names)
    say(f"\ncall\n  {facts['name'].replace('-', '_')}({arguments}) → {output.get('title', 'its output')}")
    print_paragraphs((f"  {name}", what) for name, what in signature.get("parameters", {}).items())
    from functory.contracts.trust import TrustOutput

    fields = sorted(output.get("properties", {}).items(), key=lambda field: field[0] in TrustOutput.model_fields)
    _print_pairs("output", ((name, field.get("description", "")) for name, field in fields))


def _print_measured(facts: Mapping[str, Any]) -> None:
    """Print the report, or the figures where there is no report."""
    if facts["report"] is not None:
        from functory.measuring.mistakes import wrong_line
        from functory.measuring.report import Report
        from functory.measuring.tables import metric_rows

        report = Report.model_validate(facts["report"])
        measured = f", measured as {report.form}" if report.form not in ("", facts["forms"][0]["name"]) else ""
        _print_pairs("measured", [(f"{report.headline()}{measured}",)])
        header, rows = metric_rows(report)
        print_columns([header, *rows])
        if report.wrong is not None:
            say(f"  {wrong_line(report.wrong, report.examples)}")
    elif facts["metrics"]:
        figures = ((name, value) for name, value in facts["metrics"].items())
        _print_pairs("measured", ((name, f"{v['value'] if isinstance(v, dict) else v:.3f}") for name, v in figures))
    else:
        say("\nmeasured\n  not yet: functory evaluate … --data test.csv")


def _made_of(form: Mapping[str, Any]) -> str:
    if "parts" in form:
        return f"made of {', '.join(form['parts'])}"
    how = f"adaptation {form['adaptation']}" if "adaptation" in form else "runs without torch and the backbone"
    return f"backbone {form['backbone']} ({form['context']:,} tokens), {how}"


def _soundness(facts: Mapping[str, Any]) -> str:
    """Return what was found of the files."""
    if facts["trouble"]:
        return "damaged"
    if facts["unread"]:
        return f"of the sizes that were written; {', '.join(facts['unread'])} too large to be hashed here (functory verify does)"
    return "as they were written"


def _print_pairs(title: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Print a block of rows under its title, where there are some."""
    kept = list(rows)
    if kept:
        say(f"\n{title}")
        print_paragraphs(kept)


def _print_examples(lines: Iterable[str]) -> None:
    kept = list(lines)
    if kept:
        say("\nexamples")
        for line in kept:
            print(f"  {line}")
