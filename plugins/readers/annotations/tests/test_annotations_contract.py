"""What every component of its kind owes."""

import json

from functory_sdk.testing import ReaderSuite

SPAN = {"start": 0, "end": 3, "label": "PER"}


class TestDoccano(ReaderSuite):
    component = "doccano"
    file_name = "all.jsonl"
    content = b'{"id": 1, "text": "Ann left.", "label": [[0, 3, "PER"]]}\n{"id": 2, "text": "Bye.", "label": []}\n'
    rows = ({"id": 1, "text": "Ann left.", "entities": [SPAN]}, {"id": 2, "text": "Bye.", "entities": []})


class TestLabelStudio(ReaderSuite):
    component = "label-studio"
    file_name = "project-1.json"
    content = json.dumps(
        [
            {
                "id": 1,
                "data": {"text": "Ann left."},
                "annotations": [
                    {
                        "was_cancelled": False,
                        "result": [
                            {
                                "type": "labels",
                                "from_name": "ner",
                                "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]},
                            },
                            {"type": "choices", "from_name": "mood", "value": {"choices": ["sad"]}},
                        ],
                    }
                ],
            }
        ],
        indent=1,
    ).encode()
    rows = ({"text": "Ann left.", "entities": [SPAN], "mood": "sad"},)


class TestProdigy(ReaderSuite):
    component = "prodigy"
    file_name = "dataset.jsonl"
    content = (
        b'{"text": "Ann left.", "_input_hash": 1, "_task_hash": 2, "tokens": [{"text": "Ann", "id": 0}], '
        b'"spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0}], "answer": "accept"}\n'
    )
    rows = ({"text": "Ann left.", "entities": [SPAN]},)


class TestSpaCy(ReaderSuite):
    component = "spacy"
    file_name = "train.json"
    content = json.dumps(
        [
            {
                "id": 0,
                "paragraphs": [
                    {
                        "raw": "Ann left.",
                        "sentences": [
                            {"tokens": [{"orth": "Ann", "ner": "U-PER"}, {"orth": "left", "ner": "O"}]},
                            {"tokens": [{"orth": ".", "ner": "-"}]},
                        ],
                        "cats": [{"label": "sad", "value": 1.0}, {"label": "glad", "value": 0.0}],
                    }
                ],
            }
        ]
    ).encode()
    rows = ({"text": "Ann left.", "tokens": ["Ann", "left", "."], "tags": ["U-PER", "O", "O"], "label": "sad"},)
