"""Which labels there are, in which order, and what the mode needs besides: learned of examples, or taken from a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from functory.contracts.labels import listed
from functory.errors import DataError, OptionError
from functory_sdk.labels.paths import written
from functory_sdk.labels.ratings import in_order, placed
from functory_sdk.labels.types import LabelOptions, Labels, Mode, Scope


def learned(options: LabelOptions, counts: Counter[str], *, has_lists: bool, separator: str) -> Labels:
    """Return what is learned of the labels of some examples.

    :param counts: how often each label stands there.
    :param has_lists: whether some example has a list of labels.
    :param separator: what stands between the steps of a path; empty where labels are none.
    :raises DataError: when there are less than two labels, or their order is not known where it counts.
    :raises OptionError: when mode and labels do not go together.
    """
    named = tuple(written(one, separator) for one in options.labels) if separator else options.labels
    labels = named or tuple(sorted(counts))
    if len(labels) < 2:
        raise DataError(
            f"there {'is one label' if labels else 'are no labels'}: {', '.join(labels) or 'give some'}.",
            do="give examples of at least two labels, or name them: labels = ['a', 'b'].",
        )
    mode: Mode = options.mode if options.mode != "auto" else "multi" if has_lists else "single"
    if mode == "binary":
        labels = _binary(options, labels, counts)
    strange = [label for label in options.descriptions if label not in labels]
    if strange:
        raise OptionError(
            f"descriptions has words for {strange[0]!r}, which is no label.", do=f"the labels are {', '.join(labels)}."
        )
    return _state(options, labels, mode, is_outside_known=options.out_of_scope in counts, separator=separator)


def adopted(
    options: LabelOptions, labels: Sequence[str], *, is_multi: bool | None, separator: str
) -> tuple[Labels, Sequence[int]]:
    """Return what is known of a checkpoint's labels, and the place in the checkpoint of each; those of the options, where they
    are given, are their names here.

    :param is_multi: whether an input may have several; None where the checkpoint does not say.
    :param separator: what stands between the steps of a path; empty where labels are none.
    :raises OptionError: when the options' labels or mode do not go with the checkpoint's.
    """
    named = options.labels or tuple(labels)
    if len(named) != len(labels) or len(set(named)) != len(named):
        raise OptionError(
            f"the head has {len(labels)} outputs; the labels are {listed(named)}.",
            do=f"name {len(labels)} different labels, in the order of {listed(tuple(labels))}.",
        )
    if is_multi is None:
        is_multi = options.mode == "multi"
    mode: Mode = "multi" if is_multi else "single"
    if not is_multi and options.mode in ("path", "ordinal"):
        mode = options.mode
    if options.mode not in ("auto", mode):
        raise OptionError(
            f"mode = {options.mode!r}, and the head was fitted for {mode!r}.", do=f"leave mode out, or say {mode!r}."
        )
    if separator:
        named = tuple(written(label, separator) for label in named)
    state = _state(options, named, mode, is_outside_known=options.out_of_scope in named, separator=separator)
    return state, [named.index(label) for label in state.labels]


def _state(
    options: LabelOptions, labels: tuple[str, ...], mode: Mode, *, is_outside_known: bool, separator: str
) -> Labels:
    """Return what is known of some labels.

    :param is_outside_known: whether examples of what is out of scope are learned too: as a label, the last one.
    """
    by, outside = options.sureness, options.out_of_scope
    if by and mode not in ("single", "path"):
        raise OptionError(f"mode is {mode!r}, and declines nothing.", do="leave out_of_scope and abstain out.")
    if mode == "ordinal":
        labels = in_order(labels, options.labels)
    inside = tuple(label for label in labels if label != outside)
    return Labels(
        labels=(*inside, outside) if outside and is_outside_known else inside,
        mode=mode,
        thresholds={"binary": (0.5,), "multi": (0.5,) * len(labels)}.get(mode, ()),
        separator=separator,
        numbers=placed(labels) if mode == "ordinal" else (),
        scope=Scope(by=by, label=outside, answered=options.answered) if by else None,
    )


def _binary(options: LabelOptions, labels: tuple[str, ...], counts: Counter[str]) -> tuple[str, ...]:
    """Return the two labels, the one looked for last."""
    if len(labels) != 2:
        raise OptionError(f"mode = 'binary' wants two labels; there are {len(labels)}.", do="use mode = 'single'.")
    positive = options.positive or min(labels, key=lambda label: (counts[label], label))
    if positive not in labels:
        raise OptionError(f"positive = {positive!r} is no label.", do=f"the labels are {', '.join(labels)}.")
    return tuple(sorted(labels, key=lambda label: label == positive))
