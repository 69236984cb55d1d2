"""Writes a page of docs/ that is made from the code, or with ``--check`` says that it is out of step.

Apart from the scripts that make pages, because each of them ends so.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def keep(name: str, made: str) -> int:
    """Write a page of docs/, or compare it where the command line says ``--check``; return the exit code.

    :param name: the page's file name in docs/.
    :param made: what should stand in it.
    """
    page = DOCS / name
    if "--check" not in sys.argv:
        page.write_text(made, encoding="utf-8")
    elif not page.is_file() or page.read_text(encoding="utf-8") != made:
        print(f"docs/{name} is out of step: python scripts/{Path(sys.argv[0]).name}", file=sys.stderr)
        return 1
    return 0
