"""Tags in a writing that no scheme has: ``B_PER``, ``PER-B``. They read as the types of IO."""

from __future__ import annotations

import re
from collections.abc import Set

_FORMS = (
    (re.compile(r"B([_:/. ])(\S+)"), "I{0}{1}", 1),
    (re.compile(r"(\S+)([-_:/. ])B"), "{0}{1}I", 0),
)
"""How a tag that begins an entity may be written, and how the one that goes on with it would be; where its type stands."""


def odd_tag(labels: Set[str]) -> tuple[str, str] | None:
    """Return a label that is a tag in all likelihood, since the tag that would go on with it is there too, and that tag as
    it should be written; None where there is none.
    """
    for label in sorted(labels):
        for form, inside, place in _FORMS:
            found = form.fullmatch(label)
            if found and inside.format(*found.groups()) in labels:
                return label, f"B-{found.groups()[place]}"
    return None
