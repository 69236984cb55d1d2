"""What may follow on a command line that is being typed. Reads metadata, and the one verb that is typed."""

from __future__ import annotations

import os
import shlex
from argparse import Action, ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from functory.machine.distributions import GROUPS
from functory.plugins import registry as plugins
from functory.wording.harmless import harmless, in_one_line

Candidate = tuple[str, str]
"""A word, and what it is for."""

METHODS = {"explain": "explanations", "optimize": "optimizations", "package": "packagers"}
MEANT = {"function": "functions", "first": "functions", "second": "functions", "format": "readers"}
"""What an argument means, where its name does not say it: ``--task`` and ``--hook`` do."""
MEANING = "\\'\"$`!"
"""What means something to a shell in quotes too."""
DATA = ("data", "input", "train", "dev", "test", "untouched")
SAMPLES = "samples:"


def candidates(line: str, *, quotes: bool = True) -> list[Candidate]:
    """Return what may stand in the place of a line's last word; nothing where only the shell's files may.

    :param line: the command line up to the cursor.
    :param quotes: write words as the shell reads them; for shells that do not do it themselves.
    """
    words, current, is_quoted = _split(line)
    found = _verbs() if len(words) < 2 else list(_of_verb(words[1], words[2:], current))
    fitting = sorted({(word, in_one_line(told)) for word, told in found if word.startswith(current) and _is_one_line(word)})
    if is_quoted:  # a mark cannot be taken from its meaning in every kind of quotes
        return [one for one in fitting if not set(one[0]) & set(MEANING)]
    return [(_quoted(word), told) for word, told in fitting] if quotes else fitting


def _split(line: str) -> tuple[list[str], str, bool]:
    """Return the finished words, the last one as far as it is typed, and whether it stands in quotes."""
    quoted = line
    for end in ("", '"', "'"):
        try:
            words = shlex.split(quoted + end, posix=True)
        except ValueError:
            continue
        if not end and (not line or line[-1].isspace()):
            return words, "", False
        return words[:-1], words[-1] if words else "", bool(end)
    return line.split()[:-1], "", False


def _is_one_line(word: str) -> bool:
    """Return whether a word can be shown and taken as it is: a name with an escape or an end of line in it cannot."""
    return word == harmless(word) and not set(word) & set("\t\n")


def _quoted(word: str) -> str:
    """Return a word as a shell takes it: with a backslash before what it would read otherwise."""
    return "".join(f"\\{one}" if one in " \t\\'\"$`&|;<>()*?[]#!{}" else one for one in word)


def _verbs() -> list[Candidate]:
    """Return the verbs, and what may stand in their place."""
    from functory.cli import SUMMARIES

    told = {entry.name: SUMMARIES.get(entry.name) or entry.summary for entry in plugins.entries("commands")}
    return [*told.items(), ("--help", "list the verbs"), ("--version", "print the version")]


def _of_verb(verb: str, words: Sequence[str], current: str) -> Iterator[Candidate]:
    """Give what may follow a verb."""
    from functory.cli.dispatch import parser_of
    from functory.errors import FunctoryError

    try:
        parser = parser_of(plugins.load("commands", verb))
    except FunctoryError:
        return
    options = {name: action for action in parser._actions for name in action.option_strings}
    name, equals, value = current.partition("=")
    if equals and name in options:
        yield from ((f"{name}={word}", told) for word, told in _values(verb, options[name], value))
        return
    waiting, places = _walked(parser, options, words)
    if waiting is not None:
        yield from _values(verb, waiting, current)
    elif current.startswith("-"):
        yield from ((name, action.help or "") for name, action in options.items() if name.startswith("--") and _is_told(action))
    elif places:
        yield from _values(verb, places[0], current)


def _is_told(action: Action) -> bool:
    return action.help != "==SUPPRESS=="


def _walked(
    parser: ArgumentParser, options: dict[str, Action], words: Sequence[str]
) -> tuple[Action | None, list[Action]]:
    """Return the option that waits for its value, if one does, and the places that are still to be filled."""
    places = [action for action in parser._actions if not action.option_strings]
    waiting: Action | None = None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word in options:
            waiting = options[word] if options[word].nargs != 0 else None
        elif not word.startswith("-") and places and places[0].nargs not in ("*", "+"):
            places = places[1:]
    return waiting, places


def _values(verb: str, action: Action, current: str) -> Iterator[Candidate]:
    """Give the values that an argument may have."""
    kind = MEANT.get(action.dest, f"{action.dest}s")
    if action.dest == "method":
        kind = METHODS.get(verb, "")
    if action.choices is not None:
        yield from ((str(choice), "") for choice in action.choices)
    elif action.dest in DATA and current:  # files are the shell's own matter
        yield from ((f"{SAMPLES}{name}", told) for name, told in _named("samples"))
    elif verb == "info" and action.dest == "name":
        yield from (found for group in GROUPS for found in _named(group))
        yield from _folders(current)
    elif kind == "functions":
        yield from _named(kind)
        yield from _folders(current)
    elif kind in GROUPS:
        yield from _named(kind)


def _named(kind: str) -> Iterator[Candidate]:
    """Give the components of a kind, each by the name that reaches it."""
    entries = plugins.entries(kind)
    claims = Counter(entry.name for entry in entries)
    for entry in entries:
        yield (entry.qualified if claims[entry.name] > 1 else entry.name), entry.summary


def _folders(current: str) -> Iterator[Candidate]:
    """Give the folders that a path may go on with; one that holds a function is a whole word."""
    above = current[: current.rfind("/") + 1]
    try:
        beside = sorted(os.scandir(Path(above or ".").expanduser()), key=lambda one: one.name)
    except OSError:
        return
    for one in beside:
        if one.is_dir() and (not one.name.startswith(".") or current[len(above) :].startswith(".")):
            is_function = Path(one.path, "function.json").is_file()
            yield (f"{above}{one.name}", "a saved function") if is_function else (f"{above}{one.name}/", "")
