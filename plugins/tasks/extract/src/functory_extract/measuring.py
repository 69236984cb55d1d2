"""How well is extracted: values one by one, fields, whole texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from functory_extract.evidence import leaves
from functory_sdk import Array, Scorer

METRICS: Mapping[str, str] = {
    "value_f1": "the F1 of the values that are given and that should be, each by its field; null is none",
    "precision": "the share of given values that are right",
    "recall": "the share of right values that are given",
    "accuracy": "the share of fields that are right, null where the text does not say them",
    "all_right": "the share of texts of which every field is right",
}


def alike(value: Any) -> Any:  # Any: JSON
    """Return what of a value is compared: words whatever their case and spaces, a number to nine digits."""
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return float(f"{value:.9g}")
    if isinstance(value, Mapping):
        return {name: alike(one) for name, one in value.items()}
    return sorted((alike(one) for one in value), key=repr)


def values(fields: Mapping[str, Any]) -> Counter[tuple[str, Any]]:
    """Return the values of fields, each with its path in which no place of a list counts: lists are compared as bags."""
    found = ((".".join(part for part in path.split(".") if not part.isdecimal()), alike(one)) for path, one in leaves(fields))
    return Counter((path, one) for path, one in found if one not in (None, ""))


def scorer(given: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Scorer:
    """Return the metrics as a function of which texts count.

    :param given: the fields that were extracted, text by text.
    :param wanted: the right ones.
    """
    pairs = [(values(mine), values(theirs)) for mine, theirs in zip(given, wanted, strict=True)]
    counts = np.asarray([[(mine & theirs).total(), mine.total(), theirs.total()] for mine, theirs in pairs], dtype=np.float64)
    both_fields = zip(given, wanted, strict=True)
    right = np.asarray([[is_right(mine[name], theirs[name]) for name in theirs] for mine, theirs in both_fields])

    def score(chosen: Array) -> dict[str, float]:
        both, mine, theirs = counts[chosen].sum(0)
        fields = right[chosen]
        return {
            "value_f1": _share(2 * both, mine + theirs), "precision": _share(both, mine), "recall": _share(both, theirs),
            "accuracy": float(fields.mean()), "all_right": float(fields.all(1).mean()),
        }  # fmt: skip

    return score


def is_right(given: Any, wanted: Any) -> bool:  # Any: JSON
    """Whether a field is right; null, an empty text and an empty list all say that there is nothing."""
    return bool(_something(alike(given)) == _something(alike(wanted)))


def _something(value: Any) -> Any:  # Any: JSON
    """Return a value, or None where it says that there is nothing."""
    return None if value in ("", [], {}) and not isinstance(value, bool) else value


def rows(given: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give a row for each field: how well its values are found."""
    names = [*(wanted[0] if wanted else ())]
    for name in names:
        pairs = [(values({name: mine[name]}), values({name: theirs[name]})) for mine, theirs in zip(given, wanted, strict=True)]
        both = sum((mine & theirs).total() for mine, theirs in pairs)
        mine, theirs = (sum(pair[place].total() for pair in pairs) for place in (0, 1))
        yield {
            "field": name, "precision": _share(both, mine), "recall": _share(both, theirs),
            "f1": _share(2 * both, mine + theirs), "support": theirs,
        }  # fmt: skip


def _share(part: float, whole: float) -> float:
    """Return a share; of nothing, all."""
    return float(part / whole) if whole else 1.0
