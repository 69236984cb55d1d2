"""Tasks that find spans: which characters a token has, which tag it gets, and the spans that come back."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functory_sdk import Input, Reader, Span, SpanLabels, SpanOptions, Spans, tag_runs
from functory_sdk.spans.alignment import tags_of, token_spans, units
from functory_sdk.spans.apart import apart, character_borders
from functory_sdk.spans.schemes import SCHEMES
from functory_sdk.spans.tagging import IGNORED, ReadText, SpanTagging, stretches
from functory_sdk.spans.viterbi import best_path, runs
from functory_sdk.testing import TinyEncoder


class Text(Input):
    """A text."""

    text: str


class MarkedText(Text):
    """A text with its spans."""

    entities: Spans = ()


STATE = SpanLabels(labels=("LOC", "PER"))
IOB2 = SCHEMES["IOB2"]
OFFSETS = {
    # a lone ▁ tells the first character of the piece it announces
    "生生不息": ([(0, 1), (0, 1), (1, 2), (2, 4)], [(0, 0), (0, 1), (1, 2), (2, 4)]),
    # combining marks that the normaliser drops belong to the letter before, at the end of the text too
    "Zoe\u0308 e\u0301": ([(0, 2), (2, 3), (5, 6)], [(0, 2), (2, 4), (5, 7)]),
    # bytes of one character: the last has seen it whole
    "a😀b": ([(0, 1), (1, 2), (1, 2), (1, 2), (2, 3)], [(0, 1), (1, 1), (1, 1), (1, 2), (2, 3)]),
    # white space belongs to no token, whatever the tokenizer tells
    "a  bc": ([(0, 1), (1, 2), (2, 5)], [(0, 1), (2, 2), (3, 5)]),
}


@pytest.mark.parametrize("text", OFFSETS)
def test_every_token_has_characters_of_its_own(text: str) -> None:
    told, wanted = OFFSETS[text]
    assert token_spans(text, np.asarray(told)) == wanted


def test_the_first_token_speaks_for_a_word_but_never_for_a_script_without_spaces() -> None:
    text = "Brighton 北京市s-x"
    offsets = np.asarray([(0, 4), (4, 8), (9, 11), (11, 12), (12, 13), (13, 14), (14, 15)])
    first = units(text, offsets, "first")
    assert [text[a:b] for a, b in zip(first.start, first.end, strict=True)] == ["Brighton", "北京", "市", "s", "-", "x"]
    assert len(units(text, offsets, "all")) == 7


def test_what_announces_a_word_speaks_for_it_in_a_tagger_made_elsewhere() -> None:
    text = "x 浙 Ann  é"
    # ▁x, a lone ▁ and 浙, ▁A nn, a white space, two bytes of é
    offsets = np.asarray([(0, 1), (2, 3), (2, 3), (4, 5), (5, 7), (7, 8), (9, 10), (9, 10)])
    assert units(text, offsets, "first").token.tolist() == [0, 2, 3, 7]
    assert units(text, offsets, "first", is_announced=True).token.tolist() == [0, 1, 3, 6]


def test_no_unit_begins_within_a_character_as_people_see_it() -> None:
    text = "\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea e\u0301\u0301\u0301"
    offsets = np.asarray([(n, n + 1) for n in range(len(text)) if not text[n].isspace()])
    found = units(text, offsets, "all")
    assert [text[a:b] for a, b in zip(found.start, found.end, strict=True)] == [text[:3], text[3:5], text[6:]]
    assert found.token.tolist() == [0, 3, 5]


def test_a_token_across_the_border_of_an_entity_goes_where_at_least_half_of_it_is() -> None:
    text = "在北京市的人"
    found = units(text, np.asarray([(0, 2), (2, 5), (5, 6)]), "all")
    # 在|北 京市|的 人: half of the first token, two thirds of the second
    assert tags_of(found, [Span(start=1, end=4, label="LOC")], STATE.labels, IOB2).tolist() == [1, 2, 0]
    assert tags_of(found, [Span(start=4, end=5, label="LOC")], STATE.labels, IOB2).tolist() == [0, 0, 0]
    assert tags_of(
        found, [Span(start=0, end=1, label="PER"), Span(start=1, end=4, label="LOC")], STATE.labels, IOB2
    ).tolist() == [3, 1, 0]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(SCHEMES)), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_decoded_path_is_the_best_of_all_legal_ones(name: str, seed: int, count: int) -> None:
    scheme, labels = SCHEMES[name], STATE.labels if len(SCHEMES[name].letters) < 4 else ("LOC",)
    scores = np.random.default_rng(seed).normal(size=(count, len(scheme.tags(labels))))
    paths = (np.asarray(path) for path in product(range(scores.shape[1]), repeat=count))
    best = max(scores[np.arange(count), path].sum() for path in paths if scheme.is_legal(path))
    path = best_path(scores, scheme)
    assert scheme.is_legal(path)
    assert scores[np.arange(count), path].sum() == pytest.approx(best)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(SCHEMES)), st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_runs_of_a_path_are_those_that_its_tags_name(name: str, seed: int, count: int) -> None:
    scheme = SCHEMES[name]
    tags = scheme.tags(STATE.labels)
    path = best_path(np.random.default_rng(seed).normal(size=(count, len(tags))), scheme)
    expected = [(a, b, STATE.labels.index(label)) for a, b, label in tag_runs([tags[tag] for tag in path])]
    assert list(runs(path, scheme)) == expected
    if name != "IO":
        again = np.full(count, scheme.outside - 1)
        before = (-1, -1)
        for start, stop, label in expected:
            again[start:stop] = scheme.written(stop - start, label, is_beside=before == (start, label))
            before = (stop, label)
        assert name == "IOB1" or again.tolist() == path.tolist()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("IO", "I-LOC I-LOC I-LOC O I-PER"), ("IOB1", "I-LOC I-LOC B-LOC O I-PER"), ("IOB2", "B-LOC I-LOC B-LOC O B-PER"),
        ("BIOES", "B-LOC E-LOC S-LOC O S-PER"), ("BMEWO", "B-LOC E-LOC W-LOC O W-PER"), ("BILOU", "B-LOC L-LOC U-LOC O U-PER"),
    ],
)  # fmt: skip
def test_each_scheme_writes_its_own_tags(name: str, wanted: str) -> None:
    scheme = SCHEMES[name]
    found = units("abcde", np.asarray([(n, n + 1) for n in range(5)]), "all")
    spans = [Span(start=a, end=b, label=label) for a, b, label in ((0, 2, "LOC"), (2, 3, "LOC"), (4, 5, "PER"))]
    written = tags_of(found, spans, STATE.labels, scheme)
    assert [scheme.tags(STATE.labels)[tag] for tag in written] == wanted.split()
    read = [(start, stop) for start, stop, _ in runs(written, scheme)]
    assert read == ([(0, 3), (4, 5)] if name == "IO" else [(0, 2), (2, 3), (4, 5)])


def read(text: str, context: int = 16, **options: object) -> tuple[SpanTagging, SimpleNamespace]:
    backbone = TinyEncoder.configure({"context": context})
    formulation = SpanTagging(SpanOptions(**options))
    reader = Reader(backbone.tokenizer, backbone.spec)
    return formulation, SimpleNamespace(encoded=formulation.encode([Text(text=text)], reader, STATE), reader=reader)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_entities_stay_what_they_are_while_no_probability_moves_by_half_their_lead(seed: int, strength: float) -> None:
    formulation, made = read("we saw it")
    [side], [row] = made.encoded.side, made.encoded.rows
    draw = np.random.default_rng(seed)
    shape = (len(row["input_ids"]), len(STATE.tags))
    raw = draw.normal(size=shape) * 2
    then, now = (one - np.log(np.exp(one).sum(1, keepdims=True)) for one in (raw, raw + strength * draw.normal(size=shape)))
    lead = formulation.lead(side, [{"scores": then}], STATE)
    assert lead is not None
    assert 0 <= lead <= 1
    moved = np.abs(np.exp(then) - np.exp(now))[side.place].max()
    if 2 * moved < lead - 1e-9 and IOB2.is_legal(then[side.place].argmax(1)):
        old, new = (formulation.decode(side, [{"scores": one}], STATE) for one in (then, now))
        assert [(one.start, one.end, one.label) for one in old.entities] == [
            (one.start, one.end, one.label) for one in new.entities
        ]


def test_special_tokens_and_the_models_prefix_teach_nothing() -> None:
    backbone = TinyEncoder()
    spec = backbone.spec.model_copy(update={"prefixes": {"": "the good "}})
    formulation = SpanTagging(SpanOptions())
    encoded = formulation.encode([Text(text="rain was in it")], Reader(backbone.tokenizer, spec), STATE)
    example = MarkedText(text="rain was in it", entities=(Span(start=0, end=4, label="PER"),))
    [gold] = formulation.label([example], encoded, STATE)
    text = backbone.tokenizer.tokens(["rain was in it"])[0].ids
    row, tags = encoded.rows[0]["input_ids"], gold["gold"]
    taught = np.flatnonzero(tags != IGNORED)
    assert row[taught].tolist() == text.tolist()
    assert tags[taught].tolist() == [3, 0, 0, 0]
    assert taught[0] == len(backbone.tokenizer.frame[0]) + 2


def test_each_token_of_a_long_text_is_decided_once_by_the_window_in_whose_middle_it_is() -> None:
    text = " ".join(["we", "saw", "the", "good", "film"] * 12)
    formulation, made = read(text, overlap=6)
    [passage] = made.reader.read([text], overlap=6)
    assert len(passage.windows) > 3
    [side] = made.encoded.side
    assert len(side.units) == 60
    for unit, (row, place) in enumerate(zip(side.row, side.place, strict=True)):
        own = [part.start <= unit < part.stop for part in passage.parts()]
        margins = [min(unit - part.start, part.stop - 1 - unit) if inside else -1
                   for part, inside in zip(passage.parts(), own, strict=True)]  # fmt: skip
        is_edge = unit < passage.parts()[1].start or unit >= passage.parts()[-1].start
        assert is_edge or margins[row] >= max(margins) - 1
        assert made.encoded.rows[row]["input_ids"][place] == made.reader.tokenizer.tokens([text])[0].ids[unit]
    golds = formulation.label(
        [MarkedText(text=text, entities=(Span(start=3, end=6, label="PER"),))], made.encoded, STATE
    )
    assert sum(int((gold["gold"] != IGNORED).sum()) for gold in golds) == 60


def test_an_entity_may_cross_from_one_window_to_the_next() -> None:
    text = " ".join(["we", "saw", "the", "good", "film"] * 6)
    formulation, made = read(text, overlap=4)
    [passage] = made.reader.read([text], overlap=4)
    border = next(iter(stretches(passage.parts())))[1]
    [side] = made.encoded.side
    start, end = int(side.units.start[border - 1]), int(side.units.end[border])
    example = MarkedText(text=text, entities=(Span(start=start, end=end, label="LOC"),))
    golds = formulation.label([example], made.encoded, STATE)
    outputs = [{"scores": perfect(gold["gold"])} for gold in golds]
    [entity] = formulation.decode(side, outputs, STATE).entities
    assert (entity.start, entity.end, entity.text) == (start, end, text[start:end])
    [target] = formulation.targets(formulation.decode(side, outputs, STATE), side, STATE)
    assert target.name == f"LOC:{text[start:end]}"
    assert outputs[target.row]["scores"][target.index] == 0  # the probability there is 1


def perfect(gold: np.ndarray) -> np.ndarray:
    scores = np.full((len(gold), len(STATE.tags)), -9.0, dtype=np.float32)
    scores[np.arange(len(gold)), np.where(gold == IGNORED, 0, gold)] = 0
    return scores


@settings(deadline=None)
@given(st.text(max_size=40), st.data())
def test_what_the_tags_can_say_comes_back_as_the_same_spans(text: str, data: st.DataObject) -> None:
    text = text.encode("utf-8", "ignore").decode()
    formulation, made = read(text, context=64)
    [side] = made.encoded.side
    cuts = sorted(data.draw(st.sets(st.integers(0, len(side.units)), max_size=4)))
    entities = tuple(
        Span(
            start=int(side.units.start[a]),
            end=int(side.units.end[b - 1]),
            label=data.draw(st.sampled_from(STATE.labels)),
        )
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    )
    golds = formulation.label([MarkedText(text=text, entities=entities)], made.encoded, STATE)
    found = formulation.decode(side, [{"scores": perfect(gold["gold"])} for gold in golds], STATE).entities
    assert [(e.start, e.end, e.label, e.text) for e in found] == [
        (s.start, s.end, s.label, text[s.start : s.end]) for s in entities
    ]


@pytest.mark.parametrize("text", ["", "  \t\n "])
def test_a_text_without_tokens_has_no_rows_and_no_entities(text: str) -> None:
    formulation, made = read(text)
    assert not made.encoded.rows
    [side] = made.encoded.side
    assert isinstance(side, ReadText)
    assert formulation.decode(side, [], STATE).entities == ()


@settings(deadline=None)
@given(st.text(alphabet="ab 北京가\u0301\u200d\n。", max_size=30))
def test_a_text_with_spaces_put_in_keeps_the_places_of_its_characters(text: str) -> None:
    read = apart(text, character_borders(text))
    told = read.offsets(np.asarray([(n, n + 1) for n in range(len(read.text))]).reshape(-1, 2))
    assert "".join(text[a:b] for a, b in told.tolist()) == text
    assert all(read.text[n].isspace() for n, (a, b) in enumerate(told.tolist()) if a == b)


def test_characters_are_read_apart_with_their_marks_where_their_script_has_no_spaces() -> None:
    assert apart("我用Google 99号", character_borders("我用Google 99号")).text == "我 用 Google 99 号"
    assert apart("กำ\u0e48x", character_borders("กำ\u0e48x")).text == "ก ำ\u0e48 x"
    assert apart("Zoe\u0308 is", character_borders("Zoe\u0308 is")).text == "Zoe\u0308 is"


def test_what_no_whole_number_of_tokens_can_say_is_said_where_characters_are_read_apart() -> None:
    text = "生生不息"
    [together], [side] = (read(text, characters=way)[1].encoded.side for way in ("together", "apart"))
    assert len(side.units) == 4
    assert [text[a:b] for a, b in zip(side.units.start, side.units.end, strict=True)] == list(text)
    assert "".join(text[a:b] for a, b in zip(together.units.start, together.units.end, strict=True)) == text
