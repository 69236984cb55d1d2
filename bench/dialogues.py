"""The next turn of everyday conversations (dailydialog): ``python bench/dialogues.py``, or with a language, ``en`` or ``zh``.

On the same test conversations, of which the last turn is left out: the reply that came after the training turn with the likest
words, SmolLM2 as it is, and SmolLM2 taught by LoRA on the training conversations (Chinese: on those of dev). Many may follow,
so that the scores are low for people too; distinct-n says whether a method always says the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from cells.data import NotHere, Row, rows
from measure import build
from written import Table

from functory_dialogue import Conversation, Dialogue, Replied
from functory_sdk import State, Written

SIDES = {"en": ("train", "test"), "zh": ("dev_zh", "test_zh")}
"""Of each language the side that teaches, and the one that is answered."""


def parted(found: Sequence[Row], *, is_every: bool = False) -> list[Replied]:
    """Return conversations with their last turns as replies, or with every turn that another goes before."""
    whole = [row["turns"] for row in found if len(row["turns"]) > 1]
    ends = [(turns, end) for turns in whole for end in (range(1, len(turns)) if is_every else [len(turns) - 1])]
    return [Replied(turns=tuple(turns[:end]), reply=turns[end]) for turns, end in ends]


def nearest(train: Sequence[Replied], test: Sequence[Replied], language: str) -> list[str]:
    """Return of each conversation the reply to the training turn that is likest its last."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    grams: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 3)} if language == "zh" else {"ngram_range": (1, 2)}
    fitted = TfidfVectorizer(**grams).fit([one.turns[-1] for one in train])
    likeness = fitted.transform([one.turns[-1] for one in test]) @ fitted.transform([one.turns[-1] for one in train]).T
    return [train[int(place)].reply for place in likeness.toarray().argmax(1)]


def answered(function: Any, test: Sequence[Replied]) -> list[str]:
    """Return what a function says next."""
    return [output.text.strip() for output in function.map([Conversation(turns=one.turns) for one in test])]


def measure(table: Table, language: str, args: argparse.Namespace) -> None:
    """Add the rows of one language."""
    side, other = SIDES[language]
    talks, test = rows("dailydialog", side), parted(rows("dailydialog", other, args.test))
    train = parted(talks, is_every=True)
    taught = [{"turns": list(one.turns), "reply": one.reply} for one in train[:: max(1, len(train) // args.train)]]
    task = {"name": "dialogue", "max_new_tokens": args.tokens}
    lora = {"name": "lora", "most_steps": args.steps}
    methods = {
        "nearest turn's reply": lambda: nearest(train, test, language),
        "smollm2": lambda: answered(build(task=task, backbone="smollm2"), test),
        "smollm2, lora": lambda: answered(build(task=task, train=taught, backbone="smollm2", adaptation=lora), test),
    }
    counts = {"nearest turn's reply": len(train), "smollm2, lora": len(taught)}

    def score(texts: Sequence[str]) -> Any:
        outputs = [Written(text=text, tokens=0, finish="end") for text in texts]
        return Dialogue().scorer(outputs, test, State())

    for method in args.methods or methods:
        about = {"language": language, "test": len(test), "train": counts.get(method, 0), "method": method}
        table.add(about, methods[method], score, "word_f1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", help="en or zh; both when none is named")
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200, help="of training at most")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--methods", nargs="*", help="some of the methods, as the table names them")
    args = parser.parse_args()
    if unknown := [name for name in args.languages if name not in SIDES]:
        parser.error(f"there is no language {unknown[0]!r}. do: choose among {', '.join(SIDES)}")
    table = Table("dialogues", f"at most {args.steps} steps of training; intervals by bootstrap over the conversations")
    for language in args.languages or SIDES:
        try:
            measure(table, language, args)
        except NotHere as missing:
            print(f"skipped: {missing}")


if __name__ == "__main__":
    main()
