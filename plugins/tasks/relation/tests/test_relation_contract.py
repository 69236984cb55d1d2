"""What every component of its kind owes."""

from __future__ import annotations

from typing import Any

from functory_sdk.testing import ReaderSuite, TaskSuite

TEXTS = ("we saw the good film", "the day was fine for all", "a poor book", "the rain in the night")


def placed(text: str, head: str, tail: str, label: str) -> dict[str, Any]:
    return {
        "text": text, "label": label,
        "head": [text.index(head), text.index(head) + len(head)], "tail": [text.index(tail), text.index(tail) + len(tail)],
    }  # fmt: skip


class TestRelation(TaskSuite):
    component = "relation"
    backbones = ("tiny-encoder", "tiny-decoder")
    examples = (
        placed(TEXTS[0], "we", "film", "Agent-Thing(e1,e2)"),
        placed(TEXTS[1], "day", "fine", "Thing-Quality(e1,e2)"),
        placed(TEXTS[0], "film", "we", "Agent-Thing(e2,e1)"),
        placed(TEXTS[2], "poor", "book", "Thing-Quality(e2,e1)"),
        placed(TEXTS[3], "rain", "night", "Other"),
    )


class TestSemEval(ReaderSuite):
    component = "semeval"
    file_name = "TRAIN_FILE.TXT"
    content = (
        b'1\t"The <e1>configuration</e1> of antenna <e2>elements</e2>."\nComponent-Whole(e2,e1)\nComment: "a" or "b".\n\n'
        b'2\t"<e2>Rain</e2> made the <e1>book</e1> wet."\nOther\nComment:\n\n'
    )
    rows = (
        {"id": "1", "text": "The <e1>configuration</e1> of antenna <e2>elements</e2>.", "label": "Component-Whole(e2,e1)"},
        {"id": "2", "text": "<e2>Rain</e2> made the <e1>book</e1> wet.", "label": "Other"},
    )


class TestSentences(ReaderSuite):
    component = "entities-and-relations"
    file_name = "conll04.jsonl"
    content = (
        b'{"text": "Ann lives in Rome", "entities": [{"start": 0, "end": 3, "label": "Peop"}, '
        b'{"start": 13, "end": 17, "label": "Loc"}], "relations": [{"head": 0, "tail": 1, "label": "Live_In"}]}\n'
        b'{"tokens": ["Rome", "and", "Bonn"], "entities": [{"start": 2, "end": 3, "type": "Loc"}, '
        b'{"start": 0, "end": 1, "type": "Loc"}], "relations": [{"head": 0, "tail": 1, "type": "Beside"}]}\n'
    )
    rows = (
        {"text": "Ann lives in Rome", "head": [0, 3], "tail": [13, 17], "label": "Live_In(e1,e2)"},
        {"text": "Rome and Bonn", "head": [0, 4], "tail": [9, 13], "label": "Beside(e2,e1)"},
    )
    expected_failures = {
        "test_its_own_file_is_recognised": "such files are data for entities too: it reads them where it is asked for by its name"
    }
