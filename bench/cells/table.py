"""Every cell of the quality table, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cells import same, scores, simple
from cells.cell import Cell
from cells.daily import daily
from cells.data import Rows, marked, only, outer, rows
from cells.episodes import episodes
from cells.graphs import graph
from cells.methods import method
from cells.retrieval import ranked, retrieved, vectors
from cells.scope import declined, scope

TRAIN, TEST = {"en": 2000, "zh": 1000}, 1000
"""Rows at most. An optimiser step on the multilingual backbone, with its vocabulary of 250,000, takes as long as two."""
LONG, LONG_TEST = 300, 300
"""Rows where each is hundreds of tokens, so that a cell takes minutes."""
BACKBONES = {"en": "minilm", "zh": "e5"}


def labels(
    name: str, data: str, language: str, side: str = "test", gold: str = "label", metric: str = "accuracy",
    **recipe: Any,
) -> Cell:  # fmt: skip
    """Return a cell of texts and labels."""
    return _labelled(name, data, language, side, ("text",), {"label": gold}, metric, "text-classification", recipe)


def pairs(
    name: str, data: str, language: str, side: str = "test", fields: tuple[str, str] = ("text_a", "text_b"),
    limit: int | None = None, **recipe: Any,
) -> Cell:  # fmt: skip
    """Return a cell of two texts and a label."""
    return _labelled(name, data, language, side, fields, {"label": "label"}, "accuracy", "text-pair", recipe, limit)


def _labelled(
    name: str, data: str, language: str, side: str, fields: Sequence[str], gold: dict[str, str], metric: str, task: str,
    recipe: dict[str, Any], limit: int | None = None,
) -> Cell:  # fmt: skip
    most = limit or TRAIN[language]

    def load() -> tuple[Rows, Rows]:
        return only(rows(data, "train", most), *fields, **gold), only(rows(data, side, TEST), *fields, **gold)

    return Cell(
        name, language, metric, task, load,
        gold=lambda row: str(row["label"]), read=lambda output: output.label,
        score={"accuracy": scores.accuracy, "macro F1": scores.macro_f1}[metric],
        majority=lambda train, test: simple.majority([str(row["label"]) for row in train], len(test)),
        simple=("n-gram regression", partial(simple.regression, fields=fields, gold="label", language=language)),
        same=("Trainer", lambda train, test, rate: same.labels(train, test, fields, "label", BACKBONES[language], rate)),
        recipe={"backbone": BACKBONES[language], **recipe}, is_long=most > TRAIN[language],
    )  # fmt: skip


def entities(
    name: str, data: str, language: str, side: str = "test", *, is_long: bool = False, spans: str = "flat"
) -> Cell:
    """Return a cell of texts and the entities in them."""

    def load() -> tuple[Rows, Rows]:
        parts = rows(data, "train", None if is_long else TRAIN[language]), rows(data, side, None if is_long else TEST)
        train, test = (only(part, "text", "entities") for part in parts)
        return outer(train) if spans == "flat" else train, test

    return Cell(
        name, language, "entity F1", "ner" if spans == "flat" else {"name": "ner", "spans": spans}, load,
        gold=lambda row: {(one["start"], one["end"], one["label"]) for one in row["entities"]},
        read=lambda output: {(one.start, one.end, one.label) for one in output.entities},
        score=scores.span_f1, majority=lambda train, test: [set()] * len(test),
        simple=("mention dictionary", simple.mentions),
        same=("Trainer", lambda train, test, rate: same.spans(train, test, BACKBONES[language], rate)),
        recipe={"backbone": BACKBONES[language]}, is_long=is_long,
    )  # fmt: skip


def nested(name: str, data: str, flat: str) -> Cell:
    """Return a cell of entities that lie beside one another, found by the head that lets them lie in one another.

    :param flat: the cell of the same entities whose head does not, and whose peer answers here too.
    """
    beside: Cell = CELLS[flat]()
    return replace(entities(name, data, beside.language, spans="nested"), beside=beside)


def alike(name: str, data: str, language: str) -> Cell:
    """Return a cell of two texts and how alike they are."""
    fields = ("text_a", "text_b")

    def load() -> tuple[Rows, Rows]:
        return only(rows(data, "train", TRAIN[language]), *fields, "score"), only(rows(data, "test", TEST), *fields, "score")

    return Cell(
        name, language, "Spearman", "similarity", load, gold=lambda row: row["score"], read=lambda output: output.score,
        score=scores.spearman, majority=lambda train, test: [0.0] * len(test),
        simple=("TF-IDF cosine", partial(simple.likeness, fields=fields, language=language)),
        same=("Trainer", lambda train, test, rate: same.numbers(train, test, fields, "score", BACKBONES[language], rate)),
        recipe={"backbone": BACKBONES[language]},
    )  # fmt: skip


def answers(name: str, language: str, train: tuple[str, str], test: tuple[str, str], *, is_long: bool = False) -> Cell:
    """Return a cell of questions and their contexts; answers of another language come by transfer."""

    def load() -> tuple[Rows, Rows]:
        fields = ("question", "context", "answers")
        parts = rows(*train, None if is_long else LONG), rows(*test, None if is_long else LONG_TEST)
        return only(parts[0], *fields), only(parts[1], *fields)

    return Cell(
        name, language, "answer F1", "question-answering", load,
        gold=lambda row: [one["text"] for one in row["answers"]], read=lambda output: output.answer or "",
        score=scores.answer_f1, majority=lambda train, test: [""] * len(test),
        simple=("sliding window", lambda train, test: [simple.window(row["question"], row["context"]) for row in test]),
        same=("Trainer", lambda train, test, rate: same.answers(train, test, "e5", rate)), recipe={"backbone": "e5"},
        is_long=is_long,
    )  # fmt: skip


def choices(name: str, data: str, language: str, side: str = "test", *, is_trained: bool = True) -> Cell:
    """Return a cell of questions and their options; without training, the options' likelihood after the question."""

    def read(side: str, limit: int) -> Rows:
        found = rows(data, side, limit)
        return [
            {**{name: row[name] for name in ("context", "question", "choices", "answer") if name in row}}
            for row in found
        ]

    def gold(row: dict[str, Any]) -> str:
        chosen: str = row["choices"][row["answer"]]
        return chosen

    return Cell(
        name, language, "accuracy", "multiple-choice",
        lambda: (read("train", LONG), read(side, LONG_TEST)) if is_trained else ([], read(side, TEST)),
        gold=gold, read=lambda output: output.choice, score=scores.accuracy,
        majority=lambda train, test: [row["choices"][0] for row in test],
        simple=("sliding window", lambda train, test: [simple.chosen(row) for row in test]),
        same=("Trainer", lambda train, test, rate: [
            row["choices"][place] for row, place in zip(test, same.choices(train, test, BACKBONES[language], rate), strict=True)
        ]) if is_trained else None,
        recipe={"backbone": BACKBONES[language]} if is_trained else {"backbone": "smollm2", "adaptation": "zero-shot"},
    )  # fmt: skip


def relations(name: str, data: str, language: str) -> Cell:
    """Return a cell of texts with two marked spans, and how they are related."""

    def load() -> tuple[Rows, Rows]:
        fields = ("text", "head", "tail", "label")
        return only(rows(data, "train", TRAIN[language]), *fields), only(rows(data, "test", TEST), *fields)

    return Cell(
        name, language, "directed macro F1", "relation", load, gold=lambda row: row["label"],
        read=lambda output: output.label, score=scores.directed_f1,
        majority=lambda train, test: simple.majority([row["label"] for row in train], len(test)),
        simple=("n-gram regression", lambda train, test: simple.regression(
            marked(train), marked(test), ("text",), "label", language
        )),
        same=("Trainer", lambda train, test, rate: same.labels(
            marked(train), marked(test), ("text",), "label", BACKBONES[language], rate
        )),
        recipe={"backbone": BACKBONES[language]},
    )  # fmt: skip


def yes_or_no(name: str, data: str) -> Cell:
    """Return a cell of passages and questions that are answered with yes or no."""

    def load() -> tuple[Rows, Rows]:
        return _answered(rows(data, "train", 2 * LONG)), _answered(rows(data, "test", TEST))

    return replace(pairs(name, data, "en", fields=("question", "passage")), load=load)


def _answered(found: Rows) -> Rows:
    return [
        {"question": row["question"], "passage": row["context"], "label": row["choices"][row["answer"]]}
        for row in found
    ]


CELLS: dict[str, Callable[[], Cell]] = {
    "trec": partial(labels, "trec", "trec_questions", "en"),
    "clinc150": partial(labels, "clinc150", "clinc150", "en"),
    "financial_phrasebank": partial(labels, "financial_phrasebank", "financial_phrasebank", "en", metric="macro F1"),
    "csl_category": partial(labels, "csl_category", "csl_category", "zh"),
    "tnews": partial(labels, "tnews", "tnews", "zh", "dev"),
    "wnut17": partial(entities, "wnut17", "wnut17", "en"),
    "wikigold": partial(entities, "wikigold", "wikigold", "en"),
    "broad_twitter": partial(entities, "broad_twitter", "broad_twitter", "en"),
    "cluener2020": partial(entities, "cluener2020", "cluener2020", "zh", "dev"),
    "cluener2020, all": partial(entities, "cluener2020, all", "cluener2020", "zh", "dev", is_long=True),
    "snli": partial(pairs, "snli", "snli", "en"),
    "sick": partial(pairs, "sick", "sick", "en"),
    "afqmc": partial(pairs, "afqmc", "afqmc", "zh", "dev"),
    "ocnli": partial(pairs, "ocnli", "ocnli", "zh", "dev"),
    "boolq": partial(yes_or_no, "boolq", "boolq"),
    "snli, all": partial(pairs, "snli, all", "snli", "en", limit=10_000),
    "sick, scores": partial(alike, "sick, scores", "sick", "en"),
    "sick, vectors": partial(vectors, "sick, vectors", "sick", "en", "minilm", TRAIN["en"], TEST),
    "sick, vectors trained": partial(
        vectors, "sick, vectors trained", "sick", "en", "minilm", TRAIN["en"], TEST, adaptation="head"
    ),
    "xquad, English paragraphs": partial(retrieved, "xquad, English paragraphs", "en", "minilm", TEST),
    "xquad, Chinese paragraphs": partial(retrieved, "xquad, Chinese paragraphs", "zh", "e5", TEST),
    "xquad, English ranking": partial(ranked, "xquad, English ranking", "en", "minilm", LONG, LONG_TEST),
    "semeval2010_task8": partial(relations, "semeval2010_task8", "semeval2010_task8", "en"),
    "few_rel, 5 of each": partial(episodes, "few_rel, 5 of each", "few_rel", "dev"),
    "few_rel, 1 of each": partial(episodes, "few_rel, 1 of each", "few_rel", "dev", shots=1),
    "conll04, entities": partial(entities, "conll04, entities", "conll04", "en"),
    "conll04, end to end": lambda: graph("conll04, end to end", "conll04", "en", CELLS["conll04, entities"]()),
    "people's daily, parts of speech": partial(daily, "people's daily, parts of speech", "tags"),
    "people's daily, words": partial(daily, "people's daily, words", "words"),
    "people's daily, punctuation": partial(daily, "people's daily, punctuation", "punctuation"),
    "cmrc2018": partial(answers, "cmrc2018", "zh", ("cmrc2018", "train"), ("cmrc2018", "dev")),
    "cmrc2018, all": partial(answers, "cmrc2018, all", "zh", ("cmrc2018", "train"), ("cmrc2018", "dev"), is_long=True),
    "xquad, English by transfer": partial(
        answers, "xquad, English by transfer", "en", ("cmrc2018", "train"), ("xquad", "test_en")
    ),
    "c3": partial(choices, "c3", "c3", "zh"),
    "piqa": partial(choices, "piqa", "piqa", "en", "dev", is_trained=False),
    "arc_challenge": partial(choices, "arc_challenge", "arc_challenge", "en", is_trained=False),
    "clinc150, out of scope": partial(scope, "clinc150, out of scope", "clinc150", "en", "minilm", TRAIN["en"], TEST),
    "clinc150, declined": lambda: declined("clinc150, declined", CELLS["clinc150, out of scope"]()),
    "wikigold, nested head": lambda: nested("wikigold, nested head", "wikigold", "wikigold"),
    "conll04, nested head": lambda: nested("conll04, nested head", "conll04", "conll04, entities"),
    "rotten-tomatoes, head": partial(method, "rotten-tomatoes", "head", "en", "minilm", TRAIN["en"], TEST),
    "rotten-tomatoes, lora": partial(method, "rotten-tomatoes", "lora", "en", "minilm", TRAIN["en"], TEST),
    "rotten-tomatoes, full": partial(method, "rotten-tomatoes", "full", "en", "minilm", TRAIN["en"], TEST),
    "zh-reviews, head": partial(method, "zh-reviews", "head", "zh", "e5", TRAIN["zh"], TEST),
}
