"""Terms that are translated in one way: where they stand, and which of the best translations holds them.

Nothing is written into a translation from outside: a term that is forced into a text stands where it does not belong, and
inflected languages want another form of it. So many translations are searched for, and the best that holds the terms is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_LETTER = r"[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
"""A character of a word between spaces: no Thai, Japanese or Chinese one is."""
BEAMS = 12
"""How many translations are searched for where a sentence holds a term."""


def terms_in(text: str, glossary: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the terms of a glossary that stand in a text, each with its translation; of two that overlap both."""
    return tuple((term, wanted) for term, wanted in glossary.items() if holds(text, term))


def holds(text: str, term: str) -> bool:
    """Return whether a term stands in a text, small and large letters alike: as words of its own, where a script has spaces."""
    before = rf"(?<!{_LETTER})" if re.match(_LETTER, term[0]) else ""
    after = rf"(?!{_LETTER})" if re.match(_LETTER, term[-1]) else ""
    return re.search(f"{before}{re.escape(term)}{after}", text, flags=re.IGNORECASE) is not None


def best_of(texts: Sequence[str], terms: Sequence[tuple[str, str]]) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Return which of some texts, the best first, holds the most of the terms' translations, and the terms that it lacks."""
    lacking = [tuple(pair for pair in terms if not holds(text, pair[1])) for text in texts]
    place = min(range(len(texts)), key=lambda one: (len(lacking[one]), one))
    return place, lacking[place]
