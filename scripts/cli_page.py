"""Writes docs/cli.md from every verb's own help: ``python scripts/cli_page.py``; ``--check`` only compares."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"


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


def main() -> int:
    """Write the page, or say that it is out of step."""
    made = page()
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != made:
            print("docs/cli.md is out of step: python scripts/cli_page.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
