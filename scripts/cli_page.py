"""Writes docs/cli.md from every verb's own help: ``python scripts/cli_page.py``; ``--check`` only compares."""

from __future__ import annotations

import contextlib
import io
import os

from pages import keep


def page() -> str:
    """Return the page."""
    from functory.cli import SUMMARIES

    os.environ["COLUMNS"] = "100"
    lines = ["# The command line", "", "Made from each verb's `--help` by `scripts/cli_page.py`.", "", *block([])]
    for verb in sorted(SUMMARIES):
        lines += ["", f"## functory {verb}", "", *block([verb])]
    return "\n".join(lines) + "\n"


def block(arguments: list[str]) -> list[str]:
    """Return a verb's help as a block of text."""
    from functory.cli import main

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main([*arguments, "--help"])
    return ["```text", *(line.rstrip() for line in printed.getvalue().strip().splitlines()), "```"]


if __name__ == "__main__":
    raise SystemExit(keep("cli.md", page()))
