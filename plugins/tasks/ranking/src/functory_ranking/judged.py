"""How data say which candidates are relevant: by grades, by what was picked, or by texts that are and texts that are not.

Apart from `types`, which says what comes of it: candidates, and a grade for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functory_sdk import DataError

LISTS = ("candidates", "relevance", "picked", "positives", "negatives")


def judged(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an example with candidates and a grade for each, whichever way it was told.

    :raises DataError: where it is told in no way or in two, or what was picked is no candidate.
    """
    found = {field: listed(given[field]) for field in LISTS if given.get(field) is not None}
    rest = {field: value for field, value in given.items() if field not in LISTS}
    told = [field for field in ("relevance", "picked", "positives") if found.get(field)]
    if len(told) != 1:
        raise _unclear(told)
    if told == ["positives"]:
        return {**rest, **_parted(found)}
    if found.get("negatives"):
        raise DataError(f"'negatives' stand beside {told[0]!r}.", where="negatives", do="give positives and negatives.")
    texts = found.get("candidates", ())
    grades = found["relevance"] if told == ["relevance"] else _grades(texts, found["picked"])
    return {**rest, "candidates": texts, "relevance": grades}


def listed(value: Any) -> Any:  # Any: whatever a table or JSON holds
    """Return one text or number as a list of one."""
    if isinstance(value, (str, int, float)):
        return (value,)
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _parted(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the candidates that positives and negatives make."""
    if found.get("candidates"):
        raise DataError("'candidates' stand beside 'positives'.", where="candidates", do="give one of both.")
    positives, negatives = found["positives"], found.get("negatives", ())
    return {"candidates": (*positives, *negatives), "relevance": (1,) * len(positives) + (0,) * len(negatives)}


def _grades(texts: Sequence[Any], picked: Sequence[Any]) -> tuple[int, ...]:
    """Return 1 for each candidate that was picked, and 0 for the others; a text that stands there twice was picked twice.

    :raises DataError: for what is none of them.
    """
    bare = [str(text).strip() for text in texts]
    chosen: set[int] = set()
    for one in picked:
        places = {place for place, text in enumerate(bare) if isinstance(one, str) and text == one.strip()}
        places = places or ({int(one)} if str(one).strip().isdecimal() and int(one) < len(bare) else set())
        if not places:
            raise DataError(
                f"{one!r} was picked, and is none of the {len(bare)} candidates.",
                where="picked",
                do="give a candidate's text, or its number from 0.",
            )
        chosen |= places
    return tuple(int(place in chosen) for place in range(len(bare)))


def _unclear(told: Sequence[str]) -> DataError:
    """Return the error of an example that says nothing of its candidates, or says it twice."""
    if told:
        return DataError(f"{told[0]!r} and {told[1]!r} both say what is relevant.", where=told[1], do="give one of both.")
    return DataError(
        "nothing says which candidates are relevant.",
        where="relevance",
        do="give a grade for each (relevance), those that were picked (picked), or positives and negatives.",
    )
