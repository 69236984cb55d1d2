"""Keep in step what several folders must agree on; with --check, name what is out of step.

Everything is worked out from `version` in the workspace's pyproject.toml and from the plugins' own
pyproject.toml files, so that a new plugin edits nothing outside its folder:

    the version                      in every pyproject.toml and in functory.__version__
    the ranges of siblings           in every pyproject.toml, the examples' and the plugin template's too
    the sets `standard` and `all`    core/pyproject.toml
    names that are not installed     core/src/functory/plugins/known.json
    the core's own components        core/src/functory/machine/own.py
    who may import whom              pyproject.toml, read by import-linter
    the table of plugins             README.md
    the time that suites may take    CONTRIBUTING.md, from [tool.functory.budgets]

A plugin's own say, all of it optional:

    [tool.functory]
    set = "standard"       # in functory[standard] and [all]; by default in [all] alone; "none": in neither
    extras = ["metrics"]   # the extras that come with it there
    weights = ["some-model"]  # packages that carry weights or text; the workspace installs them by --no-deps
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from workspace import ROOT, Distribution, find, plugins, settings, siblings

LAYERS = [
    "cli : __main__", "asking : compat", "build : building : composite : recipe", "using", "artefact", "steps", "hooks",
    "hookspecs", "measuring : training", "running : function", "data", "plugins", "contracts : reading",
    "machine : terminal", "errors", "wording",
]  # fmt: skip
"""The layers of the core, from high to low: none knows a higher one. Parts with a colon between them share a layer."""
UPWARD = ["artefact.*", "measuring.evaluation", "steps", "using.*"]
"""What `Function` calls, late, by its verbs: it is the face of all that one does with it."""

ALONE = ("core", "sdk", "tests")
"""Kinds of suites of which there is one."""
FRAMEWORKS = [
    "accelerate", "captum", "datasets", "nncf", "onnx", "onnxruntime", "openvino", "peft", "sklearn", "torch",
    "transformers",
]  # fmt: skip


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write, or check, every file that is kept in step; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when a file is out of step"
    )
    check = parser.parse_args(arguments).check
    stale = {file: text for file, text in wanted(root).items() if not holds(file, text)}
    for file, text in stale.items():
        print(f"{'out of step' if check else 'wrote'}: {file.relative_to(root).as_posix()}")
        if not check:
            file.write_text(text, encoding="utf-8")
    if check and stale:
        print("do: make sync, and commit what it changes.", file=sys.stderr)
        return 1
    if not stale:
        print("everything is in step.")
    return 0


def holds(file: Path, text: str) -> bool:
    """Return whether the file is there with exactly that text."""
    return file.is_file() and file.read_text(encoding="utf-8") == text


def wanted(root: Path) -> dict[Path, str]:
    """Return every file that is kept in step, with the text that it should have."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["functory"][
        "version"
    ]
    names = [distribution.name for distribution in siblings(root)]
    texts: dict[Path, str] = {}

    def edit(file: Path, change: Callable[[str], str]) -> None:
        texts[file] = change(texts.get(file) or file.read_text(encoding="utf-8"))

    for distribution in siblings(root):
        edit(distribution.file, lambda text: set_version(text, version))
    edit(root / "core/src/functory/__init__.py", lambda text: set_version(text, version))
    templates = sorted(root.glob("sdk/src/**/pyproject.toml"))
    for file in [d.file for d in [*siblings(root), *find(root, "examples/plugins/*")]] + templates:
        edit(file, lambda text: set_ranges(text, names, compatible(version)))
    edit(
        root / "core/pyproject.toml",
        lambda text: set_block(text, "sets", sets(plugins(root), compatible(version))),
    )
    edit(root / "pyproject.toml", lambda text: set_block(text, "imports", import_rules(plugins(root))))
    edit(root / "README.md", lambda text: set_block(text, "plugins", table(plugins(root))))
    edit(root / "CONTRIBUTING.md", lambda text: set_block(text, "budgets", budgets(settings(root)["budgets"])))
    texts[root / "core/src/functory/plugins/known.json"] = known(plugins(root))
    texts[root / "core/src/functory/machine/own.py"] = own(root / "core/pyproject.toml", version)
    return texts


def compatible(version: str) -> str:
    """Return the range that siblings ask for: below the next minor version; from 1.0 on, the next major."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f">={major}.{minor},<{f'0.{minor + 1}' if major == 0 else major + 1}"


def set_version(text: str, version: str) -> str:
    """Return a pyproject.toml, or the module that tells the version without metadata, with that version."""
    return re.sub(
        r'^(version|__version__) = "[^"]*"', rf'\1 = "{version}"', text, count=1, flags=re.MULTILINE
    )


def set_ranges(text: str, names: list[str], span: str) -> str:
    """Return a pyproject.toml in which each requirement of a sibling asks for that range."""
    sibling = "|".join(re.escape(name) for name in names)
    requirement = re.compile(rf'"({sibling})(\[[^\]"]*\])?\s*(?:[<>=!~][^";]*?)?(\s*;[^"]*)?"')

    def ranged(found: re.Match[str]) -> str:
        return f'"{found[1]}{found[2] or ""}{span}{found[3] or ""}"'

    lines = text.splitlines(keepends=True)
    return "".join(
        line if re.match(r"(name|keywords)\b", line) else requirement.sub(ranged, line) for line in lines
    )


def set_block(text: str, name: str, content: str) -> str:
    """Return the text with the content between its two marker lines, ``name:begin`` and ``name:end``.

    :raises SystemExit: when the markers are missing.
    """
    block = re.compile(
        rf"(^[^\n]*\b{name}:begin\b[^\n]*\n).*?(^[^\n]*\b{name}:end\b)", re.MULTILINE | re.DOTALL
    )
    if not block.search(text):
        raise SystemExit(
            f"sync: a file has lost its marker lines `{name}:begin` and `{name}:end`.\n  do: put them back."
        )
    return block.sub(lambda found: found[1] + content + found[2], text)


def sets(found: list[Distribution], span: str) -> str:
    """Return the extras of the core that name sets of plugins, as TOML."""
    members = {
        "standard": [plugin for plugin in found if plugin.settings.get("set") == "standard"],
        "all": [plugin for plugin in found if plugin.settings.get("set") != "none"],
    }

    def line(plugin: Distribution) -> str:
        extras = ",".join(plugin.settings.get("extras", []))
        return f'    "{plugin.name}{f"[{extras}]" if extras else ""}{span}",\n'

    return "".join(
        f"{name} = [\n{''.join(sorted(map(line, chosen)))}]\n" if chosen else f"{name} = []\n"
        for name, chosen in members.items()
    )


def known(found: list[Distribution]) -> str:
    """Return the table that tells which distribution brings a name: kind → name → distribution."""
    table: dict[str, dict[str, str]] = {}
    for plugin in found:
        for kind, names in plugin.components.items():
            table.setdefault(kind, {}).update(dict.fromkeys(names, plugin.name))
    return json.dumps(table, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def own(core: Path, version: str) -> str:
    """Return the module that tells the core's own components, as its pyproject.toml announces them."""
    groups = tomllib.loads(core.read_text(encoding="utf-8"))["project"]["entry-points"]
    told = [
        (group.removeprefix("functory."), name, value)
        for group, names in sorted(groups.items())
        for name, value in sorted(names.items())
    ]
    rows = "".join(f"    ({', '.join(map(json.dumps, one))}),\n" for one in told)
    return (
        '"""The core\'s version, and its components: kind, name, place. Made from core/pyproject.toml by `make sync`."""\n\n'
        f"VERSION = {json.dumps(version)}\nCOMPONENTS = (\n{rows})\n"
    )


def table(found: list[Distribution]) -> str:
    """Return the README's table of plugins: a row for each kind that a distribution gives components of."""
    head = ["| kind | name | distribution | what it is |", "|---|---|---|---|"]
    rows = []
    for plugin in found:
        for group, names in plugin.components.items():
            kind = plugin.kind if group == "hooks" else group  # trackers are hooks
            told = ", ".join(f"`{name}`" for name in names)
            rows.append(f"| {kind} | {told} | [{plugin.name}]({plugin.folder}) | {plugin.summary} |")
    return "\n".join([*head, *sorted(rows)]) + "\n" if found else ""


def budgets(seconds: dict[str, int]) -> str:
    """Return CONTRIBUTING's table of the processor time that a suite may take."""
    rows = [f"| {kind}{'' if kind in ALONE else ', each'} | {number} s |" for kind, number in seconds.items()]
    return "\n".join(["| suite | processor time |", "|---|---|", *rows]) + "\n"


def import_rules(found: list[Distribution]) -> str:
    """Return import-linter's contracts, as TOML: dependencies point one way, plugins → sdk → core."""
    packages = sorted(plugin.package for plugin in found)
    rules = [
        rule("The core knows neither the SDK, nor a plugin, nor a framework", "forbidden",
             source_modules=["functory"], forbidden_modules=["functory_sdk", *packages, *FRAMEWORKS]),
        rule("The SDK knows no plugin, and torch only in its torch and testing parts", "forbidden",
             source_modules=["functory_sdk"], forbidden_modules=[*packages, *FRAMEWORKS],
             ignore_imports=[f"functory_sdk.{part} -> {framework}" for framework in ("torch", "transformers")
                             for part in ("torch", "torch.**", "testing", "testing.**")],
             unmatched_ignore_imports_alerting="none"),
        rule("The core's layers: none knows a higher one", "layers", containers=["functory"], layers=LAYERS,
             ignore_imports=[f"functory.function -> functory.{part}" for part in UPWARD]),
    ]  # fmt: skip
    if packages:
        rules.append(
            rule("Plugins see the core through the SDK", "forbidden",
                 source_modules=packages, forbidden_modules=["functory"], allow_indirect_imports=True)
        )  # fmt: skip
    if len(packages) > 1:
        rules.append(rule("Plugins do not know each other", "independence", modules=packages))
    head = toml_lines(
        root_packages=["functory", "functory_sdk", *packages],
        include_external_packages=True,
        exclude_type_checking_imports=True,
    )
    return "\n".join([f"[tool.importlinter]\n{head}", *rules])


def rule(name: str, kind: str, **fields: object) -> str:
    """Return one import-linter contract."""
    return "[[tool.importlinter.contracts]]\n" + toml_lines(name=name, type=kind, **fields)


def toml_lines(**fields: object) -> str:
    """Return keys and values as TOML; lists get one line for each member."""

    def value(of: object) -> str:
        if isinstance(of, list):
            return "[\n" + "".join(f"    {json.dumps(member)},\n" for member in of) + "]"
        return json.dumps(of)

    return "".join(f"{key} = {value(of)}\n" for key, of in fields.items())


if __name__ == "__main__":
    sys.exit(main())
