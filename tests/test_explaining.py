"""Explanations on real functions: words, offsets, faithfulness, pages; what each form can and cannot."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

import pytest

import functory
from functory import errors
from functory.plugins import registry as plugins
from functory.reading.segmentation import words
from functory.running.forms import EngineForm
from functory.running.golden import reformed
from functory.terminal import plain
from functory.using.attribution import measured, values_of, without, words_of

METHODS = ("occlusion", "integrated-gradients", "gradient-x-input")
TEXT = "A warm, funny film that never bores, though its ending is predictable."


@pytest.fixture(scope="module")
def fn(sentiment: Path) -> functory.Function:
    return functory.load(sentiment)


@pytest.mark.parametrize("method", METHODS)
def test_every_word_has_its_weight_and_its_place_and_nothing_else_changes(fn: functory.Function, method: str) -> None:
    before = fn(TEXT)
    found = fn.explain(TEXT, method=method)
    assert [TEXT[piece.start : piece.end] for piece in found.pieces] == [piece.text for piece in found.pieces]
    assert {"warm", "never", "predictable"} <= {piece.text for piece in found.pieces}
    assert found.target.name == before.label
    assert found.score == pytest.approx(before.score, abs=1e-4)
    assert fn.explain(TEXT, method=method).pieces == found.pieces
    assert fn(TEXT) == before


def test_integrated_gradients_sum_to_what_the_target_gained(fn: functory.Function) -> None:
    found = fn.explain(TEXT, method="integrated-gradients", steps=64)
    [note] = [note for note in found.notes if "sum to" in note]
    assert float(note.split("but for ")[1].split(" ")[0]) < 0.02


@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients"])
def test_the_weights_are_more_faithful_than_chance(fn: functory.Function, method: str) -> None:
    found = fn.explain(TEXT, method=method)
    value, draw = fn.read(TEXT), random.Random(0)
    target, parts = found.target, words_of(value)
    shuffled = []
    for _ in range(8):
        weights = [draw.random() for _ in parts]
        shuffled.append(measured(fn, value, target, parts, weights)[1].comprehensiveness)
    assert found.faithfulness.comprehensiveness > sum(shuffled) / len(shuffled)


def test_a_named_target_is_explained_and_an_unknown_one_is_answered_with_the_known(fn: functory.Function) -> None:
    both = [fn.explain(TEXT, target=name).pieces[0].weight for name in ("fresh", "rotten")]
    assert both[0] * both[1] <= 0  # what speaks for one of two labels speaks against the other
    with pytest.raises(
        errors.UsageError, match=r"(?s)no target 'stale'.*fresh.*rotten|no target 'stale'.*rotten.*fresh"
    ):
        fn.explain(TEXT, target="stale")


def test_the_page_is_escaped_and_refers_to_nothing_outside(fn: functory.Function) -> None:
    page = fn.explain("<script>alert('x')</script> is a fine & funny film").html()
    assert "<script" not in page
    assert "&amp;" in page
    assert "http" not in page


def test_without_colour_the_words_are_marked_and_the_marks_explained(fn: functory.Function) -> None:
    found = fn.explain(TEXT)
    shown = plain(found)
    top = max(found.pieces, key=lambda piece: abs(piece.weight))
    assert f"{top.text}[{'++' if top.weight > 0 else '−−'}]" in shown
    assert "[+] speaks for it, [−] against it" in shown
    assert f"comprehensiveness {found.faithfulness.comprehensiveness:+.3f}" in shown


def test_in_colour_both_colours_of_a_word_are_set_and_no_marks_stand_in_the_text(fn: functory.Function) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=120, no_color=False)
    console.print(found := fn.explain(TEXT))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    top = max(found.pieces, key=lambda piece: abs(piece.weight))
    assert re.search(rf"\x1b\[38;2;(255;255;255|0;0;0);48;2;\d+;\d+;\d+m{top.text}\x1b", drawn)
    assert "[+]" not in drawn


def test_an_engines_quantized_form_is_explained_by_occlusion_and_gradients_say_so(
    fn: functory.Function, tmp_path: Path
) -> None:
    engine = plugins.load("engines", "onnxruntime").configure({})
    form = fn.form
    rows = form.formulation.encode([fn.read(TEXT)], fn.reader, fn.state).rows
    program = engine.convert(form.program, tmp_path, precision="int8", samples=rows)
    made = EngineForm(engine, form.spec, form.formulation, form.learning, program, form.tokenizer)
    quantized = reformed(fn, made)
    first, again, whole = quantized.explain(TEXT), quantized.explain(TEXT), fn.explain(TEXT)
    assert first == again
    assert [(piece.text, piece.start) for piece in first.pieces] == [(p.text, p.start) for p in whole.pieces]
    largest = sorted(whole.pieces, key=lambda piece: -abs(piece.weight))[:3]
    assert max(first.pieces, key=lambda piece: abs(piece.weight)).text in {piece.text for piece in largest}
    for method in ("integrated-gradients", "gradient-x-input"):
        with pytest.raises(errors.NotSupported, match="method='occlusion'"):
            quantized.explain(TEXT, method=method)
    quantized.close()


def test_blanks_keep_the_offsets_of_everything_else(fn: functory.Function) -> None:
    value = fn.read(TEXT)
    changed = without(value, words_of(value)[1:3])
    assert len(changed.text) == len(TEXT)
    assert changed.text == "A" + " " * 7 + TEXT[8:]
    assert values_of(fn, [value], fn.targets(TEXT)[0])


def test_words_are_cut_in_any_script() -> None:
    assert [("It’s 3.5 stars"[a:b]) for a, b in words("It’s 3.5 stars")] == ["It’s", "3.5", "stars"]
    text = "我喜欢iPhone手机。"
    cut = [text[a:b] for a, b in words(text)]
    assert "".join(cut) == text
    assert "iPhone" in cut
    assert words("") == words("   ") == []


def test_a_text_without_words_cannot_be_explained(fn: functory.Function) -> None:
    with pytest.raises(errors.NotSupported, match="no words"):
        fn.explain("   ")


def test_an_entity_is_explained_at_its_own_place() -> None:
    cities = ("Paris", "London", "Oslo", "Rome", "Lima", "Cairo", "Tokyo", "Berlin")
    rows = [
        {
            "text": f"{lead} {city} {tail}",
            "entities": [{"start": len(lead) + 1, "end": len(lead) + 1 + len(city), "label": "place"}],
        }
        for city in cities
        for lead, tail in (("We flew to", "yesterday."), ("In", "it rains."), ("They live near", "now."))
    ]
    places = functory.build(task="ner", backbone="minilm", train=rows, dev_share=0.0, test_share=0.0)
    text = "My friends moved to London yesterday."
    assert [entity.text for entity in places(text).entities] == ["London"]
    for method in ("occlusion", "integrated-gradients"):
        found = places.explain(text, method=method)
        assert found.target.name == "place:London"
        assert max(found.pieces, key=lambda piece: piece.weight).text == "London"
