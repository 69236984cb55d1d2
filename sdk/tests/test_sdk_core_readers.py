"""The core's own readers owe what everyone's do."""

from functory_sdk.testing import ReaderSuite

ROWS = ({"text": "good, \"old\"", "label": "pos"}, {"text": "bad\nend", "label": "neg"})


class TestCSV(ReaderSuite):
    component = "csv"
    file_name = "reviews.csv"
    content = b'text,label\n"good, ""old""",pos\n"bad\nend",neg\n'
    rows = ROWS


class TestJSONLines(ReaderSuite):
    component = "jsonl"
    file_name = "reviews.jsonl"
    content = b'{"text": "good, \\"old\\"", "label": "pos"}\n{"text": "bad\\nend", "label": "neg"}\n'
    rows = ROWS


class TestJSONList(ReaderSuite):
    component = "json"
    file_name = "reviews.json"
    content = b'[{"text": "good, \\"old\\"", "label": "pos"},\n {"text": "bad\\nend", "label": "neg"}]\n'
    rows = ROWS


class TestTextLines(ReaderSuite):
    component = "lines"
    file_name = "texts.lines"
    content = "我们 在 北京\n\n  a, \"b\"\t/ c\n".encode()
    rows = ({"text": "我们 在 北京"}, {"text": '  a, "b"\t/ c'})
