"""Functions that are elsewhere: a URL is reached by the form, of whatever distribution, that knows what it begins with.

Apart from `opening`, which reads folders. No form is imported before somebody names a URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.errors import UsageError

if TYPE_CHECKING:
    from functory.function import Function

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
"""What a URL begins with; one letter is a drive of Windows."""
KNOWN = "functory-remote"
"""The distribution that reaches functions by HTTP."""


def scheme_of(reference: Path | str) -> str:
    """Return what a URL begins with: ``https``; an empty text for a folder, and for a name."""
    found = URL.match(reference) if isinstance(reference, str) else None
    return found[1].lower() if found else ""


def reached(url: str, options: Mapping[str, Any], sha256: str = "") -> Function:
    """Return the function that a URL leads to.

    :param options: how it is reached, as the form that does it declares.
    :param sha256: the digest that the function must have; any when empty.
    :raises UsageError: when nothing that is installed reaches such URLs.
    :raises OptionError: for an option that the form does not know.
    """
    from functory.plugins.registry import entries, load

    scheme, schemes = scheme_of(url), set[str]()
    for entry in entries("forms"):
        form = load("forms", entry.qualified)
        schemes.update(form.schemes)
        if scheme in form.schemes:
            found: Function = form.reach(url, options, sha256)
            return found
    do = f"reached is what begins with {', '.join(sorted(schemes))}." if schemes else f"pip install {KNOWN}."
    raise UsageError(f"nothing that is installed reaches what begins with {scheme}://.", do=do)


def check_elsewhere(url: str, given: Mapping[str, Any]) -> None:
    """Refuse what can be said of a function here alone.

    :param given: what was said, by the names of the arguments.
    :raises UsageError: naming it.
    """
    said = [name for name, value in given.items() if value]
    if said:
        do = f"leave out {', '.join(said)}: that is said where it is served."
        raise UsageError("the function is not on this machine, and opened where it is.", where=url, do=do)
