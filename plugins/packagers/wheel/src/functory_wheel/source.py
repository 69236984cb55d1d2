"""The import package of a function: what runs, and the stub that type checkers read."""

from __future__ import annotations

from functory_sdk import Manifest, Output
from functory_sdk.pythontypes import Class, Field, Types, docstring, parameters, python
from functory_wheel.metadata import summary
from functory_wheel.names import Names

FOLDER = "artefact"
"""Where the artefact lies in the import package."""


def sources(names: Names, manifest: Manifest) -> dict[str, str]:
    """Return the files of the import package by name, but for the artefact."""
    types = Types()
    signature = manifest.signature
    output, given = types.root(signature["output"]), types.root(signature["input"])
    fields = {one.name: one for one in given.fields}
    shorthand = [fields[name] for name in signature.get("shorthand", ()) if name in fields]
    by_name = [one for one in given.fields if one not in shorthand]
    return {
        "__init__.py": _module(names, manifest, types, _about(names, manifest, output, shorthand, by_name)),
        "__init__.pyi": _stub(names, manifest, types, output, given, shorthand, by_name),
        "_artefact.py": _ARTEFACT.format(folder=FOLDER, sha256=manifest.sha256),
        "py.typed": "",
    }


_ARTEFACT = '''\
"""Where the function lies, and the digest that it had when it was packaged; functory finds it here by its entry point."""

from pathlib import Path

from functory.artefact.installed import Packaged

ARTEFACT = Packaged(
    Path(__file__).with_name("{folder}"),
    sha256="{sha256}",
)
'''

_MODULE = '''\
{about}

from typing import TYPE_CHECKING, Any, Literal

from functory.artefact.installed import InstalledFunction
from {module}._artefact import ARTEFACT

__all__ = {exported}
__version__ = "{version}"
{aliases}

class {kind}(InstalledFunction):
{doc}


{module} = {kind}(ARTEFACT)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Return a type of the function's input or output, which are its task's."""
        if name in __all__:
            return {module}.type_named(name)
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
'''


def _module(names: Names, manifest: Manifest, types: Types, doc: str) -> str:
    aliases = "".join(f"\n{name} = {literal}" for name, literal in types.aliases.items())
    about = f"{summary(manifest)}\n\nThe function is loaded at its first call."
    return _MODULE.format(
        about=docstring(about, ""),
        module=names.module,
        exported=_exported(names, types),
        version=names.version,
        aliases=aliases + "\n" if aliases else "",
        kind=names.kind,
        doc=docstring(doc, "    "),
    )


def _about(names: Names, manifest: Manifest, output: Class, shorthand: list[Field], by_name: list[Field]) -> str:
    """Return what `help` shows of the callable: how it is called, what goes in, what comes out."""
    call = f"{names.module}({', '.join(parameters(shorthand, by_name))}) -> {output.name}"
    lines = [summary(manifest), "", call, "", "Parameters:"]
    lines += [f"    {one.name}: {one.about}" for one in (*shorthand, *by_name)]
    lines += ["", f"Returns a {output.name}:"]
    lines += [f"    {one.name} ({one.type}): {one.about}" for one in output.fields]
    return "\n".join([*lines, "", "It is loaded at its first call."])


def _exported(names: Names, types: Types) -> str:
    found = sorted({*types.aliases, *types.classes, names.kind, names.module})
    return "[" + ", ".join(python(name) for name in found) + "]"


def _stub(
    names: Names,
    manifest: Manifest,
    types: Types,
    output: Class,
    given: Class,
    shorthand: list[Field],
    by_name: list[Field],
) -> str:
    lines = [
        docstring(summary(manifest), ""),
        "",
        "from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence",
        "from typing import Any, Literal",
        "",
        "from functory import Function",
        "from functory.contracts.task import Output",
        "from functory.running.streaming import Stream",
        "from pydantic import BaseModel",
        "",
        f"__all__ = {_exported(names, types)}",
        "__version__: str",
        "",
        *(f"{name} = {literal}" for name, literal in types.aliases.items()),
        "",
    ]
    for made in types.classes.values():
        lines += _class(made, "Output" if made is output else "BaseModel")
    given_to = ", ".join(["self", *parameters(shorthand, by_name)])
    lines += [
        f"class {names.kind}(Function):",
        f"    def __call__({given_to}) -> {output.name}:",
        docstring(_call_doc(manifest, [*shorthand, *by_name]), "        "),
        "",
        "    def map(",
        f"        self, inputs: Iterable[{_item(given, shorthand)}], *, progress: bool | None = None",
        f"    ) -> Iterator[{output.name}]: ...",
        f"    def stream({given_to}) -> Stream: ...",
        "",
        f"{names.module}: {names.kind}",
        "",
    ]
    return "\n".join(lines)


def _class(made: Class, base: str) -> list[str]:
    """Return a class of the stub; what `Output` has already is left to it."""
    inherited = Output.model_fields if base == "Output" else {}
    own = [one for one in made.fields if one.name not in inherited]
    lines = [f"class {made.name}({base}):"]
    if made.about:
        lines.append(docstring(made.about, "    "))
    for one in own:
        lines.append(f"    {one.name}: {one.type}{' = ...' if one.default else ''}")
        if one.about:
            lines.append(docstring(one.about, "    "))
    if not own and not made.about:
        lines.append("    ...")
    return [*lines, ""]


def _item(given: Class, shorthand: list[Field]) -> str:
    """Return what `map` takes: the shorthand's value or a tuple of them, fields by name, or the Input."""
    some = [shorthand[0].type] if shorthand else []
    if len(shorthand) > 1:
        some.append(f"tuple[{', '.join(one.type for one in shorthand)}]")
    return " | ".join([*some, "dict[str, Any]", given.name])


def _call_doc(manifest: Manifest, fields: list[Field]) -> str:
    return "\n".join(
        [summary(manifest), "", *(f":param {one.name}: {one.about}".rstrip(" :") for one in fields)]
    ).strip()
