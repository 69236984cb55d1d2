"""Writes docs/hooks.md from hookspecs.py: ``python scripts/hooks_page.py``; ``--check`` only compares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from pages import keep

PARTS = ("When", "Roles", "Raising", "Order", "Used by", "Example")

INTRODUCTION = """# Hooks

Made from `core/src/functory/hookspecs.py` by `scripts/hooks_page.py`.

A hook is a step of the pipeline. A plugin takes one of three roles in it:

- it **answers** (`@hookimpl`): the first answer that is not `None` wins, and the later ones are not asked. Raising `Refused` is
  an answer too: no.
- it **wraps** (`@hookimpl(wrapper=True)`): it runs around whoever answers, yields exactly once, and returns the result; it cannot
  change the arguments, and makes no answer of Ctrl-C, of another plugin's no or of a training that did nothing.
- it **observes** (`progress` alone): its failure is reported once, then it is set aside, and the run goes on.

A method takes those arguments of its step that it needs, by name. A plugin that answers and wraps the same step has two methods;
the second names its step: `@hookimpl(wrapper=True, specname="evaluate")`.

A hook plugin acts only where it is named: in a recipe (`hooks = ["step-times"]`), in a call
(`functory.build(…, hooks=["step-times"])`, objects as well as names), or for everything on this machine in functory's
`config.toml`. One with options gets them beside its name (`{name = "tensorboard", folder = "curves"}`), or on the command line
(`--hook tensorboard --set hooks.tensorboard.folder=curves`). Installing one changes nothing by itself. The list's order is the
order in which plugins are asked, and in which wrappers lie around each other, the first outermost; those of the configuration
come before those of the recipe. `FUNCTORY_TRACE=1` prints each call to stderr: the step, who takes part in which order, and how
long it took. What plugins print within a step goes to stderr: stdout is for results.

An installed hook plugin is a class, or an object, under an entry point:

```toml
[project.entry-points."functory.contract"]
1 = "functory_sdk:CONTRACT"

[project.entry-points."functory.hooks"]
evaluation-cache = "acme_evaluation_cache:EvaluationCache"
```

Whatever a plugin answers, and whatever a wrapper makes of an answer, is looked at before the next step has it. What is wrong
with it, and whatever a plugin raises, SystemExit too, becomes a `HookError` that names plugin, distribution, version, step, file
and line. Arguments are a hook's to read: lists and tables are copies, arrays cannot be written to, a changed run is told.

A class with options is a `functory_sdk.Hook`, as components are: `class TensorBoard(Hook[TensorBoardOptions])`.
"""


def page() -> str:
    """Return the page."""
    from functory.hookspecs import Hooks

    steps = {name: value for name, value in vars(Hooks).items() if not name.startswith("_")}
    return INTRODUCTION + "".join(section(name, step) for name, step in steps.items())


def section(name: str, step: Callable[..., Any]) -> str:
    """Return one hook's section: signature, sentence, parts, example."""
    summary, parts = taken_apart(inspect.getdoc(step) or "")
    lines = ["", f"## {name}", "", "```text", signature(name, step), "```", "", summary, ""]
    lines += [f"- **{part}:** {linked(parts[part])}" for part in PARTS[:-1]]
    return "\n".join([*lines, "", "```python", parts["Example"].replace("'''", '"""'), "```", ""])


def taken_apart(doc: str) -> tuple[str, dict[str, str]]:
    """Return a docstring's first paragraph, and its parts by name.

    :raises ValueError: when a part is missing or unknown.
    """
    summary, _, rest = doc.partition("\n\n")
    pieces = re.split(r"^([A-Z][a-z]+(?: by)?):", rest, flags=re.MULTILINE)[1:]
    parts = dict(zip(pieces[::2], pieces[1::2], strict=True))
    if tuple(parts) != PARTS:
        raise ValueError(f"the parts of a hook are {', '.join(PARTS)}; found {', '.join(parts)}")
    example = dedent(parts.pop("Example").strip("\n"))
    return summary, {name: " ".join(text.split()) for name, text in parts.items()} | {"Example": example}


def signature(name: str, step: Callable[..., Any]) -> str:
    """Return a hook's signature as it is written, without self, one argument a line where it is long."""
    found = inspect.signature(step)
    arguments = [f"{key}: {value.annotation}" for key, value in found.parameters.items() if key != "self"]
    line = f"{name}({', '.join(arguments)}) → {found.return_annotation}"
    return (
        line if len(line) <= 100 else f"{name}(\n    " + ",\n    ".join(arguments) + f",\n) → {found.return_annotation}"
    )


def linked(text: str) -> str:
    """Turn the folders of plugins into links."""
    return re.sub(r"\b((?:examples/plugins|plugins/\w+)/[\w-]+)", r"[\1](../\1)", text)


if __name__ == "__main__":
    raise SystemExit(keep("hooks.md", page()))
