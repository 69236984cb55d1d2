"""Several labels in one text, among examples that were read: as lists where the options say what stands between them, told
where they seem to be there; and what else a person should hear about labels before a build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from functory.contracts.labels import listed
from functory.errors import DataError, OptionError
from functory_sdk.labels.several import joined_by, parted
from functory_sdk.labels.tables import mixture, named_places
from functory_sdk.labels.types import LabelOptions

if TYPE_CHECKING:
    from functory.data import Examples

TELLING = 30
"""So many lists of one label each tell that there may be none of several; fewer may be a small side of a split."""


def as_lists(found: Examples, gold: str, options: LabelOptions, task: str) -> Examples:
    """Return examples with texts of joined labels as lists, where the options name what stands between them.

    :param gold: the field that holds the labels.
    :param task: its name, for the error.
    :raises DataError: when some examples have a list and some a text, lists are rows of 0 and 1, or texts seem to join labels
        and many are wanted.
    :raises OptionError: where the options name a separator, and the task's examples have one label each.
    """
    if options.separator:
        return replace(found, items=tuple(_parted(example, gold, options.separator, task) for example in found))
    found = named_places(found, gold, options.labels)
    texts = [number for number, example in enumerate(found) if isinstance(getattr(example, gold), str)]
    if texts and len(texts) < len(found):
        raise mixture(found, texts, gold)
    separator = joined_by(_texts(found, gold), is_sure=True) if options.mode == "multi" else ""
    if separator:
        first = next(n for n in texts if separator in getattr(found[n], gold))
        raise DataError(
            f"{gold} = {getattr(found[first], gold)!r} looks like several labels in one text.",
            where=found.places[first],
            do=f"say what stands between them: separator = {separator!r} (--set 'task.separator=\"{separator}\"'); if it "
            "is one label, give lists, or a separator that stands in none.",
        )
    return found


def _parted(example: Any, gold: str, separator: str, task: str) -> Any:  # Any: examples of any task
    """Return an example with a list of labels.

    :raises OptionError: where the task's examples have one label each.
    """
    given = getattr(example, gold)
    if not isinstance(given, str):
        return example
    try:
        return type(example).model_validate({**dict(example), gold: parted(given, separator)})
    except ValidationError as error:
        raise OptionError(
            f"separator = {separator!r}, and task {task!r} has one {gold} an example.", do="leave separator out."
        ) from error


def _texts(found: Examples, gold: str) -> Iterator[str]:
    """Give the labels that are a text alone."""
    return (given for example in found if isinstance(given := getattr(example, gold), str))


def told_joined(found: Examples, gold: str, options: LabelOptions) -> Sequence[str]:
    """Say that labels seem to be joined in one text, or that lists hold one label each."""
    lists = [given for example in found if not isinstance(given := getattr(example, gold), str)]
    if len(lists) >= TELLING and options.mode == "auto" and all(len(given) == 1 for given in lists):
        return (f"all {len(lists):,} texts have a list of one label: if none can have several, mode = 'single' says so.",)
    separator = joined_by(_texts(found, gold)) if not options.separator else ""
    if not separator:
        return ()
    first = next(n for n, example in enumerate(found) if separator in getattr(example, gold))
    where = f"{getattr(found[first], gold)!r} in {found.places[first]}"
    return (f"labels look joined by {separator!r}: {where}; separator = {separator!r} reads them as several each.",)


def told_outside(found: Examples, labels_of: Callable[[Any], Sequence[str]], label: str) -> Sequence[str]:
    """Say that no example has the label that stands for what is out of scope.

    :param label: that label; none is looked for where it is empty.
    """
    labels = {one for example in found for one in labels_of(example)}
    if not label or not labels or label in labels:
        return ()
    near = get_close_matches(label, labels, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the labels are {listed(sorted(labels))}."
    return (f"none of {len(found):,} examples of {found.source} is labelled {label!r} (out_of_scope): {hint}",)
