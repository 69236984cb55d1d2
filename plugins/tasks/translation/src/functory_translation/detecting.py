"""Finds out which language a text is in, by py3langid, which is imported here alone."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from functory_sdk import NotSupported
from functory_translation.languages import main_of


def detected(text: str, among: Collection[str] = ()) -> str:
    """Return the language of a text, as its code says it.

    :param among: the languages that it may be in; any when empty.
    :raises NotSupported: where py3langid is not installed.
    """
    found, _ = _identifier(tuple(sorted({main_of(code) for code in among}))).classify(text)
    return str(found)


@lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> Any:  # Any: py3langid has no types
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise NotSupported(
            "source = 'auto' is found out by py3langid, which is not installed.",
            do="pip install 'functory-translation[detect]', or name the language.",
        ) from error
    made = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = [code for code in among if code in set(made.labels)]
    if known:
        made.set_languages(known)
    return made
