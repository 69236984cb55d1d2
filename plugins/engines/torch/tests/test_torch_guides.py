"""What is held to a guide: it is what the guide says, ends in time, and is refused before it begins where it cannot be."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from functory_sdk import (  # noqa: E402
    Decoding,
    Guide,
    NotSupported,
    OptionError,
    Program,
    Request,
    Session,
    SessionOptions,
    Stops,
    Tokenizer,
    bounded,
    texts,
)
from functory_sdk.guides import walk  # noqa: E402
from functory_sdk.guides.instances import FORMATS, short_json  # noqa: E402
from functory_sdk.guides.witness import witness  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.torch import Model, structural_copy  # noqa: E402
from functory_torch import TorchEngine  # noqa: E402

TREE = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": {
        "type": "object", "required": ["name", "children"],
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
    }},
}  # fmt: skip
PROPERTIES = {"客户", "items", "total", "paid", "due", "more"}
ORDER = {
    "type": "object", "required": sorted(PROPERTIES),
    "properties": {
        "客户": {"type": "string"}, "items": {"type": "array", "items": {"type": "string", "minLength": 2}},
        "total": {"type": "number", "minimum": 0}, "paid": {"type": "boolean"},
        "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "more": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}  # fmt: skip


class Writer:
    """A session on a tiny backbone whose scores are noise: what it writes under a guide is a random walk."""

    def __init__(self, name: str) -> None:
        from functory.running.backbones import open_backbone

        backbone: Any = open_backbone(name)
        model = Model(structural_copy(backbone.network), None, backbone.spec.ports(), (), backbone.spec.points).eval()
        self.session: Session = TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), SessionOptions())
        self.tokenizer, self.end_ids = backbone.tokenizer, frozenset(backbone.spec.end_ids)

    def request(self, guide: Any, prompt: str = "we saw a day", **decoding: Any) -> Request:
        [tokens] = self.tokenizer.tokens([prompt])
        held = bounded(Guide.model_validate(guide)).guide
        how = Decoding(**{"max_new_tokens": 40, **decoding})
        return Request(tuple(tokens.ids.tolist()), how, self.end_ids, guide=held, tokenizer=self.tokenizer)

    def written(self, *requests: Request) -> list[list[str]]:
        found = texts(requests, self.session.generate(requests))
        return [[self.tokenizer.text(row["tokens"].tolist()) for row in rows] for rows in found]


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with kit():
        yield Writer("tiny-decoder")


def test_a_hundred_random_walks_through_a_schema_all_end_and_parse(writer: Writer) -> None:
    """At a high temperature, with few tokens and with many, in a schema that is bounded nowhere and one that goes round."""
    asked = [
        writer.request(schema, max_new_tokens=most, temperature=2.0, samples=count, seed=most)
        for schema, most, count in ((ORDER, 85, 6), (ORDER, 120, 6), (TREE, 30, 60), (TREE, 50, 28))
    ]
    found = writer.written(*asked)
    assert sum(map(len, found)) == 100
    for schema, some in zip((ORDER, ORDER, TREE, TREE), found, strict=True):
        for text in some:
            assert schema is TREE or json.loads(text).keys() == PROPERTIES
            assert schema is ORDER or json.loads(text).keys() == {"name", "children"}


@pytest.mark.parametrize(("guide", "pattern"), [
    ({"regex": "(ab)*cd"}, "(ab)*cd"),
    ({"regex": "a*b"}, "a*b"),
    ({"regex": "[一-龥]{2,9}。"}, "[一-龥]{2,9}。"),
    ({"regex": "[a-z]{30}!"}, "[a-z]{30}!"),
    (["yes", "no", "是的", 'a "quoted"\nline \\ more'], 'yes|no|是的|a "quoted"\\nline \\\\ more'),
    ({"grammar": 'start: "(" start ")" | word\nword: /[a-z]+/'}, r"\(*[a-z]+\)*"),
    ({"grammar": 'start: sum\nsum: number ("+" number)*\nnumber: /[0-9]/ | "(" sum ")"'}, r"[0-9+()]+"),
])  # fmt: skip
@pytest.mark.parametrize(
    "how", [{}, {"temperature": 2.0, "samples": 8}, {"beams": 3, "samples": 3}, {"temperature": 1.0, "top_p": 0.4}]
)
def test_a_text_is_what_its_guide_says(writer: Writer, guide: Any, pattern: str, how: dict[str, Any]) -> None:
    [found] = writer.written(writer.request(guide, **how))
    for text in found:
        assert re.fullmatch(pattern, text), text
        assert text.count("(") == text.count(")")


@pytest.mark.parametrize("pattern", [
    ".*answer: (yes|no)", r"[^@]+@[a-z]+\.[a-z]{2,3}", ".*(a.*){5}b", r"[a-z]{3}\s[0-9]+|x{20,}", "[^a0 ]{2}z", "(?:ab|c)d?e+$",
    "é{2}[à-ü]", r"[0-9]{2}\.[^\d]",
])  # fmt: skip
def test_a_short_text_is_read_off_a_regular_expression(writer: Writer, pattern: str) -> None:
    text = witness(pattern)
    assert text is not None
    assert re.fullmatch(pattern, text), text
    [found] = writer.written(writer.request({"regex": pattern}, max_new_tokens=30, temperature=2.0, samples=4))
    assert all(re.fullmatch(pattern, one, re.DOTALL) for one in found), found


@pytest.mark.parametrize(("schema", "text"), [
    (ORDER, '{"客户": "", "items": [], "total": 0, "paid": true, "due": null, "more": {}}'),
    (TREE, '{"name": "", "children": []}'),
    ({"type": "array", "minItems": 2, "items": {"type": "number", "exclusiveMinimum": 1.5}}, "[2, 2]"),
    ({"type": ["string", "integer"], "minLength": 3, "minimum": 10}, "10"),
    ({"type": "string", "pattern": "^.*@.*b.c$"}, '"@bac"'), ({"enum": ["long", None, "x"]}, '"x"'),
    ({"type": "integer", "maximum": -3}, "-3"), ({"type": "string", "format": "uuid"}, '"00000000-0000-4000-8000-000000000000"'),
    ({"type": "array", "prefixItems": [{"const": "a"}, {"type": "boolean"}], "minItems": 2, "maxItems": 2}, '["a", true]'),
])  # fmt: skip
def test_a_short_json_text_is_read_off_a_schema(writer: Writer, schema: Any, text: str) -> None:
    held = bounded(Guide.model_validate({"schema": schema})).guide.json_schema or {}
    assert short_json(held) == text
    [[written]] = writer.written(writer.request({"schema": schema}, max_new_tokens=len(text.encode()) + 1))
    assert len(written.encode()) <= len(text.encode())


def test_every_format_that_a_guide_holds_has_a_text(writer: Writer) -> None:
    from functory_sdk.bounds import FORMATS as HELD

    assert FORMATS.keys() == HELD
    for name, text in FORMATS.items():
        held = walk(writer.request({"type": "string", "format": name}), 258)
        assert held is not None
        assert held._end.decode() == f'"{text}"', name


def test_classes_of_characters_have_a_plain_one_each() -> None:
    """They are Unicode's, of which Rust and Python do not always know the same."""
    assert [witness(one) for one in (r"\d\s\w", r"\D\S\W", r"[\d]")] == ["0 a", "aa ", "0"]


@pytest.mark.parametrize("pattern", ["[", "a(?=b)", r"(a)\1", "a{4294967296}", "((a{99999}){99999}){9999}", r"\p{L}+"])
def test_of_what_python_reads_otherwise_no_text_is_read_off(pattern: str) -> None:
    assert witness(pattern) is None


def test_ten_thousand_choices_are_each_one(writer: Writer) -> None:
    choices = [f"{number} of {number * 7}" for number in range(10_000)]
    [found] = writer.written(writer.request(choices, temperature=3.0, samples=12))
    assert {*found} <= {*choices}
    assert len({*found}) > 6


def test_a_text_is_the_same_alone_and_beside_others_with_other_guides_and_none(writer: Writer) -> None:
    free = Request((5, 9, 20), Decoding(max_new_tokens=12), writer.end_ids)
    asked = [
        writer.request(TREE, "a day", temperature=1.5, samples=2), free, writer.request(["yes", "no"], "the film"),
        writer.request({"regex": "[a-f]{3,20}x"}, "rain", max_new_tokens=12), writer.request(ORDER, max_new_tokens=100, beams=2),
    ]  # fmt: skip
    together = writer.written(*asked)
    assert together == [writer.written(one)[0] for one in asked]
    assert together == writer.written(*asked[::-1])[::-1]


def test_the_reason_is_the_end_and_the_log_probability_is_the_models_own(writer: Writer) -> None:
    request = writer.request({"regex": "[a-z]{3,30}!"}, likelihoods=True, max_new_tokens=12)
    tokens = list(writer.session.generate([request]))
    assert [token.finish for token in tokens if token.finish] == ["end"]
    [likely] = writer.session.likelihood([request], [[token.id for token in tokens[:-1]]])
    assert [token.log_probability for token in tokens] == pytest.approx(likely.tolist(), abs=1e-4)


def test_a_stop_string_still_ends_a_guided_text(writer: Writer) -> None:
    request = replace(writer.request({"regex": "[ab]{20}"}), ends=Stops(writer.tokenizer, ("b", "a")))
    assert [token.finish for token in writer.session.generate([request])] == ["stop"]


@pytest.mark.parametrize(("guide", "most", "error", "told"), [
    (ORDER, 20, OptionError, "max_new_tokens = 20 is too few: the shortest text that this guide allows has"),
    (["yes"], 3, OptionError, "has 4 tokens"),
    ({"type": "integer", "minimum": 5, "maximum": 3}, 40, OptionError, "minimum (5) is greater than maximum (3)"),
    ({"type": "string", "minLength": 5, "maxLength": 3}, 40, OptionError, "minLength (5) is greater"),
    ({"type": "object", "properties": {"a": False}, "required": ["a"]}, 40, OptionError, "unsatisfiable"),
    ({"$ref": "#/nowhere"}, 40, OptionError, "nowhere"),
    ({"regex": "["}, 40, OptionError, "regex parse error"),
    ({"regex": "a(?=b)"}, 40, NotSupported, "look-around"),
    ({"not": {"type": "string"}}, 40, NotSupported, "not"),
    ({"grammar": "start: nowhere"}, 40, OptionError, "unknown name"),
    ({"grammar": 'start: "a" start'}, 40, OptionError, "no text of at most 4,096 tokens was found"),
])  # fmt: skip
def test_what_cannot_be_held_is_refused_before_the_first_token_and_the_session_lives_on(
    writer: Writer, guide: Any, most: int, error: type[Exception], told: str
) -> None:
    tokens = iter(writer.session.generate([writer.request(["yes"]), writer.request(guide, max_new_tokens=most)]))
    with pytest.raises(error) as raised:
        next(tokens)
    assert told in str(raised.value)
    assert writer.written(writer.request(["yes"])) == [["yes"]]


def test_the_number_of_tokens_that_the_error_names_is_enough(writer: Writer) -> None:
    with pytest.raises(OptionError) as raised:
        writer.written(writer.request(ORDER, max_new_tokens=2))
    needed = int(re.findall(r"has (\d+) tokens", str(raised.value))[0])
    [[text]] = writer.written(writer.request(ORDER, max_new_tokens=needed))
    assert json.loads(text).keys() == PROPERTIES
    with pytest.raises(OptionError):
        writer.written(writer.request(ORDER, max_new_tokens=needed - 1))


def test_a_vocabulary_that_spells_no_json_is_refused_by_name() -> None:
    with kit():
        words = Writer("tiny-encoder-decoder")
        with pytest.raises(NotSupported, match="its tokens are no pieces of text"):
            words.written(words.request(["yes"]))


def test_a_sentencepiece_vocabulary_spells_bytes_as_they_are() -> None:
    """T5's, XLM-R's and Marian's: whatever such a tokenizer does to a text before it is cut, a guide's bytes stay."""
    from tokenizers import Tokenizer as Raw
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    from functory_sdk.guides.endings import Spelling

    pieces = ["</s>", "<unk>", "▁", "▁um", "um", "▁homem", "▁ho", "h", "o", "m", "e", "u", "."]
    raw = Raw(models.Unigram([(piece, -float(place)) for place, piece in enumerate(pieces)], unk_id=1))
    raw.normalizer, raw.pre_tokenizer = normalizers.Strip(), pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    raw.add_special_tokens(["</s>", "<unk>"])
    spelling = Spelling(Tokenizer(raw.to_str()), len(pieces))
    for text in (b" um homem.", b"um homem", b" ", b"homem "):
        tokens = spelling.tokens(text)
        assert b"".join(map(spelling.bytes_of, tokens)) == text
    assert [pieces[token] for token in spelling.tokens(b" um homem.")] == ["▁um", "▁homem", "."]


def metaspace(pieces: list[str]) -> Tokenizer:
    """Return a SentencePiece-like tokenizer: a Unigram of pieces, in which a low line is a space that comes before words."""
    from tokenizers import Tokenizer as Raw
    from tokenizers import decoders, models, pre_tokenizers

    raw = Raw(models.Unigram([("<unk>", 0.0), ("</s>", 0.0), *((piece, -1.0 - len(piece) / 9) for piece in pieces)], 0))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    raw.add_special_tokens(["<unk>", "</s>"])
    return Tokenizer(raw.to_str())


LETTERS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789-+.,:;!?()[]{}\"\\/是的红绿", "\u2581", "\u2581the", "\u2581{", '\u2581"', '":', "ye",
    "\u2581yes",
]  # fmt: skip


@pytest.mark.parametrize("guide", [
    ["yes", "no", "是的"], {"type": "object", "properties": {"the": {"type": "string", "maxLength": 9}}, "required": ["the"]},
    {"regex": "[a-c]{2,4} the x"},
])  # fmt: skip
def test_a_walk_over_sentence_pieces_spells_what_the_tokenizer_reads(guide: Any) -> None:
    """No network: tokens are drawn among those that may come, and the tokenizer tells what they say."""
    tokenizer, held = metaspace(LETTERS), bounded(Guide.model_validate(guide)).guide
    request = Request((2,), Decoding(max_new_tokens=24), frozenset({1}), guide=held, tokenizer=tokenizer)
    for seed in range(20):
        drawn, way, written = random.Random(seed), walk(request, 2 + len(LETTERS)), list[int]()
        assert way is not None
        while (token := way.take(drawn.choice(way.allowed().nonzero()[0].tolist()), 23 - len(written))) != 1:
            written.append(token)
        text = tokenizer.text(written)
        assert text in guide if isinstance(guide, list) else "regex" in guide or json.loads(text).keys() == {"the"}
        assert "regex" not in guide or re.fullmatch(held.regex or "", text)
        assert len(written) < 24


def test_a_vocabulary_without_the_signs_of_a_guide_is_refused() -> None:
    tokenizer = metaspace([*"abc", "\u2581"])
    request = Request((2,), Decoding(), frozenset({1}), guide=Guide.model_validate({"type": "boolean"}), tokenizer=tokenizer)
    with pytest.raises(OptionError, match="was found that meets a JSON Schema"):
        walk(request, 6)


def test_many_threads_write_by_one_guide_while_some_leave_off(writer: Writer) -> None:
    asked = [writer.request(TREE, temperature=1.5, seed=seed, max_new_tokens=30) for seed in range(24)]
    alone = [writer.written(one)[0][0] for one in asked]

    def left_off(request: Request) -> None:
        tokens = writer.session.generate([request])
        for _ in range(random.Random(request.decoding.seed).randrange(6)):
            next(tokens)
        tokens.close()  # type: ignore[attr-defined]

    with ThreadPoolExecutor(8) as pool:
        leaving = [pool.submit(left_off, one) for one in asked]
        found = list(pool.map(lambda one: writer.written(one)[0][0], asked))
        for one in leaving:
            one.result()
    assert found == alone
