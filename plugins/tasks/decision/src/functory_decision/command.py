"""``functory decide``: questions about a text in one line, nothing built before."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from functory_sdk import Command, UsageError


class DecideCommand(Command):
    """Answer questions about texts."""

    help = "answer typed questions about a text: choices, yes or no, numbers"
    example = (
        "functory decide \"The food was cold.\" 'mood=positive, negative' 'stars=How many stars? 1..5'\n"
        "functory decide 菜都凉了。 '评价=正面, 负面' '退款=顾客想退款吗？'"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", help="the text that is asked about")
        parser.add_argument(
            "questions", nargs="+", metavar="NAME=QUESTION",
            help="a choice ('positive, negative', or 'What is it about? sports, politics'), a number ('How urgent is it? 1..5'), "
            "or a yes or no ('Is a refund asked for?')",
        )  # fmt: skip
        parser.add_argument("--backbone", default="", help="a backbone that writes; smollm2 when not given")

    def run(self, args: Namespace) -> int:
        from functory_decision.verb import decide

        found = decide(args.text, dict(map(_named, args.questions)), backbone=args.backbone)
        if args.json:
            print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
            return 0
        for name, answer in found.answers.items():
            print(f"{name}: {_told(answer)} ({found.sure(name):.2f})")
        return 0


def _named(question: str) -> tuple[str, str]:
    """Return a question's name and what it asks.

    :raises UsageError: where it has no name.
    """
    name, equals, asked = question.partition("=")
    if not equals or not name.strip() or not asked.strip():
        raise UsageError(f"{question!r} names no question.", do="write NAME=QUESTION: 'mood=positive, negative'.")
    return name.strip(), asked.strip()


def _told(answer: Any) -> str:  # Any: an answer
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else str(answer)


COMMAND = DecideCommand()
