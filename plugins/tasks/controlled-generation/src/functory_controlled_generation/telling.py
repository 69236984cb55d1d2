"""Says in words what is asked of a text, in the language of its prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from functory_sdk import Control, Range

HAN = re.compile(r"[一-鿿]")


def told(text: str, control: Control, like: Sequence[str]) -> tuple[str, str]:
    """Return what stands before a prompt, and after it."""
    is_chinese = len(HAN.findall(text)) * 2 > len(re.sub(r"\W", "", text)) > 0
    asked = " ".join((_chinese if is_chinese else _english)(control))
    before = "\n\n".join(like)
    if like:
        opening = "照下面这些文字的样子写：" if is_chinese else "Write in the manner of these texts:"
        before = f"{opening}\n\n{before}\n\n"
    return before, f"\n\n{asked}" if asked else ""


def _english(control: Control) -> Iterator[str]:
    if control.must:
        yield f"Use these words: {', '.join(control.must)}."
    if control.must_not:
        yield f"Do not use these words: {', '.join(control.must_not)}."
    for wanted, what in ((control.words, "words"), (control.characters, "characters"), (control.sentences, "sentences")):
        if wanted is not None:
            yield f"Write {_between(wanted, 'at most {}', 'at least {}', '{} to {}')} {what}."
    for one in control.toward:
        yield f"The text should be {one.label}."


def _chinese(control: Control) -> Iterator[str]:
    if control.must:
        yield f"要用到这些词：{'、'.join(control.must)}。"
    if control.must_not:
        yield f"不要用这些词：{'、'.join(control.must_not)}。"
    for wanted, what in ((control.words, "个词"), (control.characters, "个字"), (control.sentences, "句话")):
        if wanted is not None:
            yield f"写{_between(wanted, '最多{}', '至少{}', '{}到{}')}{what}。"
    for one in control.toward:
        yield f"语气要：{one.label}。"


def _between(wanted: Range, most: str, least: str, both: str) -> str:
    """Return a range in words."""
    low, high = wanted
    if high is None:
        return least.format(low)
    if low == high:
        return str(low)
    return both.format(low, high) if low else most.format(high)
