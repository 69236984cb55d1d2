"""Two texts: how columns of them are called, how they are read in both orders, and pairs for replaying.

Apart from `labels`, because tasks that give a number or a rank read two texts as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from functory.contracts.rows import Encoded
from functory.reading.reader import Reader

FIRST = (
    "first", "premise", "sentence1", "sentence_1", "sentence_a", "text1", "text_1", "text_a", "question1", "question_1",
    "question", "query", "text", "s1", "句子1", "文本1", "前提", "问题",
)  # fmt: skip
"""The names by which a column of first texts is known."""
SECOND = (
    "second", "hypothesis", "sentence2", "sentence_2", "sentence_b", "text2", "text_2", "text_b", "question2", "question_2",
    "passage", "context", "document", "reply", "aspect", "s2", "句子2", "文本2", "假设", "段落",
)  # fmt: skip
"""The names by which a column of second texts is known."""
ALIKE = ("score", "similarity", "similarity_score", "relatedness", "relatedness_score", "分数", "相似度", "得分")
"""The names by which a column is known that says how alike two texts are."""

GOLDEN_PAIRS = (
    ("A man is playing a guitar on the stage.", "A man is making music."),
    ("A man is making music.", "Nobody is on the stage."),
    ("How do I reset my password?", "i forgot my pass word, what now??"),
    ("什么时候可以还款", "我想提前还款，可以吗？"),
    ("这家酒店的早餐很好，就是房间有点小。", "房间"),
    ("Was the 2nd quarter better than the 1st?", "Prices rose 3.2% in the 2nd quarter – more than the 2.9% of the 1st. 👍"),
    ("ok", "ok"),
    (
        "One thing after another went wrong that day, from the first call to the last train; still, we would go again.",
        "It was a day without any trouble.",
    ),
)
"""Pairs for replaying: short and long, alike and not, in two scripts."""


def _written(text: str) -> str:
    """Refuse a text that says nothing.

    :raises ValueError: for white space alone.
    """
    if not text.strip():
        raise ValueError("there is nothing but white space")
    return text


NotBlank = Annotated[str, Field(min_length=1), AfterValidator(_written)]
"""The type of a field that holds one text of a pair: a pair with an empty side is none, and is refused."""


def both_orders(pairs: Sequence[tuple[str, str]], reader: Reader, fields: tuple[str, str]) -> Encoded:
    """Read each pair in both orders, once where both texts are equal. Its rows are the same, in the same order, whichever of
    the two came first, so that nothing that is computed of them can differ; notes are those of the pair as it was given.

    :param fields: what the two texts are called.
    :raises TooLong: for long texts, where the rule is "refuse".
    """
    given = reader.encode(pairs, fields=fields)
    turned = reader.encode([pair[::-1] for pair in pairs], fields=fields[::-1])
    encoded = Encoded(rows=[], owner=[], side=given.side)
    for index, (pair, *both) in enumerate(zip(pairs, given.rows_of(given.rows), turned.rows_of(turned.rows), strict=True)):
        orders = dict(sorted(zip((pair, pair[::-1]), both, strict=True), key=lambda order: order[0]))
        rows = [dict(row) for order in orders.values() for row in order]
        encoded.rows.extend(rows)
        encoded.owner.extend([index] * len(rows))
    return encoded


def each_by_itself(
    pairs: Sequence[tuple[str, str]], reader: Reader, fields: tuple[str, str], *, is_symmetric: bool = False
) -> Encoded:
    """Read both texts of each pair by themselves, stacked in rows; where their order says nothing, in one order, whichever of
    the two came first.

    :param fields: what the two texts are called.
    :raises TooLong: for long texts, where the rule is "refuse".
    """
    encoded = reader.each_by_itself(pairs, fields=fields)
    if is_symmetric:
        turned = [pair[0] > pair[1] for pair in pairs]
        encoded.rows = [
            {name: array[::-1] if turned[owner] else array for name, array in row.items()}
            for row, owner in zip(encoded.rows, encoded.owner, strict=True)
        ]
        reader.beside(encoded, [(min(pair), max(pair)) for pair in pairs])
    return encoded
