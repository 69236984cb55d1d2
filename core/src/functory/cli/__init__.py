"""The command line, ``functory VERB …``. A verb is an entry point; only the one asked for is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

SUMMARIES = {
    "build": "build a function from a recipe or from options",
    "cache": "show what lies in the cache, how large it is, and clear it",
    "compare": "compare two functions of one task on the same data",
    "completion": "make a shell complete verbs, options and names: print its script",
    "doctor": "examine the environment, the weights and every plugin",
    "evaluate": "measure a function on data with known answers",
    "explain": "say why a function gave this output",
    "info": "show what a component or a saved function is",
    "list": "list the installed components, or the functions saved in a folder",
    "new": "start a plugin from the template",
    "optimize": "make a function smaller or faster, and report what it cost",
    "package": "turn a function into something to deploy, such as a wheel",
    "run": "run a function on texts",
    "verify": "check a function's files and replay its golden examples",
}
"""What ``functory --help`` says of the core's own verbs, so that it imports none; their `help` is this."""

_EXAMPLES = """\
examples:
  functory list --kind adaptations
  functory build --task text-classification --train reviews.csv --backbone minilm --output sentiment
  functory run sentiment "A small movie with a big impact."
"""
_MORE = """\
functory VERB --help tells more of a verb. On any verb, --json prints what a program can read, and --quiet shows no progress.

environment:"""
_ENVIRONMENT = {
    "FUNCTORY_QUIET=1": "show no progress, in Python too",
    "FUNCTORY_CACHE=DIR": "keep weights, features and runs in this folder",
    "FUNCTORY_CACHE_LIMIT=SIZE": "let features, left runs and logs take so much there: 20 GB, none",
    "FUNCTORY_LOGS=DIR": "let hooks write about runs in this folder",
    "FUNCTORY_CONFIG=FILE": "take your configuration from this file",
    "FUNCTORY_DEBUG=1": "show the traceback of an error",
    "FUNCTORY_TRACE=1": "print each call of a hook plugin",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param argv: the arguments after the program's name; `sys.argv`'s when not given.
    :return: the exit code: 0, 1 (it failed), 2 (you asked wrongly), 130 (interrupted).
    """
    from functory.cli.standing import standing

    arguments = [*(sys.argv[1:] if argv is None else argv)]  # `list` is a submodule here
    return standing(lambda: _main(arguments))


def _main(arguments: Sequence[str]) -> int:
    """Run the command line, with streams that can be written to."""
    if arguments[:1] in (["--version"], ["-V"]):
        from functory import __version__

        print(f"functory {__version__}")
        return 0
    from functory.cli.dispatch import guarded

    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return guarded(_overview, as_json=False)
    return guarded(lambda: _run(arguments[0], [*arguments[1:]]), as_json="--json" in arguments)


def _run(verb: str, arguments: list[str]) -> int:
    """Run one verb."""
    from functory.cli.dispatch import run
    from functory.plugins import registry as plugins

    if verb.startswith("-"):
        from functory.errors import UsageError

        raise UsageError(
            f"there is no option {verb!r} before the verb.", do="functory --help lists the verbs."
        )
    return run(plugins.load("commands", verb), arguments)


def _overview() -> int:
    """Print the verbs, each with one line."""
    from functory.cli.output import print_paragraphs, say
    from functory.plugins import registry as plugins

    lines = {
        entry.name: SUMMARIES.get(entry.name, "")
        for entry in plugins.entries("commands")
        if _own(entry.distribution)
    }
    for entry in plugins.entries("commands"):
        if entry.name not in lines:
            lines[entry.name] = f"{entry.summary} ({entry.distribution})"
    print("usage: functory VERB [options]\n\nA factory of language-model functions.\n\nverbs:")
    print_paragraphs(sorted(lines.items()))
    print(f"\n{_EXAMPLES}")
    say(_MORE)
    print_paragraphs(_ENVIRONMENT.items())
    return 0


def _own(distribution: str) -> bool:
    return distribution == "functory"
